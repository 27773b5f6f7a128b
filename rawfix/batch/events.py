"""What ``--json`` prints: one object a line, described by ``events.schema.json`` beside this file."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from rawfix import __version__
from rawfix.batch.plan import fill
from rawfix.batch.result import Result
from rawfix.errors import SettingsError

if TYPE_CHECKING:
    from rawfix.batch.execute import Run
    from rawfix.batch.tally import Tally

SCHEMA_VERSION = 1


def schema() -> dict[str, Any]:
    """The JSON Schema of every event."""
    text = resources.files(__package__).joinpath("events.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _event(name: str, **values: Any) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "event": name, **values}


def run_event(run: Run, jobs: int) -> dict[str, Any]:
    """The first line of a run."""
    return _event("run", rawfix=__version__, files=len(run.steps), jobs=jobs, recipe=run.recipe.to_dict())


def pictures_event(files: int, settings: dict[str, Any]) -> dict[str, Any]:
    """The first line of a run over finished pictures."""
    recipe = {"settings": settings, "rules": [], "given": {}}
    return _event("run", rawfix=__version__, files=files, jobs=1, recipe=recipe)


def plan_events(run: Run) -> list[dict[str, Any]]:
    """What would be done, a line a file; a name that depends on the frame keeps its fields."""
    events = []
    for job, action in run.steps:
        try:
            target = fill(job)
        except SettingsError:
            target = job.target
        kind, reason = ("develop", "") if action is None else (action.kind, action.reason)
        events.append(_event("plan", source=str(job.source), target=str(target), action=kind, reason=reason))
    return events


def file_event(result: Result) -> dict[str, Any]:
    """One file is finished, well or not."""
    return _event("file", **result.to_dict())


def summary_event(tally: Tally, seconds: float, exit_code: int) -> dict[str, Any]:
    """The last line of a run."""
    counts = {name: tally.counts[name] for name in ("done", "unchanged", "skipped")}
    return _event(
        "summary", **counts, failed=tally.failed, left=tally.left, stopped=tally.stopped, seconds=round(seconds, 3),
        exit_code=exit_code,
    )  # fmt: skip
