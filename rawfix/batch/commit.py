"""What a cluster made gets its names, and the journal its lines: on one machine, by one process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from rawfix.batch.decide import Action, decide, installed_models
from rawfix.batch.identity import FileState
from rawfix.batch.journal import Entry, Journal, append_entry
from rawfix.batch.options import Options
from rawfix.batch.parcel import Delivery, Made
from rawfix.batch.plan import Job, check_claim, fill
from rawfix.batch.preview import save_fragment
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result, settled
from rawfix.batch.signing import signing
from rawfix.errors import CorruptRawError, OutputError
from rawfix.io.atomic import announcing, check_target, replacing
from rawfix.io.provenance import Origin, Provenance

_MTIME_ERROR_NS = 2 * 10**9
"""How far two machines may differ about when a shared file was changed: FAT counts in steps of two seconds."""


def known_already(job: Job, recipe: Recipe, options: Options) -> tuple[Path, Action] | None:
    """For a job whose target's name depends on the frame: the target and what is to be done about it, if it is known.

    The journal remembers camera and ISO of the frames it has seen; so a run that goes on develops nothing twice.
    """
    journal = Journal(job.target.parent)
    for target, history in journal.outputs.items():
        entry = history[-1]
        if entry.source != job.source.absolute():
            continue
        late = {"camera": entry.camera or "unknown", "iso": round(entry.iso or 0)}
        names = [fill(job, **late, quality=tier).name for tier in ("fast", "standard", "best", "none")]
        if target.name in names and target.parent == job.target.parent.absolute():
            named = job.target.with_name(target.name)
            sides = options.sides(named)
            return named, decide(job.source, named, sides, journal, recipe, options, installed_models)
    return None


def commit(
    delivery: Delivery,
    job: Job,
    action: Action | None,
    recipe: Recipe,
    options: Options,
    claim: Callable[[Path], bool],
) -> Result:
    """Put what was delivered under its names, side outputs first, each known to the journal before it appears.

    Parameters
    ----------
    delivery
        A file that was developed.
    job, action
        The job, and what was decided about it before; None: its name was not known then.
    recipe, options
        The request.
    claim
        Whether a target is free for this job; takes it.

    Raises
    ------
    CorruptRawError
        The worker read another file than the one that is here.
    OutputError
        The target must not be written, or cannot be.
    """
    result = delivery.result
    target = result.target
    assert target is not None
    journal = Journal(target.parent, read=action is None or bool(options.sides(target)))
    if action is None:
        for path in (target, *options.sides(target)):
            check_claim(path, job.source, claim)
        action = decide(job.source, target, options.sides(target), journal, recipe, options, installed_models)
    if action.kind == "refuse":
        raise OutputError(action.reason)
    if action.kind in ("skip", "unchanged"):
        return settled(job.source, target, action)
    for made in delivery.made:
        if isinstance(made.staged, Path) and made.entry.source_state is not None:
            _check_source(job.source, made.entry.source_state)
    state = delivery.made[-1].entry.source_state
    manifest = options.manifest_path(target.absolute())
    replaceable = {
        path: options.overwrite or journal.made_from(path, job.source, state)
        for path in filter(None, (*(made.entry.path for made in delivery.made), manifest))
    }
    replaceable[target.absolute()] = action.kind == "replace"
    for path, overwrite in replaceable.items():
        check_target(path, overwrite)
    if delivery.fragment is not None and options.previews is not None:
        facts = {**delivery.fragment["facts"], "source": str(job.source), "target": str(target)}
        save_fragment(options.previews, target, {**delivery.fragment, "facts": facts})
    for made in delivery.made:
        if made.entry.path == target.absolute():
            _place_target(made, job, result, options, replaceable)
        else:
            _place(made, target.parent, replaceable[made.entry.path])
    return result


def _check_source(source: Path, read: FileState) -> None:
    """Refuse what was made of another file than the one here: not every folder of a name is shared."""
    stat = source.stat()
    if stat.st_size != read.size or abs(stat.st_mtime_ns - read.mtime_ns) > _MTIME_ERROR_NS:
        raise CorruptRawError(
            f"{source.name}: is not the file the worker read under that name, or has changed since; run the same "
            "command again, or use --cluster-files ship"
        )


def _place_target(
    made: Made, job: Job, result: Result, options: Options, replaceable: Mapping[Path, bool]
) -> None:
    """Give the target its name, signed where the user gave a key; raises `OutputError`."""
    entry, folder = made.entry, made.entry.path.parent
    source, state = entry.source, entry.source_state
    manifest = options.manifest_path(entry.path)
    provenance = Provenance(result.settings, tuple(entry.models.items()), None, result.bad_pixels)
    origin = Origin(job.source, (), options.strip_private, provenance)

    def note_side(temporary: Path, final: Path) -> None:
        append_entry(folder, Entry(final, FileState.of(temporary), options.run, source, state))

    sides = entry.sides if manifest is None else (*entry.sides, manifest)
    overwrite = manifest is not None and replaceable[manifest]
    with signing(options, entry.path, origin, note_side, overwrite=overwrite):
        _place(replace(made, entry=replace(entry, sides=sides)), folder, replaceable[entry.path])


def _place(made: Made, folder: Path, overwrite: bool) -> None:
    """Give a file its name; raises `OutputError`."""
    entry = made.entry

    def announce(temporary: Path, final: Path) -> None:
        append_entry(folder, replace(entry, state=FileState.of(temporary)))

    with announcing(announce), replacing(entry.path, overwrite) as temporary:
        if isinstance(made.staged, bytes):
            temporary.write_bytes(made.staged)
        else:
            shutil.move(made.staged, temporary)
        if FileState.of(temporary).sha256 != entry.state.sha256:
            raise OutputError(
                f"{entry.path.name}: was altered on its way from the worker; run the same command again"
            )
