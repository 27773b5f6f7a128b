"""How fast a network is here: measured, and what that predicts for a frame."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from rawfix.nn.manifest import Manifest, Model
from rawfix.nn.session import open_session
from rawfix.nn.tiles import Plane, covered_pixels, run_tiled


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured.

    Attributes
    ----------
    seconds
        Per megapixel that the network computed, halos included: so it holds for frames and tiles of any size.
    runs
        How many runs it is the median of.
    megapixels
        Size of the frame it was measured on.
    """

    seconds: float
    runs: int
    megapixels: float


def measure(
    model: Model,
    planes: Mapping[str, Plane],
    period: tuple[int, int],
    provider: str = "cpu",
    threads: int | None = None,
    *,
    runs: int = 5,
    at_least: float = 0.0,
) -> Speed:
    """Run a model over a frame, once to warm up and then to measure.

    Parameters
    ----------
    model
        From `find_model`.
    planes
        The contract's inputs, ``(H, W)`` or ``(H, W, C)`` float32. Give them real content: zeros and numbers
        too small to be normal take another time.
    period
        Of the CFA; ``(1, 1)`` for full-color planes.
    provider, threads
        As for `open_session`, which also says what is raised.
    runs, at_least
        Measured until there were so many runs and they took so many seconds together.
    """
    session = open_session(model, provider, threads)
    manifest = model.manifest
    height, width = next(iter(planes.values())).shape[:2]

    def run() -> float:
        started = time.perf_counter()
        run_tiled(
            session.run, planes, session.outputs,
            manifest.tile, manifest.halo, manifest.multiple, manifest.scale, period,
        )  # fmt: skip
        return time.perf_counter() - started

    run()
    seconds: list[float] = []
    while len(seconds) < runs or sum(seconds) < at_least:
        seconds.append(run())
    covered = covered_pixels((height, width), manifest.tile, manifest.halo, manifest.multiple, period)
    return Speed(median(seconds) / covered * 1e6, len(seconds), height * width / 1e6)


def predict(
    speed: Speed,
    manifest: Manifest,
    shape: tuple[int, int],
    period: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
    tile: int = 0,
) -> float:
    """Seconds a model of that speed takes for a frame; ``tile`` 0 is the model's own."""
    side = tile or manifest.tile
    return speed.seconds * covered_pixels(shape, side, manifest.halo, manifest.multiple, period, origin) / 1e6
