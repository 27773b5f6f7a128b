"""Which tier of the networks a frame gets, when time decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rawfix.batch.bench import planes_for
from rawfix.batch.speeds import circumstances, recall, remember
from rawfix.cfa import CANONICAL
from rawfix.frame import RawFrame
from rawfix.nn.manifest import Model, tiers
from rawfix.nn.measure import measure, predict
from rawfix.pipeline import demosaic_model
from rawfix.settings import DEFAULT_TIME_BUDGET, Settings, Tier

BEST_FIRST: tuple[Tier, ...] = ("best", "standard", "fast")
_SIDE = 256
_ENOUGH = 0.5
"""A tile of this side, run until so many seconds have passed: calibrating takes about a second a model."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A tier and why.

    Attributes
    ----------
    tier
        The tier to develop with; "none" for a frame that needs no network.
    seconds
        What the network is expected to take; None where nobody asked for a budget.
    notes
        What the user should know about it.
    """

    tier: Tier | Literal["auto", "none"]
    seconds: float | None = None
    notes: tuple[str, ...] = ()

    def apply(self, settings: Settings) -> Settings:
        """The settings with this tier in place of ``auto``."""
        if settings.quality != "auto":
            return settings
        if self.tier == "auto" or self.tier == "none":
            return _with_tier(settings, "standard")
        return _with_tier(settings, self.tier)


def choose_tier(frame: RawFrame, settings: Settings) -> Choice:
    """The tier the settings name, or for ``auto`` the best whose predicted time for this frame fits the budget.

    Speeds that are not remembered are measured, best tier first, and only as many as the choice needs.

    Raises
    ------
    UnsupportedRawError, ModelError
        No tier is installed for the frame's filter array, or a model cannot run.
    """
    if settings.quality != "auto":
        return Choice(settings.quality)
    installed = [] if frame.cfa is None else tiers("demosaic", frame.cfa.name)
    candidates = [tier for tier in BEST_FIRST if tier in installed]
    if not candidates:
        needed = demosaic_model(frame, _with_tier(settings, "standard"))
        return Choice("none" if needed is None else "standard")
    budget = settings.time_budget or DEFAULT_TIME_BUDGET
    expected: dict[Tier, float] = {}
    notes: tuple[str, ...] = ()
    for tier in candidates:
        model = demosaic_model(frame, _with_tier(settings, tier))
        assert model is not None
        expected[tier], said = expected_seconds(model, frame, settings)
        notes += said
        if expected[tier] <= budget:
            return Choice(tier, expected[tier], notes)
    fastest = min(candidates, key=lambda tier: expected[tier])
    note = (
        f"no tier fits {budget:g} s: {fastest} is the fastest, its networks are expected to take "
        f"{expected[fastest]:.3g} s"
    )
    return Choice(fastest, expected[fastest], (*notes, note))


def expected_seconds(model: Model, frame: RawFrame, settings: Settings) -> tuple[float, tuple[str, ...]]:
    """Seconds the model is expected to take for the frame, by its speed remembered or measured now; and notes."""
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    assert frame.cfa is not None
    canonical = frame.cfa.to_canonical(shape)
    assert canonical is not None
    family, symmetry, origin = canonical
    period = CANONICAL[family].period
    here = circumstances(model, settings.provider, settings.threads)
    speed, notes = recall(here)
    if speed is None:
        planes = planes_for(model, (_SIDE, _SIDE), np.random.default_rng(0))
        speed = measure(model, planes, period, here.provider, here.threads, runs=1, at_least=_ENOUGH)
        notes += remember(here, speed)
    return predict(speed, model.manifest, symmetry.shape(shape), period, origin, settings.tile), notes


def _with_tier(settings: Settings, tier: Tier) -> Settings:
    return replace(settings, quality=tier, time_budget=None)
