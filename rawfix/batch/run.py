"""One job in three steps, so that the next file is read and the last one written while this one is computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from rawfix.batch.calibrated import with_calibration
from rawfix.batch.decide import Action, decide, installed_models
from rawfix.batch.identity import FileState
from rawfix.batch.journal import Journal
from rawfix.batch.keep import keep_maps
from rawfix.batch.known_bad import with_known_bad
from rawfix.batch.options import STAGES, Options
from rawfix.batch.output import develop_for, write_output
from rawfix.batch.plan import Job, check_claim, fill
from rawfix.batch.preview import After, look, pictures
from rawfix.batch.recipe import Recipe
from rawfix.batch.remember import manifest_may_go, may_replace, note_side, note_target, set_aside
from rawfix.batch.result import Result, settled
from rawfix.batch.signing import signing
from rawfix.batch.tiers import Choice, choose_tier
from rawfix.batch.work import Work
from rawfix.errors import CorruptRawError, OutputError
from rawfix.frame import Image, RawFrame
from rawfix.io.atomic import announcing, check_target
from rawfix.io.mask import write_mask
from rawfix.io.provenance import Origin, Provenance, sidecars_of
from rawfix.io.read import read_frame
from rawfix.io.tiff import write_tiff
from rawfix.negative import Negative
from rawfix.physics.bad_kinds import count_kinds
from rawfix.pipeline import Developed, Found, Progress
from rawfix.settings import Settings


def read(
    job: Job,
    action: Action | None,
    recipe: Recipe,
    options: Options,
    claim: Callable[[Path], bool],
    choose: Callable[[RawFrame, Settings, bool], Choice] = choose_tier,
    installed: Callable[[], dict[str, str]] = installed_models,
) -> Work | Result:
    """Read one file and settle where it goes.

    Parameters
    ----------
    job, recipe, options
        What to do.
    action
        What was decided already; None where it depends on the frame, or on what another process just did.
    claim
        Asked where the target's name depends on the frame.
    choose, installed
        The tier of a frame, and the networks there are; others' where it is developed elsewhere.

    Returns
    -------
    Work or Result
        A result where nothing is left to do.

    Raises
    ------
    RawfixError
        The file cannot be read, or its outputs must not be written.
    """
    started = time.monotonic()
    before = None
    with suppress(OSError):  # reading it will say why
        before = job.source.stat()
    frame = read_frame(job.source, options.mosaic)
    try:
        state = FileState.of(job.source)
    except OSError as error:
        raise CorruptRawError(f"{job.source.name}: {error.strerror} while it was read") from None
    if before is None or (before.st_size, before.st_mtime_ns) != (state.size, state.mtime_ns):
        raise CorruptRawError(f"{job.source.name}: changed while it was read; try again when it is complete")
    settings = recipe.settings_for(frame.camera, frame.iso)
    late: dict[str, object] = {"camera": frame.camera or "unknown", "iso": round(frame.iso or 0)}
    choice = choose(frame, settings, options.save_maps) if job.needs_frame else None
    if choice is not None:
        late["quality"] = choice.tier
    target = fill(job, **late)
    sides = options.sides(target)
    journal = Journal(target.parent, read=action is None or bool(sides))
    for path in (target, *sides) if job.needs_frame else ():
        check_claim(path, job.source, claim)
    if action is None:
        action = decide(job.source, target, sides, journal, recipe, options, installed)
    if action.kind == "refuse":
        raise OutputError(action.reason)
    if action.kind in ("skip", "unchanged"):
        return settled(job.source, target, action)
    overwrite = action.kind == "replace"
    check_target(target, overwrite)
    for side in sides:
        check_target(side, options.overwrite or journal.made_from(side, job.source, state))
    choice = choice or choose(frame, settings, options.save_maps)
    listed = options.bad_pixels(settings.bad_pixels)
    frame = with_known_bad(frame, job.source, listed, named=settings.bad_pixels)
    frame = with_calibration(frame, job.source, options.calibration)
    return Work(
        job, target, settings, choice, options, journal, time.monotonic() - started, state, overwrite,
        frame, frame.camera, frame.iso, frame.noise,
    )  # fmt: skip


def compute(work: Work, progress: Progress | None) -> None:
    """Develop what was read; raises `RawfixError`."""
    assert work.frame is not None
    started = time.monotonic()
    frame, options = work.frame, work.options

    def save(stage: str, image: Image) -> None:
        if options.save_stages is not None and stage in STAGES:
            path = options.stage_path(work.target, stage)
            with announcing(lambda temporary, final: note_side(work, temporary, final)):
                write_tiff(path, image, icc=None, overwrite=may_replace(work, path))

    seen: list[After] = []

    def watch(stage: str, image: Image) -> None:
        save(stage, image)
        if options.previews is not None and stage == "working":
            seen.append(look(image))

    settings = work.choice.apply(work.settings)

    def keep(found: Found) -> None:
        with announcing(lambda temporary, final: note_side(work, temporary, final)):
            keep_maps(
                work, found, frame, settings, overwrite=may_replace(work, options.maps_path(work.target))
            )

    work.developed = develop_for(
        frame,
        settings,
        progress,
        watch if options.save_stages or options.previews else None,
        keep if options.save_maps else None,
    )
    if seen:
        work.pictures = pictures(frame, seen[0], settings, work.developed.wb)
    work.notes = (*frame.notes, *work.choice.notes, *work.developed.notes)
    work.bad_known = 0 if frame.known_bad is None else int(np.count_nonzero(frame.known_bad))
    work.bad_kinds = None if work.developed.bad is None else count_kinds(frame, work.developed.bad)
    work.frame = None
    work.seconds += time.monotonic() - started


def write(work: Work) -> Result:
    """Write what was developed, whole or not at all; raises `RawfixError`."""
    developed, target = work.developed, work.target
    assert developed is not None
    settings = _used(work, developed)
    started = time.monotonic()
    work.developed = None
    bad_map = work.options.bad_map_path(target)
    if bad_map is not None and developed.bad is not None:
        with announcing(lambda temporary, final: note_side(work, temporary, final)):
            write_mask(bad_map, developed.bad, may_replace(work, bad_map))
    elif bad_map is not None:
        work.sides.append(bad_map.absolute())
        work.notes += ("holds no mosaic: no map of bad pixels was made",)

    def announce(temporary: Path, final: Path) -> None:
        installed = installed_models()
        note_target(work, {name: installed.get(name, "") for name in developed.models}, temporary, final)

    set_aside(work, _result(work, developed))
    origin = _origin(work, developed)
    with (
        announcing(announce),
        signing(work.options, target, origin, partial(note_side, work), overwrite=manifest_may_go(work)),
    ):
        work.notes += write_output(target, developed, settings, origin, overwrite=work.overwrite)
    work.seconds += time.monotonic() - started
    return _result(work, developed)


def _result(work: Work, developed: Developed | Negative) -> Result:
    return Result(
        source=work.job.source,
        target=work.target,
        status="done",
        seconds=work.seconds,
        bad_pixels=None if developed.bad is None else int(np.count_nonzero(developed.bad)),
        bad_known=work.bad_known,
        bad_kinds=work.bad_kinds,
        models=developed.models,
        wb=developed.wb,
        noise_source=None if work.noise is None else work.noise.source,
        lens_correction=developed.lens or None,
        camera=work.camera,
        iso=work.iso,
        notes=work.notes,
        settings=_used(work, developed).to_dict(),
        quality=work.choice.tier,
        expected_seconds=work.choice.seconds,
    )


def _used(work: Work, developed: Developed | Negative) -> Settings:
    """The settings with what ``auto`` came to."""
    return replace(work.choice.apply(work.settings), strengths=developed.strengths)


def _origin(work: Work, developed: Developed | Negative) -> Origin:
    """What the picture's metadata is made of."""
    installed = installed_models() if developed.models else {}
    provenance = Provenance(
        settings=_used(work, developed).to_dict(),
        models=tuple((name, installed[name]) for name in developed.models),
        noise=work.noise,
        defects=None if developed.bad is None else int(np.count_nonzero(developed.bad)),
        lens=developed.lens,
    )
    source = work.job.source
    return Origin(source, sidecars_of(source), work.options.strip_private, provenance, work.job.known_as)
