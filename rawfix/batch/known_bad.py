"""What is known to be bad before a frame is developed: the file's own list, the body's map, the user's list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rawfix.batch.identity import FileState
from rawfix.errors import SettingsError
from rawfix.frame import RawFrame
from rawfix.io.bad_lists import OPCODES, doubts, guess_format, read_list, to_mask
from rawfix.io.bad_maps import BadMap, find_map, maps_folder, path_of, read_map
from rawfix.io.bad_opcodes import read_opcodes
from rawfix.io.body import Exposure, read_exposure
from rawfix.io.good_samples import with_known
from rawfix.io.mask import read_mask
from rawfix.io.read import MOSAIC_SUFFIXES

OLD_DAYS = 365
"""Sensors gain defects over the years; a map of more days than these is told to be old."""
MUCH = 0.05
"""Share of a frame that is told where lists and maps call it bad: no sensor has as many."""
BEYOND_STOPS = 2.0
"""Hot pixels grow with time and gain; an exposure so far beyond the map's frames is told."""


def with_known_bad(
    frame: RawFrame, path: Path, choice: str, today: date | None = None, named: str = ""
) -> RawFrame:
    """The frame with everything that is known of its bad pixels, and notes where that is doubtful.

    What its samples told of it, they tell anew without what is bad: see `with_known`.

    Parameters
    ----------
    frame
        As read from ``path``; its own opcode list is in ``known_bad``.
    path
        The RAW file: its metadata tell body, date and exposure time.
    choice
        ``auto``: the file's own list and the body's map; ``off``: neither; or a list, map or mask (PNG), which
        takes the place of the body's map.
    today
        For the map's age; default: the day it is.
    named
        What notes call the list; default: its own name.

    Raises
    ------
    SettingsError
        The list named is missing or malformed, or made for another sensor.
    """
    if choice == "off" or frame.cfa is None:
        return with_known(frame, None)
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    exposure = read_exposure(path)
    notes: tuple[str, ...] = ()
    if choice != "auto":
        bad: NDArray[np.bool_] | None
        bad, told = read_bad_file(Path(choice), frame, exposure)
        notes = tuple(f"{Path(named or choice).name}: {note}" for note in told)
    else:
        bad, notes = _from_map(frame, shape, exposure, today or date.today())
    if bad is not None and frame.known_bad is not None:
        bad = bad | frame.known_bad
    known = frame.known_bad if bad is None else bad
    if known is not None and (share := float(known.mean())) > MUCH:
        notes += (
            f"{100 * share:.0f} % of the frame are listed as bad; --bad-pixels off ignores lists and maps",
        )
    return with_known(replace(frame, notes=(*frame.notes, *notes)), known)


def identify(frame: RawFrame, path: Path, camera: str) -> tuple[str, str]:
    """Camera name and serial number under which a map of this frame's body is kept.

    ``camera`` is the user's consent, by name, to one map for every body of that name. It is needed where the file tells
    no serial number, and refused where it does: nothing would look for such a map. Raises `SettingsError`, also where
    nothing names the camera.
    """
    is_mosaic = path.suffix.lower() in MOSAIC_SUFFIXES
    if not frame.camera:
        name_it = f"write camera and serial into {path.stem}.toml beside it, or " if is_mosaic else ""
        raise SettingsError(
            f"{path.name}: names no camera whose map could be kept; {name_it}give develop a list of bad pixels itself, "
            "as --bad-pixels FILE"
        )
    serial = read_exposure(path).serial
    if camera and camera != frame.camera:
        raise SettingsError(
            f"--camera {camera!r}: {path.name} is of {frame.camera!r}; give that name, or leave the file out"
        )
    if camera and serial:
        raise SettingsError(
            f"--camera {camera!r}: {path.name} tells its body's serial number, by which such files are served; "
            "leave --camera out"
        )
    if not camera and not serial:
        write_it = f"write serial into {path.stem}.toml beside it, or " if is_mosaic else ""
        raise SettingsError(
            f"{path.name}: tells no serial number; {write_it}give --camera {frame.camera!r} if "
            "one for every body of that name will do"
        )
    return frame.camera, serial


