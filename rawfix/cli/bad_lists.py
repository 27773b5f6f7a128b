"""``rawfix badpixels import`` and ``export``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from time import time
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from rawfix.batch.known_bad import identify
from rawfix.cli import exit_codes
from rawfix.cli.bad_maps import keep
from rawfix.cli.console import err, out, refuse
from rawfix.errors import OutputError, RawfixError, SettingsError
from rawfix.frame import RawFrame
from rawfix.io.atomic import replacing
from rawfix.io.bad_lists import OPCODES, ListFormat, doubts, guess_format, read_for_map, to_mask, write_list
from rawfix.io.bad_maps import BadMap, choose_map
from rawfix.io.bad_opcodes import read_opcodes
from rawfix.io.dng_bad_pixels import encode_bad_pixels
from rawfix.io.raw import read_raw
from rawfix.io.read import read_frame


def import_list(file: Path, like: Path, format: str, *, camera: str, add: bool, overwrite: bool) -> int:
    """Keep a list as the map of the body that took ``like``; returns the exit code."""
    try:
        if add and overwrite:
            raise SettingsError("--add and --overwrite exclude each other")
        frame = _mosaic_of(like)
        name, serial = identify(frame, like, camera)
        bad = _read(file, format, frame)
        made = BadMap(
            camera=name,
            serial=serial,
            height=bad.shape[0],
            width=bad.shape[1],
            made=date.today().isoformat(),
            source=file.name,
            sites=tuple((int(row), int(column)) for row, column in np.argwhere(bad)),
        )
        keep(made, add=add, overwrite=overwrite)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except RawfixError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    return exit_codes.DONE


def export_list(name: str, output: Path, format: str, *, like: Path | None, overwrite: bool) -> int:
    """Write a body's map as a list; returns the exit code."""
    try:
        if format not in (*get_args(ListFormat), OPCODES):
            raise SettingsError(
                f"--format {format}: choose one of {', '.join((*get_args(ListFormat), OPCODES))}"
            )
        found = choose_map(name)
        if format in ("sensor", OPCODES) and like is None:
            raise SettingsError(
                f"--format {format}: needs --like, a RAW file of the body, for margins and pattern"
            )
        frame = None if like is None else _mosaic_of(like)
        if frame is not None and frame.mosaic.shape != (found.height, found.width):
            raise SettingsError(f"--like {like}: is not {found.width}×{found.height} pixels as the map is")
        if format == OPCODES:
            assert frame is not None and frame.cfa is not None
            _write_opcodes(output, found, frame, overwrite)
        else:
            margins = (0, 0) if frame is None else frame.origin
            sites = np.array(found.sites, np.intp).reshape(-1, 2)
            write_list(output, sites, _list_format(format), margins=margins, overwrite=overwrite)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except RawfixError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    out.print(f"{found.name}: {len(found.sites)} bad pixels → {output}", soft_wrap=True)
    return exit_codes.DONE


def _read(file: Path, format: str, frame: RawFrame) -> NDArray[np.bool_]:
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    if format == "auto" and file.suffix.lower() == ".dng":
        own = read_raw(file)
        if own.known_bad is None or own.known_bad.shape != shape:
            raise SettingsError(
                f"{file.name}: holds no list of bad pixels for this sensor; name another file"
            )
        return own.known_bad
    chosen = guess_format(file) if format == "auto" else format
    if chosen == OPCODES:
        return read_opcodes(file, frame.mosaic, frame.origin)
    listed = _list_format(chosen)
    sites, notes = read_for_map(file, listed, margins=frame.origin, now=time())
    for note in (*notes, *doubts(sites, shape, listed if format == "auto" else None)):
        err.print(f"rawfix: {file.name}: note: {note}", soft_wrap=True)
    return to_mask(sites, shape)


def _list_format(format: str) -> ListFormat:
    for known in get_args(ListFormat):
        if format == known:
            return known  # type: ignore[no-any-return]
    raise SettingsError(f"--format {format}: choose one of {', '.join((*get_args(ListFormat), OPCODES))}")


def _mosaic_of(path: Path) -> RawFrame:
    frame = read_frame(path)
    if frame.cfa is None:
        raise SettingsError(f"--like {path.name}: holds no mosaic; name one of the camera's own RAW files")
    return frame


def _write_opcodes(output: Path, found: BadMap, frame: RawFrame, overwrite: bool) -> None:
    """The opcode list, in stored pixels."""
    assert frame.cfa is not None
    top, left = frame.origin
    stored = np.pad(found.mask(), ((top, 0), (left, 0)))
    try:
        data = encode_bad_pixels(stored, frame.cfa.shift(-top, -left))
    except ValueError as error:
        raise OutputError(f"{output.name}: {error}; choose another format") from error
    with replacing(output, overwrite) as temporary:
        temporary.write_bytes(data)
