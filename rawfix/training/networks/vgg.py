"""VGG-19 (Simonyan and Zisserman 2014, arXiv:1409.1556) from the weights that torchvision publishes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from rawfix.training.networks.perceptual import Classifier

PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
"""Of the convolutions in torchvision's ``features``; where two are three apart, a pooling layer lies between."""
LAYERS = (7, 12, 21, 30)
"""Those that are looked at: the second of the blocks 2 to 5, conv3_2 and conv4_2 as in arXiv:1803.02077 among them."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of red, green, blue in 0…1."""


class Vgg19(Classifier):
    """Features of `LAYERS`, rectified; raises ValueError for weights of another network."""

    title = "VGG-19"
    figure = "distance_vgg19"
    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        _check(weights)
        for place in PLACES[: PLACES.index(LAYERS[-1]) + 1]:
            for part in ("weight", "bias"):
                self.register_buffer(f"{part}_{place}", weights[f"features.{place}.{part}"].float(), False)
        for name, values in (("mean", _MEAN), ("deviation", _DEVIATION)):
            self.register_buffer(name, torch.tensor(values)[None, :, None, None], False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features, ``(N, C, h, w)`` each."""
        x = (picture - self.mean) / self.deviation
        found = []
        for place, following in pairwise(PLACES):
            weight, bias = self.get_buffer(f"weight_{place}"), self.get_buffer(f"bias_{place}")
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
            if place in LAYERS:
                found.append(x)
            if place == LAYERS[-1]:
                break
            if following - place == 3:
                x = F.max_pool2d(x, 2)
        return found


def _check(weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the weights are laid out as VGG-19's."""
    places = sorted(
        int(name.split(".")[1])
        for name in weights
        if name.startswith("features.") and name.endswith(".weight")
    )
    if tuple(places) != PLACES:
        raise ValueError(f"its convolutions lie at {places}, those of VGG-19 at {list(PLACES)}")
    channels = 3
    for place in PLACES:
        weight, bias = weights[f"features.{place}.weight"], weights.get(f"features.{place}.bias")
        if weight.shape[1:] != (channels, 3, 3) or bias is None or bias.shape != weight.shape[:1]:
            raise ValueError(f"features.{place} is no convolution of {channels} channels by 3×3 with a bias")
        channels = weight.shape[0]
