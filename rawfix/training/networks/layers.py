"""Layers that several networks share."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.1


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps size (at stride 1), He-initialised."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, LEAK, nonlinearity="leaky_relu")
    nn.init.zeros_(layer.bias)
    return layer


def activate(x: Tensor) -> Tensor:
    """Leaky rectifier. Plain ones die here: corrections are a hundredth of the light that the networks start from,
    and the first steps, which shrink every feature to that, leave whole levels of a U-Net below zero for good.
    """
    return F.leaky_relu(x, LEAK)
