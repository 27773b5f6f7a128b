"""Whether a network leaves the sensor's noise and the picture's exposure alone."""

from __future__ import annotations

import numpy as np
import torch

from rawfix.cfa import CANONICAL
from rawfix.frame import Image
from rawfix.training.config import TrainConfig
from rawfix.training.data import Photos
from rawfix.training.demosaic import DemosaicTask, demosaic_config
from rawfix.training.evaluation.protocol import (
    EXPOSURE,
    Photo,
    expose,
    generator,
    grain,
    inside,
    multipliers,
    shown,
    to_light,
)
from rawfix.training.evaluation.texture import texture_kept
from rawfix.training.evaluation.whole import Demosaicer

ISOS = (400.0, 1600.0, 6400.0, 25600.0)
GRAYS, GRAY_ISOS = (0.02, 0.18, 0.6), (100.0, 1600.0, 25600.0)
SIDE = 384
"""Side of the pictures' central crops and of the gray fields."""


class LinearGrain:
    """What a least-squares linear demosaic of these pictures makes of noise: the yardstick."""

    def __init__(self, config: TrainConfig, photos: list[tuple[str, Photo]]) -> None:
        few = tuple(photos)
        self.linear = DemosaicTask(config, Photos(few, few), "cpu").linear.cpu()
        self.multiple = 8 * CANONICAL[demosaic_config(config).cfa].period[0]

    @torch.inference_mode()
    def __call__(self, noise: Image) -> Image:
        """White-balanced noise of a mosaic ``(H, W)``, sides multiples of the period → ``(H, W, C)``."""
        spread = self.linear(torch.from_numpy(np.asarray(noise, np.float32))[None, None])
        return np.asarray(spread[0].permute(1, 2, 0).numpy())


def _central(photo: Photo, multiple: int) -> Photo:
    height, width = (min(side, SIDE) // multiple * multiple for side in photo.shape[:2])
    y, x = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    return photo[y : y + height, x : x + width]


def transparency(
    network: Demosaicer, linear: LinearGrain, photos: list[tuple[str, Photo]]
) -> dict[str, dict[str, float]]:
    """Per speed: how much of the linear demosaic's noise is there, and how much texture under it.

    ``deviation`` is that of the noise in the network's picture over that of the same noise demosaiced linearly: 1
    where grain passes untouched, less where it is smoothed. ``correlation`` is between the two. Both over all
    channels in linear light. ``false_alarms_per_mp`` counts grain that was taken for a defect.
    """
    sums: dict[str, dict[str, list[float]]] = {}
    for name, whole in photos:
        truth = _central(whole, linear.multiple)
        plane = expose(to_light(truth), network.cfa)
        gain = multipliers(network.cfa, plane.shape)
        still, _ = network(plane)
        for iso in ISOS:
            noise = grain(plane, iso, generator(name, iso))
            noisy, found = network(plane + noise, iso)
            here, there = inside(noisy - still), inside(linear(noise * gain))
            row = {
                "deviation": float(here.std() / there.std()),
                "correlation": float(np.corrcoef(here.ravel(), there.ravel())[0, 1]),
                "texture_kept": texture_kept(shown(noisy), truth),
                "false_alarms_per_mp": 1e6 * float(inside(found).mean()),
            }
            for figure, value in row.items():
                sums.setdefault(f"ISO {iso:.0f}", {}).setdefault(figure, []).append(value)
    return {
        iso: {figure: float(np.nanmean(values)) for figure, values in figures.items()}
        for iso, figures in sums.items()
    }


def gray_shift(network: Demosaicer) -> dict[str, float]:
    """Per speed: the greatest shift of a gray field's mean, of white, over channels and three levels.

    A shift is told from that of the field's own noise by the field's measured samples: only the estimated ones
    can move.
    """
    side = SIDE // network.step * network.step
    shifts = {}
    for iso in GRAY_ISOS:
        worst = 0.0
        for level in GRAYS:
            light = np.full((side, side, 3), level * EXPOSURE, np.float32)
            plane = expose(light, network.cfa)
            camera, _ = network(plane + grain(plane, iso, generator("gray", level, iso)), iso)
            mean = inside(camera[..., :3]).astype(np.float64).mean((0, 1)) / EXPOSURE
            worst = max(worst, float(np.abs(mean - level).max()))
        shifts[f"ISO {iso:.0f}"] = worst
    return shifts
