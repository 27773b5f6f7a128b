"""The linear layers of demosaicing: convolutions on the mosaic packed by the filter array's period.

There one unit of the array is one pixel of many channels (in the order of `rawfix.training.linear.pack`), so that
every photosite has weights of its own. All of them keep gray: the weights of an output sum to 1 over the samples
of its own channel and to 0 over every other.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rawfix.cfa import Cfa
from rawfix.training.linear import missing_outputs, packed_channels, packed_sites


def colors(cfa: Cfa) -> int:
    """Channels of a filter array: 3, or 4 with infrared."""
    return max(3, int(cfa.unit().max()) + 1)


def _one_hot(channels: NDArray[np.integer], count: int) -> Tensor:
    return torch.from_numpy(np.eye(count, dtype=np.float32)[np.asarray(channels, np.intp)])


class LinearBank(nn.Module):
    """Linear demosaicers as one convolution on the packed mosaic.

    Trained over-parameterised: each demosaicer is the sum of a direct kernel and a chain of two smaller
    convolutions (space-to-depth form of the patent's sub-networks), composed into the same kernel. What runs,
    in training as in the exported graph, is the composed kernel, normalised to keep gray.
    """

    target: Tensor
    groups: Tensor

    def __init__(self, cfa: Cfa, demosaicers: int, kernel: int) -> None:
        super().__init__()
        sites = packed_channels(cfa)
        self.outputs = missing_outputs(cfa)
        self.kernel, cells = kernel, sites.size
        rows, hidden = demosaicers * len(self.outputs), 2 * cells
        self.direct = nn.Parameter(torch.zeros(rows, cells, kernel, kernel))
        self.first = nn.Parameter(torch.randn(hidden, cells, 3, 3) * 0.1)
        self.second = nn.Parameter(torch.zeros(rows, hidden, kernel - 2, kernel - 2))
        target = _one_hot(np.array([channel for _, channel in self.outputs]), colors(cfa))
        self.register_buffer("groups", _one_hot(sites, colors(cfa)).T.contiguous())
        self.register_buffer("target", target.repeat(demosaicers, 1))

    def composed(self) -> Tensor:
        """The kernel that runs: direct + second∘first, weights of each color summing to 0 or 1."""
        flipped = self.first.flip(2, 3).transpose(0, 1)
        kernel = self.direct + F.conv2d(F.pad(self.second, (2, 2, 2, 2)), flipped)
        sums = kernel.sum((2, 3)) @ self.groups.T
        counts = self.groups.sum(1) * self.kernel**2
        excess = ((self.target - sums) / counts) @ self.groups
        return kernel + excess[:, :, None, None]

    def forward(self, packed: Tensor) -> Tensor:
        """``(N, cells, h, w)`` → ``(N, demosaicers·missing, h, w)``."""
        return F.conv2d(packed, self.composed(), padding=self.kernel // 2)


class LeaveOneOut(nn.Module):
    """Each sample predicted from its neighbours of every color, without itself: one convolution.

    What a sample differs from its prediction tells a defect from texture better than any same-color mean.
    """

    mask: Tensor
    groups: Tensor
    target: Tensor

    def __init__(self, cfa: Cfa, kernel: int) -> None:
        super().__init__()
        sites = packed_channels(cfa)
        cells, self.kernel = sites.size, kernel
        self.direct = nn.Parameter(torch.zeros(cells, cells, kernel, kernel))
        mask = torch.ones(cells, cells, kernel, kernel)
        mask[torch.arange(cells), torch.arange(cells), kernel // 2, kernel // 2] = 0
        self.register_buffer("mask", mask)
        self.register_buffer("groups", _one_hot(sites, colors(cfa)).T.contiguous())
        self.register_buffer("target", _one_hot(sites, colors(cfa)))

    def composed(self) -> Tensor:
        """The kernel that runs: blind to its own sample, weights of each color summing to 0 or 1."""
        kernel = self.direct * self.mask
        sums = kernel.sum((2, 3)) @ self.groups.T
        counts = self.mask.sum((2, 3)) @ self.groups.T
        excess = ((self.target - sums) / counts) @ self.groups
        return kernel + excess[:, :, None, None] * self.mask

    def forward(self, packed: Tensor) -> Tensor:
        """``(N, cells, h, w)`` → the same shape."""
        return F.conv2d(packed, self.composed(), padding=self.kernel // 2)


class Neighbours(nn.Module):
    """A sample's value as the normalised Gaussian mean (σ 1.4 px) of the good samples of its color nearby."""

    weights: Tensor
    inverse: Tensor

    def __init__(self, cfa: Cfa) -> None:
        super().__init__()
        (period, _), sites = cfa.period, packed_channels(cfa)
        y, x = np.divmod(packed_sites(cfa), period)
        step = period * np.arange(-1, 2)
        down = y[None, :, None, None] + step[None, None, :, None] - y[:, None, None, None]
        right = x[None, :, None, None] + step[None, None, None, :] - x[:, None, None, None]
        distance = (down**2 + right**2).astype(np.float32)
        same = (sites[:, None] == sites[None])[..., None, None]
        weights = np.where(same & (distance > 0), np.exp(-distance / (2 * 1.4**2)), 0).astype(np.float32)
        self.register_buffer("weights", torch.from_numpy(weights))
        # One convolution a color where there are many sites: the others' weights are all zero.
        self.colors = [np.flatnonzero(sites == c).tolist() for c in np.unique(sites)] if period > 2 else []
        for index, color in enumerate(self.colors):
            self.register_buffer(f"part{index}", self.weights[color][:, color].contiguous(), False)
        inverse = np.argsort(np.concatenate(self.colors)) if self.colors else np.arange(sites.size)
        self.register_buffer("inverse", torch.from_numpy(inverse), False)

    def _gather(self, packed: Tensor) -> Tensor:
        if not self.colors:
            return F.conv2d(packed, self.weights, padding=1)
        parts = [
            F.conv2d(packed[:, color], self.get_buffer(f"part{index}"), padding=1)
            for index, color in enumerate(self.colors)
        ]
        return torch.cat(parts, 1)[:, self.inverse]

    def forward(self, packed: Tensor, good: Tensor) -> Tensor:
        """``(N, cells, h, w)`` values and their goodness in 0…1 → means; 0 where no good sample is near."""
        return self._gather(packed * good) / (self._gather(good) + 1e-4)
