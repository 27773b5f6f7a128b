"""The networks, one file each; `build` makes the one a config describes."""

from __future__ import annotations

from rawfix.training.config import NetworkConfig, RestoreConfig, UpscaleConfig
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.networks.restore import RestoreNetwork
from rawfix.training.networks.upscale import UpscaleNetwork

Network = DemosaicNetwork | RestoreNetwork | UpscaleNetwork


def build(config: NetworkConfig | RestoreConfig | UpscaleConfig) -> Network:
    """An untrained network."""
    if isinstance(config, NetworkConfig):
        return DemosaicNetwork(config)
    return RestoreNetwork(config) if isinstance(config, RestoreConfig) else UpscaleNetwork(config)
