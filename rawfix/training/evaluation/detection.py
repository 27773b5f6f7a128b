"""Which defects are found: by kind, by strength, and what is taken for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.physics.defects import Defects, mark, plant
from rawfix.training.evaluation.protocol import (
    Photo,
    expose,
    generator,
    grain,
    inside,
    sigma,
    to_light,
)
from rawfix.training.evaluation.verdicts import sort_verdicts, touching
from rawfix.training.evaluation.whole import Demosaicer

Bool = NDArray[np.bool_]
ISO = 100.0
MIXED = Defects(probability=5e-4, clusters=60.0, lines=1.0)
CURRENT = 5e-4
"""Share of samples with dark current: an offset, log-uniform from 1 % to all of white."""
WHITE_BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 1.01)
SIGMA_BINS = (0.0, 6.0, 12.0, 25.0, 50.0, 100.0, np.inf)
WARM, HOT = (0.02, 0.10), (0.25, 1.01)
"""Dark current, of white, from which on a pixel is called warm, and hot."""
SIGMAS, LEAST = 6.0, 0.02
"""A defect is strong where it changes its sample by more than so many sigma and so much of white together."""
PLANTED = (
    f"noise of ISO {ISO:.0f}; a megapixel has {1e6 * MIXED.probability:.0f} mixed points, {MIXED.clusters:.0f} "
    f"clusters and {1e6 * CURRENT:.0f} pixels of dark current (1–100 % of white), "
    f"a frame {MIXED.lines:.0f} line on average; strong means changed by more than "
    f"{SIGMAS:.0f} σ + {100 * LEAST:.0f} % of white"
)
"""What was planted, for the card."""


@dataclass(slots=True)
class Tally:
    """Sums over pictures: planted and found, by label; false alarms and pixels, by condition; flagged and of these
    planted, by the kind that they look like.
    """

    planted: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    alarms: dict[str, int] = field(default_factory=dict)
    pixels: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)

    def add(self, label: str, which: Bool, found: Bool) -> None:
        """Count the defects of one label."""
        self.planted[label] = self.planted.get(label, 0) + int(which.sum())
        self.found[label] = self.found.get(label, 0) + int((which & found).sum())

    def verdict(self, kind: str, flagged: Bool, planted: Bool) -> None:
        """Count what was flagged and looks like one kind, and how much of it was planted, as whatever kind."""
        self.flagged[kind] = self.flagged.get(kind, 0) + int(flagged.sum())
        self.hits[kind] = self.hits.get(kind, 0) + int((flagged & planted).sum())

    def alarm(self, condition: str, count: int, pixels: int) -> None:
        """Count what was taken for a defect on a clean mosaic."""
        self.alarms[condition] = self.alarms.get(condition, 0) + count
        self.pixels[condition] = self.pixels.get(condition, 0) + pixels

    def figures(self) -> dict[str, dict[str, float]]:
        """Recall of every label that was planted, precision of every kind that was flagged, the counts of both, false
        alarms per megapixel.
        """
        return {
            "recall": {k: self.found[k] / n for k, n in self.planted.items() if n},
            "planted": {k: float(n) for k, n in self.planted.items() if n},
            "precision": {k: self.hits[k] / n for k, n in self.flagged.items() if n},
            "flagged": {k: float(n) for k, n in self.flagged.items() if n},
            "false_alarms_per_mp": {k: 1e6 * n / self.pixels[k] for k, n in self.alarms.items()},
        }


def between(values: Image, low: float, high: float) -> Bool:
    """``low ≤ values < high``."""
    return (values >= low) & (values < high)


def _blocks(points: Bool) -> Bool:
    """Which points belong to a full square of 2×2."""
    full = points[:-1, :-1] & points[1:, :-1] & points[:-1, 1:] & points[1:, 1:]
    belongs = np.zeros(points.shape, bool)
    for y in (0, 1):
        for x in (0, 1):
            belongs[y : y + full.shape[0], x : x + full.shape[1]] |= full
    return belongs


def _label(unit: str, low: float, high: float, last: float) -> str:
    """``white 2–5 %``, ``sigma 100 and more``."""
    scale, sign = (100, " %") if unit == "white" else (1, "")
    span = (
        f"{scale * low:.0f}{sign} and more" if high == last else f"{scale * low:.0f}–{scale * high:.0f}{sign}"
    )
    return f"{unit} {span}"


def tally(network: Demosaicer, name: str, photo: Photo, total: Tally) -> None:
    """Plant all kinds in the noisy mosaic of one picture, and count what the network says."""
    clean = expose(to_light(photo), network.cfa)
    noisy = np.minimum(clean + grain(clean, ISO, generator(name, "grain")), 1)
    _, quiet = network(noisy, ISO)
    total.alarm(f"ISO {ISO:.0f}", int(inside(quiet).sum()), inside(quiet).size)

    # The same draws twice: plant tells where, mark tells which are lines.
    shape = (noisy.shape[0], noisy.shape[1])
    points, lines = mark(shape, MIXED, generator(name, "detection"))
    observed, bad = plant(noisy, MIXED, generator(name, "detection"))
    if not np.array_equal(bad, points | lines):
        raise AssertionError("plant and mark draw differently")
    rng = generator(name, "current")
    current = (rng.random(shape) < CURRENT) & ~bad
    offset = np.where(current, np.exp(rng.uniform(np.log(0.01), 0, shape)), 0).astype(np.float32)
    observed = np.where(current, np.minimum(observed + offset, 1), observed).astype(np.float32)
    _, found = network(observed, ISO)

    change = np.abs(observed - noisy)
    deviation = sigma(clean, ISO)
    everything = bad | current
    strong = everything & (change > SIGMAS * deviation + LEAST)
    clusters = touching(points) & ~lines
    rise = np.where(current, observed - noisy, 0)
    labels = {
        "single": points & ~clusters & ~lines & strong,
        "cluster": clusters & strong,
        "block": _blocks(points) & ~lines & strong,
        "line": lines & strong,
        "warm": current & between(rise, *WARM),
        "hot": current & between(rise, *HOT),
        "strong": strong,
    }
    singles = everything & ~lines & ~clusters
    for unit, values, bins in (
        ("white", change, WHITE_BINS),
        ("sigma", change / deviation, SIGMA_BINS),
    ):
        for low, high in pairwise(bins):
            labels[_label(unit, low, high, bins[-1])] = singles & between(values, low, high)
    for label, which in labels.items():
        total.add(label, inside(which), inside(found))
    verdicts = {"all": found} | sort_verdicts(observed, found, network.cfa, ISO)
    for kind, flagged in verdicts.items():
        total.verdict(kind, inside(flagged), inside(everything))
