"""How a run goes, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """How a run went: files by status, and why it stopped early, if it did."""

    total: int
    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def failed(self) -> int:
        """Files that failed."""
        return self.counts["failed"]

    @property
    def left(self) -> int:
        """Files not reached, or begun and dropped, because the run was stopped."""
        return self.total - self.counts.total()
