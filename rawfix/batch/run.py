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
from rawfix.io.atomic import check_target
from rawfix.io.icc import profile
from rawfix.io.mask import write_mask
from rawfix.io.provenance import Origin, Provenance, sidecars_of
from rawfix.io.raw import read_raw
from rawfix.io.tiff import write_tiff
from rawfix.io.writers import WRITERS
from rawfix.nn.manifest import find_models
from rawfix.pipeline import Developed, develop
from rawfix.settings import Settings

SCHEMA_VERSION = 1
STAGES = ("camera", "working")
"""What ``--save-stages`` saves."""


@dataclass(frozen=True, slots=True)
class Options:
    """How outputs are written; nothing here changes a pixel."""

    overwrite: bool = False
    skip_existing: bool = False
    save_stages: Path | None = None
    bad_map: Path | None = None
    strip_private: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input; `to_dict` is a line of the JSON log."""

    source: Path
    target: Path | None
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
            "target": None if self.target is None else str(self.target),
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


def run_job(
    job: Job,
    settings: Settings,
    options: Options,
    written: set[str],
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Read, develop and write one file.

    Parameters
    ----------
    job, settings, options
        What to do.
    written
        Targets that this run has claimed already; the job adds its own.
    progress
        Called after each tile.

    Raises
    ------
    RawfixError
        Whatever went wrong; nothing is left half-written.
    """
    started = time.monotonic()
    frame = read_raw(job.source) if job.needs_frame else None
    late = {} if frame is None else {"camera": frame.camera or "unknown", "iso": round(frame.iso or 0)}
    target = fill(job, **late)
    _claim(target, job.source, written)
    if target.exists() and options.skip_existing:
        return Result(job.source, target, "skipped")
    bad_map = _bad_map_path(options, target)
    for path in (target, bad_map, *(_stage_path(options, target, stage) for stage in STAGES)):
        if path is not None:
            check_target(path, options.overwrite)
    frame = frame or read_raw(job.source)

    def save(stage: str, image: Image) -> None:
        if path := _stage_path(options, target, stage):
            write_tiff(path, image, icc=None, overwrite=options.overwrite)

    developed = develop(frame, settings, progress, save if options.save_stages else None)
    notes = (*frame.notes, *developed.notes)
    if bad_map is not None and developed.bad is not None:
        write_mask(bad_map, developed.bad, options.overwrite)
    elif bad_map is not None:
        notes += ("holds no mosaic: no map of bad pixels was made",)
    icc = None if settings.space == "camera" else profile(space_named(settings.space), settings.linear)
    write = WRITERS[settings.format]
    origin = Origin(
        job.source, sidecars_of(job.source), options.strip_private, _provenance(frame, developed, settings)
    )
    notes += write(target, developed.display, icc=icc, overwrite=options.overwrite, metadata_from=origin)
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


def _provenance(frame: RawFrame, developed: Developed, settings: Settings) -> Provenance:
    hashes = {model.manifest.id: model.manifest.sha256 for model in find_models()} if developed.models else {}
    return Provenance(
        settings=settings.to_dict(),
        models=tuple((id, hashes[id]) for id in developed.models),
        noise=frame.noise,
        defects=None if developed.bad is None else int(np.count_nonzero(developed.bad)),
    )


def _claim(target: Path, source: Path, written: set[str]) -> None:
    """No two inputs of a run share an output, and none is its own; file systems may ignore case."""
    key = str(target.resolve()).casefold()
    if key == str(source.resolve()).casefold():
        raise OutputError(f"{source}: would be written over itself; use -o or --name")
    if key in written:
        raise OutputError(
            f"{target}: was written for another input of this run; add {{stem}} or {{seq:04}} to --name"
        )
    written.add(key)


def _bad_map_path(options: Options, target: Path) -> Path | None:
    """The file asked for, or one named after the target in the folder asked for."""
    path = options.bad_map
    return path if path is None or path.suffix.lower() == ".png" else path / f"{target.stem}-bad.png"


def _stage_path(options: Options, target: Path, stage: str) -> Path | None:
    folder = options.save_stages
    return None if folder is None else folder / f"{target.stem}-{stage}.tif"
