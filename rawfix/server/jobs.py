"""One job of the server, from its upload until its files are fetched."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rawfix.server.order import Order
from rawfix.server.refused import Refused
from rawfix.server.wire import State


@dataclass(eq=False, slots=True)
class Job:
    """One job; all but ``cancelled`` is touched by the event loop's thread alone.

    Attributes
    ----------
    folder
        Its own, deleted with it.
    order
        What it asks for.
    position
        How many are served before it; 0 is the next one, or one that waits no more.
    done, total
        Tiles.
    facts, refused
        What came of it.
    finished
        When, on the monotonic clock; 0 before.
    """

    folder: Path
    order: Order
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    state: State = "queued"
    position: int = 0
    done: int = 0
    total: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    refused: Refused | None = None
    finished: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "failed")

    def to_dict(self) -> dict[str, Any]:
        """Its state, for JSON."""
        return {
            "id": self.id,
            "name": self.order.named,
            "state": self.state,
            "position": self.position,
            "tiles": {"done": self.done, "total": self.total},
            "result": self.facts or None,
            "error": None if self.refused is None else self.refused.to_dict()["error"],
        }

    def tell(self) -> None:
        """Wake those who watch it."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def finish(self, outcome: dict[str, Any] | Refused) -> None:
        """It is over, well or not."""
        self.finished = time.monotonic()
        if isinstance(outcome, Refused):
            self.state, self.refused = "failed", outcome
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.state, self.facts = "done", outcome
            with suppress(OSError):
                self.order.parts["raw"].unlink()
        self.tell()

    async def changes(self, heartbeat: float) -> AsyncIterator[bool]:
        """Whether it has changed since the last time: True at once, then at each change and each heartbeat."""
        yield True
        while not self.is_over:
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), heartbeat)
                yield True
            except TimeoutError:
                yield False
