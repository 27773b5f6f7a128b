"""One maps file rendered anew: no network, no RAW decoder."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from rawfix.batch.picture import write_picture
from rawfix.batch.plan import Job, check_claim, fill, plan, target_key
from rawfix.batch.result import Result
from rawfix.batch.worker import failure
from rawfix.errors import RawfixError, SettingsError
from rawfix.finish import check_look
from rawfix.io.atomic import check_target
from rawfix.io.provenance import Provenance
from rawfix.kept import SUFFIX, check_is_not_source, load_kept, naming_facts, origin_of, render_kept
from rawfix.settings import NEGATIVES, Settings


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A maps file, and the job that says what its picture is called."""

    maps: Path
    job: Job


@dataclass(frozen=True, slots=True)
class Treatment:
    """How files are treated: settings, and what may be replaced, left, or left out."""

    settings: Settings
    overwrite: bool = False
    skip_existing: bool = False
    strip_private: bool = False


def plan_adjustments(
    files: list[Path], output: Path | None, name: str, settings: Settings
) -> list[Adjustment]:
    """Which picture belongs to which maps file; raises `SettingsError`.

    A picture is called as `develop` calls it: ``X.tif`` for ``X.maps.tif``.
    """
    if settings.format in NEGATIVES:
        raise SettingsError(
            f"--format {settings.format}: adjust renders pictures; a DNG needs rawfix develop"
        )
    check_look(settings)
    own = (p.name.removesuffix(SUFFIX) if p.name.endswith(SUFFIX) else p.stem for p in files)
    stems = [path.with_name(f"{name}.maps") for path, name in zip(files, own, strict=True)]
    jobs = plan(stems, output, name, settings.format, space=settings.space, quality="auto")
    return [Adjustment(path, job) for path, job in zip(files, jobs, strict=True)]


def adjust(adjustment: Adjustment, treatment: Treatment, taken: dict[str, Path]) -> Result:
    """Render one maps file into its picture; a refusal is a result too.

    Parameters
    ----------
    adjustment, treatment
        What to do.
    taken
        Targets of this run by key; the one of this file is added.
    """
    path = adjustment.maps
    try:
        return _adjusted(path, adjustment.job, treatment, taken)
    except (RawfixError, MemoryError) as error:
        return failure(path, error)


def _adjusted(path: Path, job: Job, treatment: Treatment, taken: dict[str, Path]) -> Result:
    started = time.monotonic()
    facts = naming_facts(path)
    target = fill(job, **facts)
    check_claim(target, path, lambda wanted: taken.setdefault(target_key(wanted), path) == path)
    if treatment.skip_existing and target.exists():
        return Result(path, target, "skipped")
    check_target(target, treatment.overwrite)
    kept, carrier = load_kept(path, treatment.settings.threads)
    check_is_not_source(target, kept)
    settings = replace(treatment.settings, **kept.settings)
    developed = render_kept(kept, settings)
    settings = replace(settings, strengths=developed.strengths)
    known = dict(kept.models)
    if settings.upscale != 1:
        from rawfix.batch.decide import installed_models  # without it, no RAW decoder is loaded

        known = installed_models() | known
    models = tuple((id, known.get(id, "")) for id in developed.models)
    provenance = Provenance(settings.to_dict(), models, kept.frame.noise, kept.defects, lens=developed.lens)
    with origin_of(kept, carrier, path, provenance, strip=treatment.strip_private) as origin:
        notes = write_picture(target, developed, settings, origin, overwrite=treatment.overwrite)
    return Result(
        source=path,
        target=target,
        status="done",
        seconds=time.monotonic() - started,
        bad_pixels=kept.defects,
        models=developed.models,
        wb=developed.wb,
        noise_source=None if kept.frame.noise is None else kept.frame.noise.source,
        lens_correction=developed.lens or None,
        camera=kept.frame.camera,
        iso=kept.frame.iso,
        notes=(*kept.frame.notes, *developed.notes, *notes),
        settings=settings.to_dict(),
        quality=settings.quality,
    )
