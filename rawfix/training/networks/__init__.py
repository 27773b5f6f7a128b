"""The networks, one file each; `build` makes the one a config describes."""

from __future__ import annotations

from rawfix.training.config import NetworkConfig, RestoreConfig
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.networks.restore import RestoreNetwork

Network = DemosaicNetwork | RestoreNetwork


def build(config: NetworkConfig | RestoreConfig) -> Network:
    """An untrained network."""
    return DemosaicNetwork(config) if isinstance(config, NetworkConfig) else RestoreNetwork(config)
