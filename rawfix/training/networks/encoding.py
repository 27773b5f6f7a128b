"""The perceptual encoding that networks work in: light is linear outside of them."""

from __future__ import annotations

import torch
from torch import Tensor

from rawfix.training.linear import PERCEPTUAL_OFFSET


def encode(linear: Tensor) -> Tensor:
    """Odd square-root curve, slope of sRGB in the dark: ``sign(x)·(√(|x| + a) − √a)``, without the signs."""
    return linear / (torch.sqrt(torch.abs(linear) + PERCEPTUAL_OFFSET) + PERCEPTUAL_OFFSET**0.5)


def decode(encoded: Tensor) -> Tensor:
    """Inverse of `encode`."""
    return encoded * (torch.abs(encoded) + 2 * PERCEPTUAL_OFFSET**0.5)
