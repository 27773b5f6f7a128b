"""The restoration network: what of a camera image is noise, and what is blur.

A U-shape whose stages are dense-residual submodules, after US 12,394,023 B2, on the image packed 2×2. It predicts
residual maps, observed − ideal, each in the unit that keeps it honest: noise in deviations of the noise model (so
that where there is none, none is found), blur in steps of the perceptual encoding.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.training.config import RestoreConfig
from rawfix.training.linear import PERCEPTUAL_OFFSET
from rawfix.training.networks.encoding import encode
from rawfix.training.networks.layers import activate, conv
from rawfix.training.networks.packing import shuffle, unshuffle

BLUR_UNIT = 4.0
"""Steps of the encoding a unit of the last layer stands for: in single ones blur is learnt four times as slowly."""


SURROUNDINGS = 9
"""Side of the square whose mean is what a pixel departs from."""
MOST_DEVIATIONS = 4.0
"""What departs by more is no noise; how much more says nothing."""
LEAST_SIGMA = 1e-6


class DenseResidual(nn.Module):
    """Three 3×3 convolutions, each fed by all before it by joining, a 1×1 that fuses, an addition of the input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.first = conv(width, growth)
        self.second = conv(width + growth, growth)
        self.third = conv(width + 2 * growth, growth)
        self.fuse = conv(width + 3 * growth, width, 1)
        nn.init.zeros_(self.fuse.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        joined = torch.cat((x, activate(self.first(x))), 1)
        joined = torch.cat((joined, activate(self.second(joined))), 1)
        joined = torch.cat((joined, activate(self.third(joined))), 1)
        return x + self.fuse(joined)


class Trunk(nn.Module):
    """The U-shape: strided convolutions down, additions from encoder to decoder, no normalisation, bounded reach."""

    def __init__(self, inputs: int, outputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.head = conv(inputs, widths[0])
        self.encoders = nn.ModuleList(DenseResidual(w, w // 2) for w in widths)
        self.downs = nn.ModuleList(conv(upper, lower, stride=2) for upper, lower in pairs)
        self.ups = nn.ModuleList(conv(lower, 4 * upper, 1) for upper, lower in pairs)
        self.decoders = nn.ModuleList(DenseResidual(w, w // 2) for w in widths[:-1])
        self.tail = conv(widths[0], outputs)
        nn.init.zeros_(self.tail.weight)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, h, w)`` → ``(N, outputs, h, w)``."""
        x = activate(self.head(x))
        skips = []
        for encoder, down in zip(self.encoders[:-1], self.downs, strict=True):
            skips.append(encoder(x))
            x = activate(down(skips[-1]))
        x = self.encoders[-1](x)
        for decoder, up, skip in reversed(list(zip(self.decoders, self.ups, skips, strict=True))):
            x = decoder(skip + shuffle(up(x), 2))
        return self.tail(x)


class RestoreNetwork(nn.Module):
    """Contract ``restore-v1``: one trunk with two heads, or a trunk for each map."""

    inputs = (("camera", 3), ("sigma", 3))
    outputs = ("noise_map", "blur_map")
    scale = 1
    linear_layers = ()
    ends = ("tail",)

    def __init__(self, config: RestoreConfig) -> None:
        super().__init__()
        self.multiple = 2 ** len(config.widths)
        self.trunks = nn.ModuleList(
            Trunk(25, 24 // config.trunks, config.widths) for _ in range(config.trunks)
        )

    def forward(self, camera: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Both ``(N, 3, H, W)`` → ``noise_map``, ``blur_map``, the same shape, linear light."""
        slope = torch.sqrt(torch.abs(camera) + PERCEPTUAL_OFFSET)
        level = F.avg_pool2d((sigma / slope).mean(1, keepdim=True), 2)
        planes = (unshuffle(plane, 2) for plane in (encode(camera), deviations(camera, sigma)))
        seen = torch.cat((*planes, level), 1)
        maps = torch.cat([trunk(seen) for trunk in self.trunks], 1)
        noise, blur = (shuffle(m, 2) for m in torch.split(maps, 12, 1))
        return noise * sigma, blur * (BLUR_UNIT * slope)

    def deliver(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The contract's outputs."""
        return outputs


def deviations(camera: Tensor, sigma: Tensor) -> Tensor:
    """How pixels depart from the mean around them, in deviations of noise, halved and bounded: ``(N, 3, H, W)``."""
    around = camera
    for side in ((1, SURROUNDINGS), (SURROUNDINGS, 1)):
        padding = (side[0] // 2, side[1] // 2)
        around = F.avg_pool2d(around, side, stride=1, padding=padding, count_include_pad=False)
    found = (camera - around) / sigma.clamp(min=LEAST_SIGMA)
    return 0.5 * found.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
