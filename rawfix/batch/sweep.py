"""One file at many strengths: networks run once, and only the most telling places are rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.auto_strengths import decide_strengths
from rawfix.batch.calibrated import with_calibration
from rawfix.batch.known_bad import with_known_bad
from rawfix.color.spaces import space_named
from rawfix.errors import SettingsError
from rawfix.finish import check_look, choose_wb, finish
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.io.atomic import check_target
from rawfix.io.contact_sheet import Cell, write_sheet
from rawfix.io.icc import profile
from rawfix.io.png import write_png
from rawfix.io.read import read_frame
from rawfix.kept import SUFFIX, load_kept
from rawfix.maps import Maps, apply_maps
from rawfix.nn.stand_ins import stand_ins
from rawfix.optics import tell_optics
from rawfix.physics.telling_places import telling_places
from rawfix.pipeline import check_settings, find
from rawfix.settings import Auto, Settings, Strengths

CROP, CELL = 512, 192
"""Sides of the crops, and of their middles on the sheet, in pixels."""
MOST = 64
Level = float | Auto


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A camera image with its maps, before anything is taken away, and what the rest of the way needs."""

    frame: RawFrame
    camera: Image
    maps: Maps
    noise: NoiseModel
    settings: Settings
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was written: the sheet, and crops as ``(strengths, place, path)``; and what ``auto`` came to."""

    sheet: Path
    crops: tuple[tuple[Strengths, str, Path], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        crops = [
            {"denoise": strengths.denoise, "deblur": strengths.deblur, "place": place, "path": str(path)}
            for strengths, place, path in self.crops
        ]
        return {"sheet": str(self.sheet), "crops": crops, "notes": list(self.notes)}


def check_sweep(source: Path, denoise: list[Level], deblur: list[Level], settings: Settings) -> None:
    """Refuse, before a file is read, what cannot be done; raises `SettingsError`."""
    for noise_level in denoise:
        Strengths(noise_level)
    for blur_level in deblur:
        Strengths(deblur=blur_level)
    if not 1 <= len(denoise) * len(deblur) <= MOST:
        raise SettingsError(f"{len(denoise)} × {len(deblur)} strengths: give at most {MOST} in all")
    if source.name.endswith(SUFFIX):
        check_look(settings)
    else:
        check_settings(replace(settings, strengths=_with(settings.strengths, 1.0, 1.0)))


def sweep(
    source: Path,
    folder: Path,
    denoise: list[Level],
    deblur: list[Level],
    settings: Settings,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Write a contact sheet of strengths, and crops at full size.

    A crop is what `develop` makes there, pixel by pixel, but for blown highlights, whose color is looked for in their
    surroundings, and for a white balance ``auto``, which all crops share: it is chosen before anything is taken away.

    Parameters
    ----------
    source
        A RAW file, or what ``--save-maps`` kept of one.
    folder
        Where ``STEM-sweep.png`` and ``STEM-denoiseN-deblurN-PLACE.png`` go.
    denoise, deblur
        Strengths; ``auto`` is decided once.
    settings
        The look; its format is PNG of 8 bits; of its strengths, those of fringes and haze count.
    overwrite
        Whether files may be replaced.
    progress
        Called with tiles done and their number.

    Raises
    ------
    RawfixError
        The file cannot be developed, or its outputs must not be written.
    """
    check_sweep(source, denoise, deblur, settings)
    stem = source.name.removesuffix(SUFFIX) if source.name.endswith(SUFFIX) else source.stem
    sheet = folder / f"{stem}-sweep.png"
    check_target(sheet, overwrite)
    estimate = estimate_of(source, settings, progress)
    columns, rows, notes = _decided(estimate, denoise, deblur)
    names = {
        (strengths, place): folder
        / f"{stem}-denoise{strengths.denoise:g}-deblur{strengths.deblur:g}-{place}.png"
        for strengths in _every(columns, rows, settings.strengths)
        for place in ("dark", "edge")
    }
    for path in names.values():
        check_target(path, overwrite)
    icc = None if settings.space == "camera" else profile(space_named(settings.space), settings.linear)
    table: list[list[Cell]] = [[] for _ in rows]
    for strengths, (place, picture) in _rendered(estimate, columns, rows):
        write_png(names[strengths, place], picture, icc=icc, overwrite=overwrite)
        line = table[[strength for strength, _ in rows].index(strengths.blur)]
        if place == "dark":
            label = f"{dict(columns)[strengths.noise[0]]}   {dict(rows)[strengths.blur]}"
            line.append(Cell(label, (_middle(picture),)))
        else:
            line[-1] = Cell(line[-1].label, (*line[-1].pictures, _middle(picture)))
    write_sheet(sheet, table, icc, overwrite=overwrite)
    return Sweep(sheet, tuple((strengths, place, path) for (strengths, place), path in names.items()), notes)


