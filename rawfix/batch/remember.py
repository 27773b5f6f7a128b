"""What is written down about a job's files before they appear: journal entries, and the report's fragment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rawfix.batch.decide import carried_digest
from rawfix.batch.identity import FileState, settings_digest
from rawfix.batch.journal import Entry, append_entry
from rawfix.batch.preview import save_fragment
from rawfix.batch.result import Result
from rawfix.batch.work import Work


def may_replace(work: Work, side: Path) -> bool:
    """Whether a file made along with the target may be written over."""
    return work.options.overwrite or work.journal.made_from(side, work.job.source, work.state)


def manifest_may_go(work: Work) -> bool:
    """Whether a manifest beside the target may be written over."""
    path = work.options.manifest_path(work.target)
    return path is not None and may_replace(work, path)


def note_side(work: Work, temporary: Path, final: Path) -> None:
    """Write a file down that was made along with the target; raises `OutputError`."""
    made = FileState.of(temporary)
    append_entry(
        work.target.parent, Entry(final.absolute(), made, work.options.run, work.job.source, work.state)
    )
    work.sides.append(final.absolute())


def note_target(work: Work, models: Mapping[str, str], temporary: Path, final: Path) -> None:
    """Write the target down, made by networks of these ids and digests; raises `OutputError`."""
    entry = Entry(
        path=work.target.absolute(),
        state=FileState.of(temporary),
        run=work.options.run,
        source=work.job.source,
        source_state=work.state,
        carried=carried_digest(work.job.source, work.options, work.camera, work.settings),
        settings=settings_digest(work.settings),
        models=models,
        sides=tuple(work.sides),
        camera=work.camera,
        iso=work.iso,
    )
    append_entry(final.parent, entry)


def set_aside(work: Work, result: Result) -> None:
    """Keep for the report what it shows of this file."""
    if work.options.previews is None:
        return
    noise = work.noise
    facts = {
        **result.to_dict(),
        "noise": None if noise is None else {"shot": noise.shot, "read": noise.read, "source": noise.source},
    }
    save_fragment(work.options.previews, work.target, {"facts": facts, "pictures": work.pictures})
