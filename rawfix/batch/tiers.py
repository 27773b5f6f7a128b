"""Which tier of the networks a frame gets, when time decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rawfix.batch.bench import planes_for
from rawfix.batch.speeds import circumstances, recall, remember
from rawfix.demosaicing import demosaic_model
from rawfix.frame import RawFrame
from rawfix.nn.manifest import Model, nearest_model
from rawfix.nn.measure import measure, predict
from rawfix.restoration import SPACE, TASK, needs_network, phase_of
from rawfix.settings import DEFAULT_TIME_BUDGET, Settings, Tier
from rawfix.symmetry import Symmetry
from rawfix.upscaling import upscale_model

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
        What the networks are expected to take; None where nobody asked for a budget.
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


def choose_tier(frame: RawFrame, settings: Settings, every: bool = False) -> Choice:
    """The tier the settings name, or for ``auto`` the best whose predicted time for this frame fits the budget.

    All networks count that the settings need: demosaicing, restoration, enlarging. Speeds that are not remembered are
    measured, best tier first, and only as many as the choice needs.

    Parameters
    ----------
    frame, settings
        What is to be developed.
    every
        Whether maps are to be found whatever the strengths.

    Raises
    ------
    UnsupportedRawError, ModelError
        No tier is installed for the frame's filter array or for a task, or a model cannot run.
    """
    if settings.quality != "auto":
        return Choice(settings.quality)
    needed = {tier: _networks(frame, _with_tier(settings, tier), every) for tier in BEST_FIRST}
    if not any(needed.values()):
        return Choice("none")
    budget = settings.time_budget or DEFAULT_TIME_BUDGET
    expected: dict[Tier, float] = {}
    notes: tuple[str, ...] = ()
    for tier, models in needed.items():
        if tier not in {model.manifest.tier for model in models}:
            continue  # others would stand in for all of them
        expected[tier] = 0.0
        for model in models:
            seconds, said = expected_seconds(model, frame, settings)
            expected[tier] += seconds
            notes += tuple(note for note in said if note not in notes)
        if expected[tier] <= budget:
            return Choice(tier, expected[tier], notes)
    fastest = min(expected, key=lambda tier: expected[tier])
    note = (
        f"no tier fits {budget:g} s: {fastest} is the fastest, its networks are expected to take "
        f"{expected[fastest]:.3g} s"
    )
    return Choice(fastest, expected[fastest], (*notes, note))


def expected_seconds(model: Model, frame: RawFrame, settings: Settings) -> tuple[float, tuple[str, ...]]:
    """Seconds the model is expected to take for the frame, by its speed remembered or measured now; and notes."""
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    enlarges = model.manifest.scale != 1
    symmetry, origin, period = (Symmetry(), (0, 0), (1, 1)) if enlarges else phase_of(frame, shape)
    here = circumstances(model, settings.provider, settings.threads)
    speed, notes = recall(here)
    if speed is None:
        planes = planes_for(model, (_SIDE, _SIDE), np.random.default_rng(0))
        speed = measure(model, planes, period, here.provider, here.threads, runs=1, at_least=_ENOUGH)
        notes += remember(here, speed)
    return predict(speed, model.manifest, symmetry.shape(shape), period, origin, settings.tile), notes


def _networks(frame: RawFrame, settings: Settings, every: bool) -> list[Model]:
    """The networks that a frame needs, of the nearest tiers installed."""
    mosaic = demosaic_model(frame, settings)
    models = [] if mosaic is None else [mosaic]
    if every or needs_network(settings):
        models.append(nearest_model(TASK, SPACE, settings.quality))
    if settings.upscale != 1:
        models.append(upscale_model(settings.upscale, settings.quality))
    return models


def _with_tier(settings: Settings, tier: Tier) -> Settings:
    return replace(settings, quality=tier, time_budget=None)
