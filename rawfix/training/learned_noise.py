"""How a trained noise generator joins a task's training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rawfix.training.config import TrainConfig
from rawfix.training.noise_generator import CameraNoise, load_noise


def open_for(config: TrainConfig, family: str) -> CameraNoise | None:
    """The generator that a run of this filter array names, or None; raises ValueError for that of another array."""
    if not config.noise_generator:
        return None
    found = load_noise(Path(config.noise_generator))
    if found.family != family:
        raise ValueError(
            f"{config.noise_generator}: its bursts are {found.family}, this run is {family}; leave out --noise"
        )
    return found


def maybe(noise: CameraNoise | None, share: float, rng: np.random.Generator) -> CameraNoise | None:
    """The generator in that share of the draws; draws nothing where there is none."""
    return noise if noise is not None and rng.random() < share else None
