"""How a training run shows itself: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Reporter:
    """Progress on stderr; use as a context manager."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=self.console
        )
        self.task = self.bar.add_task("training", total=1.0)
        self.last = 0.0

    def __enter__(self) -> Reporter:
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def step(self, step: int, progress: float, losses: dict[str, float]) -> None:
        """Called after every step; prints at most every ten seconds off a terminal."""
        text = " ".join(f"{name} {value:.5f}" for name, value in losses.items())
        self.bar.update(self.task, completed=progress, description=f"step {step} {text}")
        if not self.console.is_terminal and time.monotonic() - self.last > 20:
            self.last = time.monotonic()
            self.console.print(f"step {step} {100 * progress:.1f} % {text}", highlight=False, soft_wrap=True)

    def validation(self, step: int, scores: dict[str, float]) -> None:
        """Called after every validation."""
        text = " ".join(f"{name} {value:.4g}" for name, value in scores.items())
        self.console.print(f"validation at {step}: {text}", highlight=False, soft_wrap=True)
