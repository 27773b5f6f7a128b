"""A body's map of bad pixels from its frames, read one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from rawfix.batch.known_bad import identify
from rawfix.errors import RawfixError, SettingsError, UnsupportedRawError
from rawfix.frame import Image, RawFrame
from rawfix.io.bad_maps import BadMap
from rawfix.io.body import read_exposure
from rawfix.io.read import read_frame
from rawfix.physics.bad_pixel_learning import MIN_ORDINARY, Learner
from rawfix.stages.normalize import normalize

MOST_BAD = 0.01
"""Share of a sensor beyond which what was found is no list of defects."""
DARK_LEVEL = 0.05
"""Share of white that nine samples in ten of a dark frame stay below."""


@dataclass(slots=True)
class _Body:
    """What all frames must share, and the range of their exposures."""

    camera: str
    serial: str
    frame: RawFrame
    iso: list[float]
    seconds: list[float]


def learn(
    paths: list[Path],
    *,
    dark: bool,
    camera: str = "",
    refused: Callable[[Path, RawfixError], None],
    progress: Callable[[Path], None] = lambda path: None,
    begin: Callable[[str, str], None] = lambda camera, serial: None,
) -> BadMap:
    """Learn a map from frames of one body.

    Parameters
    ----------
    paths
        RAW files, or mosaics with their ``NAME.toml`` beside them; the first that can be read decides body and size.
    dark
        Whether they are dark frames.
    camera
        The camera's name, as consent to a map that holds for every body of that name: needed where the files tell
        no serial number.
    refused
        Called for each file that cannot be used; learning goes on with the others.
    progress
        Called after each file.
    begin
        Called with the body's camera name and serial number as soon as one file has told them; what it raises ends
        the learning.

    Returns
    -------
    BadMap
        Not yet kept.

    Raises
    ------
    SettingsError
        Too few frames, one of them twice, no serial number and no ``camera``, a ``NAME.toml`` without meaning, or far
        too many bad pixels to be true.
    """
    body: _Body | None = None
    learner: Learner | None = None
    seen: dict[bytes, str] = {}
    for path in paths:
        try:
            frame = read_frame(path)
            body = _check(path, frame, body, camera)
            assert frame.cfa is not None and frame.noise is not None
            light = normalize(replace(frame, wb=(1.0, 1.0, 1.0)))
            if dark:
                _check_dark(path, light)
        except SettingsError:
            raise
        except RawfixError as error:
            refused(path, error)
            continue
        finally:
            progress(path)
        if learner is None:
            begin(body.camera, body.serial)
        exposure = read_exposure(path)
        body.iso += [frame.iso] if frame.iso else []
        body.seconds += [exposure.seconds] if exposure.seconds else []
        learner = learner or Learner((light.shape[0], light.shape[1]), frame.cfa, dark=dark)
        digest = hashlib.sha256(np.ascontiguousarray(frame.mosaic).data).digest()
        if not dark and (other := seen.get(digest)):
            raise SettingsError(
                f"{other} and {path.name} are one frame, and what varies tells; leave one out"
            )
        seen[digest] = path.name
        learner.add(light, frame.noise)
    least = 1 if dark else MIN_ORDINARY
    if body is None or learner is None or learner.frames < least:
        raise SettingsError(
            f"{0 if learner is None else learner.frames} frames can be used; "
            f"{'a map from dark frames needs 1' if dark else f'without --dark it takes {MIN_ORDINARY}'} or more"
        )
    return _map_of(learner, body, dark)


def _check(path: Path, frame: RawFrame, body: _Body | None, camera: str) -> _Body:
    """The body that a frame belongs to; it must be the one that others were of."""
    if frame.cfa is None or frame.mosaic.dtype != np.uint16:
        raise UnsupportedRawError(f"{path.name}: holds no mosaic of counts; give the camera's own RAW files")
    if body is None:
        return _Body(*identify(frame, path, camera), frame, [], [])
    serial = read_exposure(path).serial
    if (frame.camera, serial) != (body.camera, body.serial):
        raise UnsupportedRawError(
            f"{path.name}: is of {frame.camera} {serial}, not of {body.camera} {body.serial}; learn each body alone"
        )
    if frame.mosaic.shape != body.frame.mosaic.shape or frame.cfa != body.frame.cfa:
        height, width = body.frame.mosaic.shape[:2]
        raise UnsupportedRawError(
            f"{path.name}: is of another size or filter array than {width}×{height}; learn each alone"
        )
    return body


def _check_dark(path: Path, light: Image) -> None:
    level = float(np.quantile(light[::7, ::5], 0.9))
    if level > DARK_LEVEL:
        raise UnsupportedRawError(
            f"{path.name}: is no dark frame ({100 * level:.0f} % of white); cover the lens, or leave out --dark"
        )


def _map_of(learner: Learner, body: _Body, dark: bool) -> BadMap:
    kinds = learner.result()
    bad = np.logical_or.reduce(list(kinds.values()))
    if bad.mean() > MOST_BAD:
        raise SettingsError(
            f"{100 * bad.mean():.1f} % of all pixels would be bad, more than any sensor has; "
            "give other frames, of varied content or truly dark"
        )
    return BadMap(
        camera=body.camera,
        serial=body.serial,
        height=bad.shape[0],
        width=bad.shape[1],
        made=date.today().isoformat(),
        source="dark frames" if dark else "ordinary frames",
        frames=learner.frames,
        iso=(min(body.iso), max(body.iso)) if body.iso else None,
        seconds=(min(body.seconds), max(body.seconds)) if body.seconds else None,
        kinds={kind: int(mask.sum()) for kind, mask in kinds.items()},
        sites=tuple((int(row), int(column)) for row, column in np.argwhere(bad)),
    )
