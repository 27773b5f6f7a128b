"""What a training run is: one frozen dataclass, stored in its checkpoint and in the model's manifest."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Shape of a demosaicing network; see `rawfix.training.networks.demosaic`."""

    cfa: str = "bayer"
    widths: tuple[int, ...] = (32, 56, 72)
    blocks: tuple[int, ...] = (1, 2, 2, 1, 1)
    demosaicers: int = 8
    bank_kernel: int = 5
    verdict_width: int = 16


@dataclass(frozen=True, slots=True)
class RestoreConfig:
    """Shape of a restoration network; see `rawfix.training.networks.restore`.

    ``trunks`` is 1 for one network with two heads, 2 for a network for each map.
    """

    widths: tuple[int, ...] = (32, 56, 96)
    trunks: int = 1


@dataclass(frozen=True, slots=True)
class UpscaleConfig:
    """Shape of a super-resolution generator; see `rawfix.training.networks.upscale`.

    ``rounds`` of back-projection in the first and in the second doubling, which share them; ``layers`` of
    convolution at the low resolution of each.
    """

    scale: int = 2
    width: int = 40
    rounds: tuple[int, int] = (2, 2)
    layers: int = 2


NETWORKS: dict[tuple[str, str], NetworkConfig] = {
    ("bayer", "fast"): NetworkConfig(
        widths=(16, 24, 32), demosaicers=4, blocks=(1, 1, 2, 1, 1), verdict_width=8
    ),
    ("bayer", "standard"): NetworkConfig(),
    ("bayer", "best"): NetworkConfig(widths=(88, 104, 112), blocks=(2, 2, 2, 2, 2)),
    ("quad", "standard"): NetworkConfig("quad", demosaicers=6, bank_kernel=3, blocks=(1, 1, 2, 1, 1)),
    ("nona", "standard"): NetworkConfig(
        "nona", demosaicers=4, bank_kernel=3, blocks=(1, 1, 1, 1, 1), verdict_width=8
    ),
    ("xtrans", "fast"): NetworkConfig(
        "xtrans", widths=(16, 16, 16), demosaicers=1, bank_kernel=3, blocks=(1, 1, 1, 1, 1), verdict_width=8
    ),
    ("xtrans", "standard"): NetworkConfig(
        "xtrans", demosaicers=4, bank_kernel=3, blocks=(1, 1, 1, 1, 1), verdict_width=8
    ),
    ("rgbir2", "standard"): NetworkConfig("rgbir2", demosaicers=6),
    ("rgbir4", "standard"): NetworkConfig("rgbir4", demosaicers=3, bank_kernel=3, blocks=(1, 1, 2, 1, 1)),
}
"""What demosaics each filter array, by tier."""

RESTORERS: dict[str, RestoreConfig] = {
    "fast": RestoreConfig((16, 24, 32)),
    "standard": RestoreConfig(),
    "best": RestoreConfig((96, 88, 80)),
}
"""What restores camera images, by tier."""

UPSCALERS: dict[str, UpscaleConfig] = {
    "fast": UpscaleConfig(width=24, rounds=(2, 1)),
    "standard": UpscaleConfig(),
}
"""What raises resolution, by tier; either scale."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run.

    ``minutes`` is the length of the run, in minutes spent training (resumed time counts on); the learning
    rate follows a cosine over it, so that a run fits its budget on any machine. ``steps``, where positive,
    ends the run by step count instead. ``quiet`` is the share of patches without noise, ``natural`` that of
    patches whose colors no camera matrix changes, ``hard`` that of demosaicing's patches drawn where linear
    demosaicing errs most. ``optimizer`` is one of `rawfix.training.optimizer.KINDS`, Adam
    in runs that do not say. ``demosaic`` names the models
    whose camera images a restoration or super-resolution network learns from, each drawn as often as it is named;
    ``features`` is the classifier of a perceptual loss, which joins after ``warm_steps`` steps, the adversarial loss
    after twice as many.
    ``noise_generator`` names the checkpoint of a camera's noise generator, which draws the noise of the share
    ``generated`` of the noisy patches.
    """

    task: str = "demosaic"
    tier: str = "standard"
    seed: int = 1
    minutes: float = 120.0
    steps: int = 0
    batch: int = 8
    patch: int = 96
    border: int = 4
    quiet: float = 0.6
    natural: float = 0.5
    hard: float = 0.25
    learning_rate: float = 1.2e-3
    optimizer: str = "adam"
    warmup: float = 0.01
    ema: float = 0.999
    lambda_mean: float = 1.0
    lambda_focal: float = 20.0
    lambda_variation: float = 0.1
    lambda_detect: float = 0.15
    lambda_exposure: float = 0.2
    validate_minutes: float = 6.0
    checkpoint_minutes: float = 3.0
    lambda_reconstruction: float = 10.0
    lambda_perceptual: float = 0.1
    lambda_adversarial: float = 0.008
    warm_steps: int = 4000
    demosaic: tuple[str, ...] = ()
    features: str = ""
    noise_generator: str = ""
    generated: float = 0.5
    network: NetworkConfig | RestoreConfig | UpscaleConfig = field(default_factory=NetworkConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Inverse of `to_dict`; an unknown key raises `TypeError`."""
        kinds: dict[str, Any] = {"restore": RestoreConfig, "upscale": UpscaleConfig}
        kind = kinds.get(values.get("task", ""), NetworkConfig)
        network = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.get("network", {}).items()
        }
        demosaic = values.get("demosaic") or ()
        demosaic = (demosaic,) if isinstance(demosaic, str) else tuple(demosaic)
        return cls(**{**values, "network": kind(**network), "demosaic": demosaic})
