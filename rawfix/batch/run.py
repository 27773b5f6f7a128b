"""Develop one job, from file to file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rawfix import __version__
from rawfix.batch.plan import Job, fill
from rawfix.color.spaces import space_named
from rawfix.errors import OutputError
from rawfix.frame import Image, RawFrame
from rawfix.io.icc import profile
from rawfix.io.mask import write_mask
from rawfix.io.raw import read_raw
from rawfix.io.tiff import write_tiff
from rawfix.io.writers import WRITERS
from rawfix.pipeline import Developed, check_settings, develop
from rawfix.settings import Settings

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Options:
    """How outputs are written; nothing here changes a pixel."""

    overwrite: bool = False
    skip_existing: bool = False
    save_stages: Path | None = None
    bad_map: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input; `to_dict` is a line of the JSON log."""

    source: Path
    target: Path
    status: str
    seconds: float = 0.0
    bad_pixels: int | None = None
    models: tuple[str, ...] = ()
    wb: tuple[float, float, float] | None = None
    noise_source: str | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "rawfix": __version__,
            "source": str(self.source),
            "target": str(self.target),
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "bad_pixels": self.bad_pixels,
            "models": list(self.models),
            "wb": self.wb,
            "noise_model": self.noise_source,
            "notes": list(self.notes),
            "error": self.error,
            "settings": self.settings,
        }


def _late_fields(frame: RawFrame) -> dict[str, object]:
    return {"camera": frame.camera or "unknown", "iso": int(frame.iso) if frame.iso else "unknown"}


def _needs_frame(job: Job) -> bool:
    return any(f"{{{name}" in job.target.name for name in ("camera", "iso"))


def run_job(
    job: Job, settings: Settings, options: Options, progress: Callable[[int, int], None] | None = None
) -> Result:
    """Read, develop and write one file.

    Raises
    ------
    RawfixError
        Whatever went wrong; nothing is left half-written.
    """
    started = time.monotonic()
    check_settings(settings)
    if not _needs_frame(job):
        target = fill(job)
        if target.exists() and options.skip_existing:
            return Result(job.source, target, "skipped")
        _refuse_existing(target, options)
        frame = read_raw(job.source)
    else:
        frame = read_raw(job.source)
        target = fill(job, **_late_fields(frame))
        if target.exists() and options.skip_existing:
            return Result(job.source, target, "skipped")
        _refuse_existing(target, options)
    watch = (
        None if options.save_stages is None else _saver(options.save_stages, job.source, options.overwrite)
    )
    developed = develop(frame, settings, progress, watch)
    icc = None if settings.space == "camera" else profile(space_named(settings.space), settings.linear)
    write = WRITERS[settings.format]
    lost = write(target, developed.display, icc=icc, overwrite=options.overwrite, metadata_from=job.source)
    notes = (*frame.notes, *lost, *_write_bad_map(developed, job, options))
    return Result(
        source=job.source,
        target=target,
        status="done",
        seconds=time.monotonic() - started,
        bad_pixels=None if developed.bad is None else int(np.count_nonzero(developed.bad)),
        models=developed.models,
        wb=developed.wb,
        noise_source=None if frame.noise is None else frame.noise.source,
        notes=notes,
        settings=settings.to_dict(),
    )


def _refuse_existing(target: Path, options: Options) -> None:
    if target.exists() and not options.overwrite:
        raise OutputError(
            f"{target}: exists already; use --overwrite to replace it or --skip-existing to keep it"
        )


def _saver(folder: Path, source: Path, overwrite: bool) -> Callable[[str, Image], None]:
    def save(stage: str, image: Image) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_tiff(folder / f"{source.stem}-{stage}.tif", image, icc=None, overwrite=overwrite)

    return save


def _write_bad_map(developed: Developed, job: Job, options: Options) -> tuple[str, ...]:
    """Write the map of replaced samples where asked: white on black, on the sensor's grid."""
    if options.bad_map is None:
        return ()
    if developed.bad is None:
        return ("holds no mosaic: no map of bad pixels was made",)
    path = options.bad_map
    if path.suffix.lower() != ".png":
        path.mkdir(parents=True, exist_ok=True)
        path = path / f"{job.source.stem}-bad.png"
    write_mask(path, developed.bad, options.overwrite)
    return ()
