"""The frozen demosaicers whose images restoration and super-resolution learn from, and are measured on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from rawfix.frame import Image
from rawfix.training.config import TrainConfig
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.weights import load_initial

Seen = Callable[[Image, float], Image]


def open_demosaicers(config: TrainConfig, device: str) -> list[DemosaicNetwork]:
    """The networks that a run's config names, on the device, frozen.

    Raises
    ------
    FileNotFoundError, rawfix.errors.ManifestError
        There is none, or it cannot be read.
    ValueError
        It demosaics no three colors, or patches do not fit its filter array.
    """
    return [_open(name, config.patch).to(device) for name in config.demosaic]


def _open(name: str, patch: int | None) -> DemosaicNetwork:
    network = load_initial(Path(name)).to_network()
    if not isinstance(network, DemosaicNetwork) or network.cfa.has_infrared:
        raise ValueError(
            f"--demosaic {name}: does not demosaic three colors; name a demosaicing model without infrared"
        )
    if patch is not None and patch % network.multiple:
        raise ValueError(
            f"--patch {patch}: {name} demosaics {network.cfa.name}; give a multiple of {network.multiple}"
        )
    return network.eval().requires_grad_(False)


def seen_through(model: Path, device: str) -> Seen:
    """What a demosaicing network makes of full-color light, by way of the mosaic that its sensor would record.

    The function takes linear light ``(H, W, 3)`` of any size and its grain, by which the noise's deviation is
    ``grain · √(light + 0.001)``, and returns the same shape.

    Raises as `open_demosaicers`.
    """
    network = _open(str(model), None).to(device)

    @torch.inference_mode()
    def seen(light: Image, grain: float) -> Image:
        height, width = light.shape[:2]
        more = ((0, -height % network.multiple), (0, -width % network.multiple))
        mosaic = network.cfa.mosaic(np.pad(light, (*more, (0, 0)), mode="symmetric"))
        sigma = np.float32(grain) * np.sqrt(np.maximum(mosaic, 0) + np.float32(1e-3)) + np.float32(1e-5)
        planes = [torch.from_numpy(p)[None, None].to(device) for p in (mosaic, sigma, np.zeros_like(mosaic))]
        found = network(*planes)[0][0, :, :height, :width]
        return np.ascontiguousarray(found.permute(1, 2, 0).cpu().numpy())

    return seen
