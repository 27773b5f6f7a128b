"""One file enlarged with more and more detail: only the most telling places go through the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.auto_strengths import decide_strengths
from rawfix.batch.calibrated import with_calibration
from rawfix.batch.known_bad import with_known_bad
from rawfix.batch.sweep import CELL, CROP, MOST
from rawfix.color.spaces import space_named
from rawfix.errors import SettingsError
from rawfix.finish import check_look, choose_wb, finish
from rawfix.frame import Image, RawFrame
from rawfix.io.atomic import check_target
from rawfix.io.contact_sheet import Cell, write_sheet
from rawfix.io.icc import profile
from rawfix.io.png import write_png
from rawfix.io.read import read_frame
from rawfix.kept import SUFFIX, load_kept
from rawfix.maps import apply_maps
from rawfix.nn.stand_ins import stand_ins
from rawfix.physics.telling_places import telling_places
from rawfix.pipeline import check_settings, find, restored
from rawfix.settings import Settings, check_detail
from rawfix.upscaling import upscale_camera, upscale_model

_GUARD = 32
"""Sensor pixels beyond the network's halo that the guard looks at."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DetailSweep:
    """What was written: the sheet, and crops as ``(detail, place, path)``; and what ``auto`` came to."""

    sheet: Path
    crops: tuple[tuple[float, str, Path], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        crops = [{"detail": d, "place": place, "path": str(path)} for d, place, path in self.crops]
        return {"sheet": str(self.sheet), "crops": crops, "notes": list(self.notes)}


def check_details(source: Path, details: list[float], settings: Settings) -> None:
    """Refuse, before a file is read, what cannot be done; raises `SettingsError`, or `ModelError`."""
    for detail in details:
        check_detail(detail, settings.seed)
    if not 1 <= len(details) <= MOST:
        raise SettingsError(f"{len(details)} details: give at most {MOST}")
    if settings.upscale == 1:
        raise SettingsError("--detail: needs --upscale 2 or 4")
    if source.name.endswith(SUFFIX):  # its maps are found
        check_look(settings)
    else:
        check_settings(settings)
    upscale_model(settings.upscale, settings.quality)


def sweep_detail(
    source: Path,
    folder: Path,
    details: list[float],
    settings: Settings,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DetailSweep:
    """Write a contact sheet of details, and crops at full size, which are what `develop` makes there.

    Parameters
    ----------
    source
        A RAW file, or what ``--save-maps`` kept of one.
    folder
        Where ``STEM-sweep.png`` and ``STEM-detailN-PLACE.png`` go.
    details
        0 to 1.
    settings
        The look, strengths, scale and seed; their format is PNG of 8 bits.
    overwrite
        Whether files may be replaced.
    progress
        Called with tiles done and their number.

    Raises
    ------
    RawfixError
        The file cannot be developed, a network is missing, or outputs must not be written.
    """
    details = list(dict.fromkeys(details))
    check_details(source, details, settings)
    stem = source.name.removesuffix(SUFFIX) if source.name.endswith(SUFFIX) else source.stem
    sheet = folder / f"{stem}-sweep.png"
    names = {(d, p): folder / f"{stem}-detail{d:g}-{p}.png" for d in details for p in ("dark", "edge")}
    for path in (sheet, *names.values()):
        check_target(path, overwrite)
    frame, camera, settings, notes = _camera_of(source, settings, progress)
    side = min(CROP // settings.upscale, *camera.shape[:2])
    places = dict(zip(("dark", "edge"), telling_places(camera[..., 1], side), strict=True))
    icc = None if settings.space == "camera" else profile(space_named(settings.space), settings.linear)
    cells = []
    for detail in details:
        shown = []
        for name, place in places.items():
            picture = _crop(camera, frame, replace(settings, detail=detail), place, side)
            write_png(names[detail, name], picture, icc=icc, overwrite=overwrite)
            y, x = (max(0, (size - CELL) // 2) for size in picture.shape[:2])
            shown.append(picture[y : y + CELL, x : x + CELL])
        cells.append(Cell(f"detail {detail:g}", tuple(shown)))
    write_sheet(sheet, [cells], icc, overwrite=overwrite)
    model = upscale_model(settings.upscale, settings.quality).manifest.id
    notes = (*notes, *stand_ins((model,), settings.quality))
    return DetailSweep(sheet, tuple((*key, path) for key, path in names.items()), notes)


def _camera_of(
    source: Path, settings: Settings, progress: Progress | None
) -> tuple[RawFrame, Image, Settings, tuple[str, ...]]:
    """The restored camera image on the sensor's grid, and the settings with ``auto`` decided."""
    if source.name.endswith(SUFFIX):
        kept, _ = load_kept(source, settings.threads)
        settings = replace(settings, **kept.settings)
        frame, wb = kept.frame, kept.frame.wb
        strengths, notes = decide_strengths(
            settings.strengths, kept.camera, kept.noise, wb, settings.exposure
        )
        camera = apply_maps(kept.camera, kept.maps, strengths)
    else:
        frame = with_known_bad(with_calibration(read_frame(source), source), source, settings.bad_pixels)
        found = restored(find(frame, settings, progress), frame, settings, progress)
        camera, strengths, notes = found.camera, found.strengths, found.notes
    settings = replace(settings, strengths=strengths)
    if settings.wb == "auto":
        chosen, _ = choose_wb(frame, settings, camera)
        settings = replace(settings, wb=",".join(repr(float(value)) for value in chosen))
    return frame, camera, settings, notes


def _crop(
    camera: Image, frame: RawFrame, settings: Settings, place: tuple[int, int], side: int
) -> NDArray[np.uint8]:
    """A square of the finished picture, enlarged with all that the network and the guard look at around it."""
    manifest = upscale_model(settings.upscale, settings.quality).manifest
    margin, scale = manifest.halo + _GUARD, settings.upscale
    top, left = (max(at - margin, 0) // manifest.multiple * manifest.multiple for at in place)
    y, x = place
    window = np.s_[top : y + side + margin, left : x + side + margin]
    fine, _ = upscale_camera(camera[window], frame.wb, settings, origin=(top, left))
    y, x = (y - top) * scale, (x - left) * scale
    part = fine[y : y + side * scale, x : x + side * scale].copy()
    return np.asarray(finish(part, frame, settings).display, np.uint8)
