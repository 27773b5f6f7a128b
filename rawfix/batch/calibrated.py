"""What was measured of a body and its lenses, put in place of what one frame can tell; and the measuring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from rawfix.batch.identity import FileState
from rawfix.batch.known_bad import identify
from rawfix.classical import measured_noise, unbalanced
from rawfix.errors import RawfixError, SettingsError
from rawfix.frame import RawFrame
from rawfix.io.body import read_exposure
from rawfix.io.calibrations import (
    Calibration,
    PsfCalibration,
    calibrations_folder,
    find_calibration,
    path_of,
    read_calibration,
)
from rawfix.io.read import read_frame
from rawfix.physics.edges import find_edges
from rawfix.physics.noise_calibration import FrameNoise, calibrate, measure_frame
from rawfix.physics.psf_field import LEAST_EDGES, MOST, fit_field
from rawfix.stages.normalize import normalize

_MOST_EDGES = 2000


def with_calibration(frame: RawFrame, path: Path, given: Path | None = None) -> RawFrame:
    """The frame with its body's calibrated noise, where the file states none itself, and its lens's PSF.

    ``given`` is the calibration's file, in place of the one that is kept for the body.
    """
    if given is None and not calibrations_folder().is_dir():
        return frame
    try:
        found = (
            find_calibration(frame.camera, read_exposure(path).serial)
            if given is None
            else read_calibration(given)
        )
    except SettingsError as error:
        return replace(frame, notes=(*frame.notes, f"the camera's calibration was left out: {error}"))
    if found is None:
        return frame
    noise = frame.noise
    if found.noise is not None and frame.iso and (noise is None or noise.source == "estimated"):
        noise = found.noise.at(frame.iso)
    notes = frame.notes
    if not frame.lens and len(found.untold) > 1:
        lenses = ", ".join(known.lens or "one without a name" for known in found.untold)
        notes += (f"it tells no lens, and several such are calibrated ({lenses}): none of them was taken",)
    return replace(frame, noise=noise, psf=found.psf_for(frame.lens), notes=notes)


def calibration_file(frame: RawFrame, path: Path) -> Path | None:
    """The file of the body's calibration, where there is one that can be read."""
    if not calibrations_folder().is_dir():
        return None
    serial = read_exposure(path).serial
    try:
        return None if find_calibration(frame.camera, serial) is None else path_of(frame.camera, serial)
    except SettingsError:
        return None


def calibration_digest(path: Path, camera: str) -> str:
    """By which a change of a body's calibration is noticed; "" where there is none."""
    if not calibrations_folder().is_dir():
        return ""
    used = path_of(camera, read_exposure(path).serial)
    return FileState.of(used).sha256 if used.is_file() else ""


def calibrate_noise(
    paths: list[Path],
    camera: str,
    refused: Callable[[Path, RawfixError], None],
    progress: Callable[[Path], None],
) -> Calibration:
    """Measure a body's noise on frames of one or several speeds, beside those that were measured before.

    Parameters
    ----------
    paths
        RAW files of one body.
    camera
        See `rawfix.batch.known_bad.identify`.
    refused
        Told of every file that cannot serve; the others go on.
    progress
        Called after each file.

    Raises
    ------
    SettingsError
        Files of several bodies, without a serial number, or that show too little.
    """
    body: tuple[str, str] | None = None
    shown: list[tuple[float, FrameNoise]] = []
    for path in paths:
        try:
            frame = read_frame(path)
            if not frame.iso:
                raise SettingsError(f"{path.name}: tells no ISO")
            if frame.cfa is None or frame.mosaic.dtype != np.uint16:
                raise SettingsError(f"{path.name}: holds no samples of a sensor; give RAW files")
            own = identify(frame, path, camera)
        except RawfixError as error:
            refused(path, error)
            progress(path)
            continue
        if body is not None and own != body:
            raise SettingsError(
                f"{path.name}: is of {' '.join(own).strip()}, not {' '.join(body).strip()}; give one body's files"
            )
        body = own
        shown.append((frame.iso, _shown(frame)))
        progress(path)
    if body is None:
        raise SettingsError("no file could be measured")
    before = find_calibration(*body) or Calibration(*body)
    try:
        noise = calibrate(shown, () if before.noise is None else before.noise.speeds)
    except ValueError as error:
        raise SettingsError(f"{error}; add darker and brighter ones of the same ISO") from error
    return replace(before, noise=noise, noise_made=date.today().isoformat())


def calibrate_psf(path: Path, camera: str, lens: str) -> tuple[Calibration, PsfCalibration]:
    """Measure the PSF on a chart of slanted edges; returns the body's calibration with it, and the PSF itself.

    ``lens`` names one that the file does not tell; it serves files of the body that tell none either, as long as it
    is the only such. Raises `RawfixError`.
    """
    frame = read_frame(path)
    if lens and frame.lens and lens != frame.lens:
        raise SettingsError(f"{path.name}: names its lens itself, {frame.lens}; leave --lens out")
    body = identify(frame, path, camera)
    light = normalize(frame)
    raw, channels = unbalanced(light, frame)
    edges = find_edges(raw, channels, frame.noise or measured_noise(light, frame), limit=_MOST_EDGES)
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    psf = fit_field(edges, shape)
    if psf is None:
        raise SettingsError(
            f"{path.name}: shows {len(edges)} clean slanted edges, {LEAST_EDGES} are needed; photograph a chart of "
            "squares turned by about 5°, well lit, sharp, not clipped"
        )
    if (widest := max(psf.center)) > MOST:
        raise SettingsError(
            f"{path.name}: its edges spread by {widest:.1f} px in the center, more than a lens in focus does "
            f"({MOST:g} px); photograph a chart that is in focus, its edges sharply printed"
        )
    made = PsfCalibration(
        lens or frame.lens, psf, len(edges), date.today().isoformat(), is_untold=not frame.lens
    )
    before = find_calibration(*body) or Calibration(*body)
    others = tuple(known for known in before.psfs if known.lens != made.lens)
    return replace(before, psfs=(*others, made)), made


def _shown(frame: RawFrame) -> FrameNoise:
    raw, channels = unbalanced(normalize(frame), frame)
    return measure_frame(raw, channels, step=1 / max(frame.white))