def map_file(frame: RawFrame, path: Path) -> Path | None:
    """The file of the body's map, where there is one that fits the frame."""
    if frame.cfa is None or not maps_folder().is_dir():
        return None
    exposure = read_exposure(path)
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    bad, _ = _from_map(frame, shape, exposure, date.today())
    return None if bad is None else path_of(frame.camera, exposure.serial)


def known_digest(path: Path, camera: str, choice: str) -> str:
    """By which a change of what `with_known_bad` takes from outside of the file is noticed; "" for nothing."""
    if choice == "off" or (choice == "auto" and not maps_folder().is_dir()):
        return ""
    used = Path(choice) if choice != "auto" else path_of(camera, read_exposure(path).serial)
    return FileState.of(used).sha256 if used.is_file() else ""


def check_choice(choice: str) -> None:
    """Refuse a missing or malformed list before any frame is read; raises `SettingsError`."""
    path = Path(choice)
    if choice in ("auto", "off"):
        return
    if not path.is_file():
        raise SettingsError(f"--bad-pixels {choice}: there is no such file; give auto, off or a list")
    if path.suffix.lower() == ".json":
        read_map(path)
    elif path.suffix.lower() != ".png":
        guessed = guess_format(path)
        if guessed == OPCODES:
            read_opcodes(path, np.empty((0, 0), np.uint16))
        else:
            read_list(path, guessed)


def read_bad_file(
    path: Path, frame: RawFrame, exposure: Exposure
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """A list, map (.json) or mask (.png) as ``(H, W)`` bool, and what to tell of it; raises `SettingsError`."""
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    if path.suffix.lower() == ".json":
        bad_map = read_map(path)
        if (bad_map.height, bad_map.width) != shape:
            raise SettingsError(
                f"{path}: is for {bad_map.width}×{bad_map.height} pixels, not {shape[1]}×{shape[0]}; choose another"
            )
        return bad_map.mask(), ()
    if path.suffix.lower() == ".png":
        return read_mask(path, shape), ()
    guessed = guess_format(path)
    if guessed == OPCODES:
        return read_opcodes(path, frame.mosaic, frame.origin), ()
    taken = None if exposure.taken is None else exposure.taken.timestamp()
    sites = read_list(path, guessed, margins=frame.origin, taken=taken)
    return to_mask(sites, shape), doubts(sites, shape, guessed)


def _from_map(
    frame: RawFrame, shape: tuple[int, int], exposure: Exposure, today: date
) -> tuple[NDArray[np.bool_] | None, tuple[str, ...]]:
    try:
        found = find_map(frame.camera, exposure.serial)
    except SettingsError as error:
        return None, (f"the body's map of bad pixels was left out: {error}",)
    if found is None:
        return None, ()
    if (found.height, found.width) != shape:
        size = f"{found.width}×{found.height}"
        return None, (f"the body's map of bad pixels is for {size} pixels and was left out",)
    return found.mask(), tuple(_doubts(found, frame.iso, exposure.seconds, today))


def _doubts(found: BadMap, iso: float | None, seconds: float | None, today: date) -> list[str]:
    """Why a map may not hold all that is bad."""
    doubts = []
    age = (today - date.fromisoformat(found.made)).days
    if age > OLD_DAYS:
        doubts.append(f"the body's map of bad pixels is {age} days old; learn it again")
    beyond = 0.0
    if found.iso and iso:
        beyond += max(np.log2(iso / found.iso[1]), 0)
    if found.seconds and seconds:
        beyond += max(np.log2(seconds / found.seconds[1]), 0)
    if beyond > BEYOND_STOPS:
        doubts.append(
            f"the exposure goes {beyond:.0f} stops (speed and time) beyond the body's map of bad pixels, "
            "which may lack some; learn it from such frames"
        )
    return doubts