def estimate_of(
    source: Path, settings: Settings, progress: Callable[[int, int], None] | None = None
) -> Estimate:
    """Find, or load, the maps of a file, for the settings' look; raises `RawfixError`."""
    notes: tuple[str, ...] = ()
    if source.name.endswith(SUFFIX):
        kept, _ = load_kept(source, settings.threads)
        frame, camera, maps, noise = kept.frame, kept.camera, kept.maps, kept.noise
    else:
        frame = with_calibration(read_frame(source), source)
        frame = with_known_bad(frame, source, settings.bad_pixels)
        settings = replace(settings, strengths=_with(settings.strengths, 1.0, 1.0))
        found = find(frame, settings, progress, every=True)
        assert found.maps is not None
        assert found.noise is not None
        camera, maps, noise = found.camera, found.maps, found.noise
        notes = (*frame.notes, *found.notes, *stand_ins(found.models, settings.quality))
    if settings.wb == "auto":
        chosen, _ = choose_wb(frame, settings, camera)
        settings = replace(settings, wb=",".join(repr(float(value)) for value in chosen))
    return Estimate(frame, camera, maps, noise, settings, tuple(dict.fromkeys(notes)))


Axis = list[tuple[float, str]]
"""Strengths with their labels."""


def _decided(
    estimate: Estimate, denoise: list[Level], deblur: list[Level]
) -> tuple[Axis, Axis, tuple[str, ...]]:
    """Numbers in place of ``auto``, each once."""
    wanted = Strengths("auto" if "auto" in denoise else 0.0, "auto" if "auto" in deblur else 0.0)
    exposure = estimate.settings.exposure
    found, notes = decide_strengths(wanted, estimate.camera, estimate.noise, estimate.frame.wb, exposure)

    def axis(name: str, levels: list[Level], auto: float) -> Axis:
        numbers: dict[float, str] = {}
        for level in levels:
            number = auto if level == "auto" else float(f"{level:g}")  # as files are named by it
            numbers.setdefault(number, f"{name} {number:g}{' (auto)' if level == 'auto' else ''}")
        return list(numbers.items())

    notes += tell_optics(estimate.maps, estimate.settings.strengths)
    notes = (*estimate.notes, *notes)
    return axis("denoise", denoise, found.noise[0]), axis("deblur", deblur, found.blur), notes


def _every(columns: Axis, rows: Axis, given: Strengths) -> Iterator[Strengths]:
    """Row by row."""
    for blur, _ in rows:
        for noise, _ in columns:
            yield _with(given, noise, blur)


def _with(given: Strengths, noise: float, blur: float) -> Strengths:
    """Strengths of noise and blur beside those of fringes and haze that were given."""
    return Strengths(noise, blur, defringe=given.defringe, dehaze=given.dehaze)


def _rendered(
    estimate: Estimate, columns: Axis, rows: Axis
) -> Iterator[tuple[Strengths, tuple[str, NDArray[np.uint8]]]]:
    """Crops of both places at all strengths, each place after the other."""
    camera, maps, settings = estimate.camera, estimate.maps, estimate.settings
    height, width = camera.shape[:2]
    side = min(CROP, height, width)
    places = telling_places(camera[..., 1], side)
    for strengths in _every(columns, rows, settings.strengths):
        reach = maps.reach(strengths)
        for name, (y, x) in zip(("dark", "edge"), places, strict=True):
            top, left = max(0, y - reach), max(0, x - reach)
            bottom, right = min(height, y + side + reach), min(width, x + side + reach)
            part = maps.window((height, width), top, left, bottom - top, right - left)
            image = apply_maps(camera[top:bottom, left:right].copy(), part, strengths)
            image = np.ascontiguousarray(image[y - top : y - top + side, x - left : x - left + side])
            developed = finish(image, estimate.frame, replace(settings, strengths=strengths))
            yield strengths, (name, np.asarray(developed.display, np.uint8))


def _middle(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    y, x = (max(0, (size - CELL) // 2) for size in picture.shape[:2])
    return picture[y : y + CELL, x : x + CELL]
