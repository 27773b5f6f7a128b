"""Features of a pretrained classifier, for perceptual losses and distances: training only, never shipped.

SqueezeNet 1.0 (Iandola, Han et al. 2016, arXiv:1602.07360) from an ``.npz`` of plain arrays; one interface, so that
another classifier can take its place: `rawfix.training.networks.vgg` is one. `rawfix.training.features` opens both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = ("fire3", "fire5", "fire7", "fire9")
_POOLED = frozenset(("fire2", "fire5", "fire9"))
"""Modules with a pooling layer ahead of them."""
_MEAN = (104.0, 117.0, 123.0)
"""Of blue, green, red in 0…255."""


class Classifier(nn.Module):
    """``(N, 3, H, W)`` sRGB pictures in 0…1 → features of four layers, coarser and coarser.

    Attributes
    ----------
    title
        What it is called.
    figure
        Name of its `distance` among measured figures.
    """

    title: str
    figure: str


class SqueezeNet(Classifier):
    """Features of `LAYERS`; raises ValueError for weights of another network."""

    title = "SqueezeNet"
    figure = "distance"
    mean: Tensor

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        parts = ("conv1x1_1", "conv1x1_2", "conv3x3_2")
        layers = ["conv1", *(f"fire{k}/{part}" for k in range(2, 10) for part in parts)]
        needed = {f"{layer}/{kind}" for layer in layers for kind in ("weight", "bias")}
        if missing := sorted(needed - set(weights)):
            raise ValueError(f"it lacks {missing[0]}")
        self.names = [f"fire{k}" for k in range(2, 10)]
        for key, array in weights.items():
            self.register_buffer(
                key.replace("/", "_"), torch.from_numpy(np.asarray(array, np.float32)), False
            )
        self.register_buffer("mean", torch.tensor(_MEAN)[None, :, None, None], False)

    @classmethod
    def load(cls, path: Path) -> SqueezeNet:
        """From an ``.npz`` with ``<layer>/weight`` and ``<layer>/bias``; raises `FileNotFoundError`."""
        with np.load(path) as found:
            return cls({key: found[key] for key in found.files})

    def _conv(self, x: Tensor, name: str, **options: int) -> Tensor:
        return F.relu(
            F.conv2d(x, self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias"), **options)
        )

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features, ``(N, C, h, w)`` each."""
        x = self._conv(picture.flip(1) * 255 - self.mean, "conv1", stride=2)
        found = []
        for name in self.names:
            if name in _POOLED:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            squeezed = self._conv(x, f"{name}_conv1x1_1")
            wide = self._conv(squeezed, f"{name}_conv3x3_2", padding=1)
            x = torch.cat((self._conv(squeezed, f"{name}_conv1x1_2"), wide), 1)
            if name in LAYERS:
                found.append(x)
        return found


def distance(first: list[Tensor], second: list[Tensor]) -> Tensor:
    """Channel-normalised squared feature difference, averaged over layers, ``(N,)``: of SqueezeNet's features,
    "SqueezeNet distance".
    """
    total = torch.zeros(first[0].shape[0])
    for a, b in zip(first, second, strict=True):
        difference = F.normalize(a, dim=1, eps=1e-6) - F.normalize(b, dim=1, eps=1e-6)
        total = total.to(a) + (difference**2).sum(1).mean((1, 2))
    return total / len(first)


def contextual(first: Tensor, second: Tensor, samples: int = 256, bandwidth: float = 0.5) -> Tensor:
    """Contextual loss of two feature maps (Mechrez et al. 2018, arXiv:1803.02077): a scalar, 0 where all match.

    Compared are ``samples`` positions, evenly spread, the same in both.
    """
    n, channels = first.shape[:2]
    mean = second.mean((0, 2, 3), keepdim=True)
    flat = [F.normalize((x - mean).reshape(n, channels, -1), dim=1, eps=1e-6) for x in (first, second)]
    count = flat[0].shape[2]
    index = torch.linspace(0, count - 1, min(samples, count), device=first.device).long()
    a, b = (x[:, :, index] for x in flat)
    far = (1 - torch.einsum("nci,ncj->nij", a, b)).clamp(min=0)
    relative = far / (far.min(2, keepdim=True).values + 1e-5)
    similar = torch.softmax((1 - relative) / bandwidth, 2)
    return -torch.log(similar.max(1).values.mean(1) + 1e-6).mean()
