"""Making small pictures of large ones: the bicubic protocol of the literature, and what a sensor does."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bicubic_taps(scale: int) -> Tensor:
    """Keys' cubic (a = −0.5) widened by ``scale``, as MATLAB's imresize does: ``(4·scale,)``, sum 1."""
    distance = (torch.arange(4 * scale, dtype=torch.float64) - (4 * scale - 1) / 2).abs() / scale
    inner = 1.5 * distance**3 - 2.5 * distance**2 + 1
    outer = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    taps = torch.where(distance < 1, inner, torch.where(distance < 2, outer, torch.zeros_like(distance)))
    return (taps / taps.sum()).float()


def shrink_bicubic(image: Tensor, scale: int) -> Tensor:
    """``(N, C, H, W)`` → ``(N, C, H/scale, W/scale)``; sides are multiples of the scale, borders repeated."""
    taps = bicubic_taps(scale).to(image)
    channels, margin = image.shape[1], (3 * scale) // 2
    kernel = torch.outer(taps, taps)[None, None].repeat(channels, 1, 1, 1)
    padded = F.pad(image, (margin,) * 4, mode="replicate")
    return F.conv2d(padded, kernel, stride=scale, groups=channels)


def shrink_area(image: Tensor, scale: int) -> Tensor:
    """Means of ``scale × scale`` pixels: photosites as large as their pitch. Of linear light."""
    return F.avg_pool2d(image, scale)
