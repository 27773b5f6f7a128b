"""What became of one input."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rawfix.batch.patience import OVERLONG, READING_SECONDS

if TYPE_CHECKING:
    from rawfix.batch.decide import Action

Status = Literal["done", "unchanged", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input.

    Attributes
    ----------
    status
        ``done``; ``unchanged``: made earlier, from the same source, with the same settings and networks;
        ``skipped``: exists and was to be left; ``failed``, for the reason in ``error``.
    seconds
        Of reading, computing and writing, without the waiting between them.
    quality, expected_seconds
        Tier that developed it, "none" where it needed no network; and, where time decided, what its networks
        were expected to take.
    bad_pixels, bad_known, bad_kinds
        Samples repaired; how many of these were known before (by a map, a list, the file itself); defects by
        kind, see `rawfix.physics.bad_kinds.KINDS`.
    lens_correction
        What was undone of the lens, in words; None for nothing.
    stops
        Why no further file can do better: "disk", "model", or "" where it can.
    """

    source: Path
    target: Path | None
    status: Status
    seconds: float = 0.0
    bad_pixels: int | None = None
    bad_known: int = 0
    bad_kinds: dict[str, int] | None = None
    models: tuple[str, ...] = ()
    wb: tuple[float, float, float] | None = None
    noise_source: str | None = None
    lens_correction: str | None = None
    camera: str = ""
    iso: float | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    quality: str | None = None
    expected_seconds: float | None = None
    stops: Literal["", "disk", "model"] = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "source": str(self.source),
            "target": None if self.target is None else str(self.target),
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "bad_pixels": self.bad_pixels,
            "bad_known": self.bad_known,
            "bad_kinds": self.bad_kinds,
            "models": list(self.models),
            "quality": self.quality,
            "expected_seconds": None if self.expected_seconds is None else round(self.expected_seconds, 3),
            "wb": None if self.wb is None else list(self.wb),
            "noise_model": self.noise_source,
            "lens_correction": self.lens_correction,
            "camera": self.camera,
            "iso": self.iso,
            "notes": list(self.notes),
            "error": self.error,
            "settings": self.settings,
        }


def settled(source: Path, target: Path, action: Action) -> Result:
    """The result where nothing is to be done."""
    if action.kind == "skip" or action.entry is None:
        return Result(source, target, "skipped")
    return Result(
        source, target, "unchanged",
        models=tuple(action.entry.models), camera=action.entry.camera, iso=action.entry.iso,
    )  # fmt: skip


def cause_of_death(name: str, code: int | None, *, bug: bool) -> str:
    """Why a worker ended while it held the file of that name, in a line."""
    if code == OVERLONG:
        return (
            f"{name}: decoding it took more than {READING_SECONDS:.0f} seconds of computing and was given up; "
            "the file is likely damaged: copy it again from its source"
        )
    if bug:
        return f"{name}: met a bug in rawfix; please report it with the traceback above"
    if code is not None and code < 0:
        kind = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        if kind == "SIGKILL":
            return f"{name}: its process was killed, likely for want of memory; use --max-memory or --jobs 1"
        return (
            f"{name}: the decoder crashed ({kind}); the file is likely damaged: copy it again from its source"
        )
    return f"{name}: its process ended unexpectedly (exit code {code}); try this file by itself"
