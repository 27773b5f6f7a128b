"""One finished picture enlarged: read, enlarged, written in its own space, depth and with its own metadata."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from rawfix.batch.decide import installed_models
from rawfix.batch.inputs import Source
from rawfix.batch.plan import Job, check_claim, fill, is_folder, plan, target_key
from rawfix.batch.result import Result
from rawfix.batch.worker import failure
from rawfix.color.tabulated import SRGB
from rawfix.errors import RawfixError, SettingsError
from rawfix.finished import enlarge_picture
from rawfix.io.atomic import check_target
from rawfix.io.icc_curve import profile_curve
from rawfix.io.jpeg import write_jpeg
from rawfix.io.picture_file import read_picture
from rawfix.io.provenance import Origin, Provenance, sidecars_of
from rawfix.io.writers import WRITERS, Writer
from rawfix.nn.stand_ins import stand_ins
from rawfix.nn.threads import thread_share
from rawfix.settings import LOSSY, check_detail
from rawfix.settling import Guard, agreement
from rawfix.stages.orient import orient
from rawfix.upscaling import Enlarging

FORMATS = {".tif": "tiff", ".tiff": "tiff", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}
"""What a picture of that suffix becomes where nothing else is asked for."""
GUARDS = ("bicubic", "area", "off")
AGREES, AGREES_WITH_DETAIL = 50.0, 45.0
"""Decibels by which an enlarged picture, made small again, is what it was made of; less is told."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for of every picture.

    Attributes
    ----------
    how
        Scale, detail, seed, and how the network runs.
    guard
        See `rawfix.finished.enlarge_picture`.
    format
        ``tiff``, ``png`` or ``jpeg``; "" for each picture's own.
    picture_quality
        1 to 100, of JPEG; 0 for its default.
    overwrite, skip_existing, strip_private
        What may be replaced, left, or left out.
    """

    how: Enlarging
    guard: Guard = "bicubic"
    format: str = ""
    picture_quality: int = 0
    overwrite: bool = False
    skip_existing: bool = False
    strip_private: bool = False

    def __post_init__(self) -> None:
        how = self.how
        if how.scale not in (2, 4):
            raise SettingsError(f"--scale {how.scale}: give 2 or 4")
        check_detail(how.detail, how.seed)
        if self.guard not in GUARDS:
            raise SettingsError(f"--guard {self.guard}: choose one of {', '.join(GUARDS)}")
        if self.format not in ("", *FORMATS.values()):
            raise SettingsError(f"--format {self.format}: choose tiff, png or jpeg")
        if how.quality not in ("fast", "standard", "best"):
            raise SettingsError(f"--quality {how.quality}: choose one of fast, standard, best")
        if not 0 <= self.picture_quality <= 100:
            raise SettingsError(f"--picture-quality {self.picture_quality}: give 1 to 100")
        if self.picture_quality and self.format not in ("", "jpeg"):
            raise SettingsError(f"--picture-quality {self.picture_quality}: is for jpeg")
        if how.tile and not 64 <= how.tile <= 8192:
            raise SettingsError(f"--tile {how.tile}: give 64 to 8192 pixels, or 0 for the model's own")
        if not 0 <= how.threads <= 1024:
            raise SettingsError(f"--threads {how.threads}: give 1 to 1024, or 0 for all this process may use")
        if self.overwrite and self.skip_existing:
            raise SettingsError("--overwrite and --skip-existing exclude each other")

    def facts(self) -> dict[str, Any]:
        """Plain values: all that decides about the picture."""
        how = self.how
        return {
            "upscale": how.scale, "detail": how.detail, "seed": how.seed, "guard": self.guard, "quality": how.quality,
            "provider": how.provider,
        }  # fmt: skip


def plan_enlarging(sources: list[Source], output: Path | None, name: str, order: Order) -> list[Job]:
    """Which output belongs to which picture; raises `SettingsError`.

    A picture that is another one's output (of an earlier run, in a folder that is searched again) is left out.
    """
    groups: dict[str, list[Source]] = {}
    for source in sources:
        groups.setdefault(order.format or FORMATS.get(source.path.suffix.lower(), "tiff"), []).append(source)
    if len(groups) > 1 and is_file(output):
        raise SettingsError(f"-o {output}: one file for {len(sources)} inputs; give a folder")
    jobs = [
        job
        for format, group in groups.items()
        for job in plan(
            [source.path for source in group], output, name, format, quality=order.how.quality,
            below={source.path: source.below for source in group},
        )
    ]  # fmt: skip
    made = {target_key(fill(job, camera="", iso=0)) for job in jobs}
    if any(job.needs_frame for job in jobs):
        raise SettingsError(f"--name {name!r}: {{camera}} and {{iso}} are for RAW files")
    order_of = {source.path: number for number, source in enumerate(sources)}
    return sorted(
        (job for job in jobs if target_key(job.source) not in made), key=lambda job: order_of[job.source]
    )


def is_file(output: Path | None) -> bool:
    """Whether an output names a picture, not a folder."""
    return output is not None and output.suffix.lower() in FORMATS and not is_folder(output)


def enlarge_file(
    job: Job, order: Order, taken: dict[str, Path], progress: Callable[[Path, int, int], None] | None = None
) -> Result:
    """Enlarge one picture; a refusal is a result too.

    Parameters
    ----------
    job, order
        What to do.
    taken
        Targets of this run by key; the one of this picture is added.
    progress
        Called with the source, tiles done and their number.
    """
    try:
        return _enlarged(job, order, taken, progress)
    except (RawfixError, MemoryError) as error:
        return failure(job.source, error)


def _enlarged(
    job: Job, order: Order, taken: dict[str, Path], progress: Callable[[Path, int, int], None] | None
) -> Result:
    started = time.monotonic()
    target, source = fill(job), job.source
    check_claim(target, source, lambda wanted: taken.setdefault(target_key(wanted), source) == source)
    if order.skip_existing and target.exists():
        return Result(source, target, "skipped")
    check_target(target, order.overwrite)
    picture = read_picture(source)
    bits: Literal[8, 16] = 8 if picture.samples.itemsize == 1 or _format_of(target) == "jpeg" else 16
    curve = profile_curve(picture.icc) if picture.icc else SRGB
    notes = picture.notes
    if curve is None:
        notes += ("its profile states no curve: light is decoded, and encoded again, by sRGB's",)
    if bits == 8 and picture.samples.itemsize == 2:
        notes += ("JPEG holds 8 of its 16 bits",)
    upright = orient(picture.samples, picture.orientation)
    display, model = enlarge_picture(
        upright, curve or SRGB, order.how, order.guard, bits, partial(progress, source) if progress else None
    )
    agrees = agreement(display, upright, order.guard, thread_share(order.how.threads or None))
    if agrees < (AGREES_WITH_DETAIL if order.how.detail else AGREES):
        notes += (
            f"made small again, it is {agrees:.0f} dB from what it was made of: drawn edges leave no room between "
            "black and white; --guard area keeps the light of every pixel",
        )
    notes += stand_ins((model,), order.how.quality)
    provenance = Provenance(order.facts(), ((model, installed_models().get(model, "")),))
    origin = Origin(source, sidecars_of(source), order.strip_private, provenance)
    write = _writer(target, order)
    shown = display if display.shape[2] == 3 else display[..., 0]
    notes += write(target, shown, icc=picture.icc, overwrite=order.overwrite, metadata_from=origin)
    return Result(
        source=source,
        target=target,
        status="done",
        seconds=time.monotonic() - started,
        models=(model,),
        notes=notes,
        settings=order.facts(),
        quality=order.how.quality,
    )


def _writer(target: Path, order: Order) -> Writer:
    format = _format_of(target)
    if format == "jpeg":
        return partial(write_jpeg, quality=order.picture_quality or LOSSY["jpeg"])
    return WRITERS[format]


def _format_of(target: Path) -> str:
    return FORMATS[target.suffix.lower()]
