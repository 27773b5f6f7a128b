"""Which tier of the networks a frame gets, when time decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rawfix.batch.bench import planes_for
from rawfix.batch.speeds import circumstances, recall, remember
from rawfix.cfa import CANONICAL
from rawfix.frame import RawFrame
from rawfix.nn.manifest import Model, find_models
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

    tier: Tier | Literal["none"]
    seconds: float | None = None
    notes: tuple[str, ...] = ()

    def apply(self, settings: Settings) -> Settings:
        """The settings with this tier in place of ``auto``."""
        tier = "standard" if self.tier == "none" else self.tier
        return replace(settings, quality=tier, time_budget=None)


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
    if (tiers := _tiers_for(frame)) is None:
        needed = demosaic_model(frame, replace(settings, quality="standard", time_budget=None))
        return Choice("none" if needed is None else "standard")
    budget = settings.time_budget or DEFAULT_TIME_BUDGET
    expected: dict[Tier, float] = {}
    notes: tuple[str, ...] = ()
    for tier, model in tiers.items():
        expected[tier], said = expected_seconds(model, frame, settings)
        notes += said
        if expected[tier] <= budget:
            return Choice(tier, expected[tier], notes)
    tier = min(expected, key=lambda name: expected[name])
    note = f"no tier fits {budget:g} s: {tier} is the fastest, its networks are expected to take"
    return Choice(tier, expected[tier], (*notes, f"{note} {expected[tier]:.0f} s"))


def _tiers_for(frame: RawFrame) -> dict[Tier, Model] | None:
    """Demosaicing models of the frame's filter array by tier, best first; None where there are none."""
    kind = None if frame.cfa is None else frame.cfa.name
    found = {
        model.manifest.tier: model
        for model in find_models()
        if model.contract.task == "demosaic" and model.manifest.cfa == kind
    }
    return {tier: found[tier] for tier in BEST_FIRST if tier in found} or None


def expected_seconds(model: Model, frame: RawFrame, settings: Settings) -> tuple[float, tuple[str, ...]]:
    """Seconds the model is expected to take for the frame, remembered or measured now; and notes."""
    assert frame.cfa is not None
    canonical = CANONICAL[frame.cfa.name]
    here = circumstances(model, settings.provider, settings.threads)
    speed, notes = recall(here)
    if speed is None:
        planes = planes_for(model, (_SIDE, _SIDE), np.random.default_rng(0))
        speed = measure(
            model, planes, canonical.period, settings.provider, here.threads, runs=1, at_least=_ENOUGH
        )
        notes += remember(here, speed)
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    origin = frame.cfa.offset_to(canonical) or (0, 0)
    return predict(speed, model.manifest, shape, canonical.period, origin, settings.tile), notes
