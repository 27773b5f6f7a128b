"""A job between its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rawfix.batch.identity import FileState
from rawfix.batch.journal import Journal
from rawfix.batch.options import Options
from rawfix.batch.plan import Job
from rawfix.batch.tiers import Choice
from rawfix.frame import NoiseModel, RawFrame
from rawfix.negative import Negative
from rawfix.pipeline import Developed
from rawfix.settings import Settings


@dataclass(slots=True, eq=False)
class Work:
    """A job between its steps.

    Attributes
    ----------
    seconds
        What its steps have taken, without the waiting between them.
    state
        Of the source as it was read.
    overwrite
        Whether the target may be replaced.
    settings, choice
        As asked for, and the tier that they come to for this frame.
    sides
        Side outputs written so far.
    bad_known, bad_kinds
        How many samples were known to be bad, and defects by kind.
    pictures
        For the report.
    frame, developed
        Let go of as soon as the next step needs them no more.
    """

    job: Job
    target: Path
    settings: Settings
    choice: Choice
    options: Options
    journal: Journal
    seconds: float
    state: FileState
    overwrite: bool
    frame: RawFrame | None
    camera: str
    iso: float | None
    noise: NoiseModel | None
    developed: Developed | Negative | None = None
    bad_known: int = 0
    bad_kinds: dict[str, int] | None = None
    notes: tuple[str, ...] = ()
    sides: list[Path] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
