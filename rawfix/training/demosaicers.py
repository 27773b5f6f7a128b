"""The frozen demosaicers whose images restoration and super-resolution learn from."""

from __future__ import annotations

from pathlib import Path

from rawfix.training.config import TrainConfig
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.weights import load_initial


def open_demosaicers(config: TrainConfig, device: str) -> list[DemosaicNetwork]:
    """The networks that a run's config names, on the device, frozen.

    Raises
    ------
    FileNotFoundError, rawfix.errors.ManifestError
        There is none, or it cannot be read.
    ValueError
        It demosaics no three colors, or patches do not fit its filter array.
    """
    found = []
    for name in config.demosaic:
        network = load_initial(Path(name)).to_network()
        if not isinstance(network, DemosaicNetwork) or network.cfa.has_infrared:
            raise ValueError(
                f"--demosaic {name}: does not demosaic three colors; name a demosaicing model without infrared"
            )
        if config.patch % network.multiple:
            raise ValueError(
                f"--patch {config.patch}: {name} demosaics {network.cfa.name}; give a multiple of {network.multiple}"
            )
        found.append(network.eval().to(device).requires_grad_(False))
    return found
