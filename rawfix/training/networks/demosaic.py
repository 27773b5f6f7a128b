"""The demosaicing network: a bank of linear demosaicers, a U-Net that says whom to trust, a refinement.

After the scheme of US 2025/0265683 A1 (mixture of demosaicing sub-networks, attention U-Net, refinement),
arranged for a CPU: everything runs on the packed mosaic (one cell of the filter array is one pixel of many
channels), where 3×3 convolutions are fast.

1. The **U-Net** looks at the encoded mosaic, its sigma and the known-bad mask, and gives for every pixel a
   probability that it is defective, a repair value and the trust (softmax) in each demosaicer.
2. Bad samples are **replaced** (a normalised convolution over good samples of the same site, corrected by the
   U-Net), so that no demosaicer smears them.
3. The **bank** of linear demosaicers runs on the repaired, encoded mosaic, as one convolution; the trust
   mixes its outputs. Each kernel's weights sum to 1 over the samples of its own channel and to 0 over every
   other, so a flat field stays flat. (Least squares reaches 36.9 dB on encoded light, 32.5 dB on linear light.)
4. The **refinement** adds a correction, and gives the final verdict on every sample, now that it can be held
   against what its repaired neighbours of all colours predict. The encoding is undone.

Measured samples that are not bad pass through.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rawfix.cfa import CANONICAL
from rawfix.training.config import NetworkConfig
from rawfix.training.linear import PERCEPTUAL_OFFSET, missing_outputs


def encode(linear: Tensor) -> Tensor:
    """Odd square-root curve, slope of sRGB in the dark: ``sign(x)·(√(|x| + a) − √a)``."""
    return torch.sign(linear) * (torch.sqrt(torch.abs(linear) + PERCEPTUAL_OFFSET) - PERCEPTUAL_OFFSET**0.5)


def decode(encoded: Tensor) -> Tensor:
    """Inverse of `encode`."""
    magnitude = torch.abs(encoded) + PERCEPTUAL_OFFSET**0.5
    return torch.sign(encoded) * (magnitude * magnitude - PERCEPTUAL_OFFSET)


class LinearBank(nn.Module):
    """Linear demosaicers as one convolution on the packed mosaic.

    Trained over-parameterised: each demosaicer is the sum of a direct kernel and a chain of two smaller
    convolutions (space-to-depth form of the patent's sub-networks), composed into the same kernel. What runs,
    in training as in the exported graph, is the composed kernel, normalised to keep grey.
    """

    target: Tensor
    groups: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        cfa = CANONICAL[config.cfa]
        sites = cfa.unit().ravel()
        self.outputs = missing_outputs(cfa)
        self.demosaicers, self.kernel, cells = config.demosaicers, config.bank_kernel, sites.size
        rows = self.demosaicers * len(self.outputs)
        hidden = 2 * cells
        self.direct = nn.Parameter(torch.zeros(rows, cells, self.kernel, self.kernel))
        self.first = nn.Parameter(torch.randn(hidden, cells, 3, 3) * 0.1)
        self.second = nn.Parameter(torch.zeros(rows, hidden, self.kernel - 2, self.kernel - 2))
        groups = np.stack([sites == c for c in range(3)]).astype(np.float32)
        target = np.array(
            [[float(c == channel) for c in range(3)] for _, channel in self.outputs], np.float32
        )
        self.register_buffer("groups", torch.from_numpy(groups))
        self.register_buffer("target", torch.from_numpy(np.tile(target, (self.demosaicers, 1))))

    def composed(self) -> Tensor:
        """The kernel that runs: direct + second∘first, weights of each colour summing to 0 or 1."""
        margin = self.kernel - 3
        flipped = self.first.flip(2, 3).transpose(0, 1)
        chain = F.conv2d(F.pad(self.second, (2, 2, 2, 2)), flipped)
        kernel = self.direct + chain if margin >= 0 else self.direct
        sums = kernel.sum((2, 3)) @ self.groups.T
        counts = self.groups.sum(1) * self.kernel**2
        excess = ((self.target - sums) / counts) @ self.groups
        return kernel + excess[:, :, None, None]

    def forward(self, packed: Tensor) -> Tensor:
        """``(N, cells, h, w)`` → ``(N, demosaicers·missing, h, w)``."""
        return F.conv2d(packed, self.composed(), padding=self.kernel // 2)


class LeaveOneOut(nn.Module):
    """Each sample predicted from its neighbours of every colour, without itself: one convolution.

    What a sample differs from its prediction tells a defect from texture better than any same-colour mean.
    """

    mask: Tensor
    groups: Tensor
    target: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        sites = CANONICAL[config.cfa].unit().ravel()
        cells, self.kernel = sites.size, config.bank_kernel
        self.direct = nn.Parameter(torch.zeros(cells, cells, self.kernel, self.kernel))
        mask = np.ones((cells, cells, self.kernel, self.kernel), np.float32)
        mask[np.arange(cells), np.arange(cells), self.kernel // 2, self.kernel // 2] = 0
        self.register_buffer("mask", torch.from_numpy(mask))
        self.register_buffer(
            "groups", torch.from_numpy(np.stack([sites == c for c in range(3)]).astype(np.float32))
        )
        self.register_buffer("target", torch.from_numpy(np.eye(3, dtype=np.float32)[sites]))

    def composed(self) -> Tensor:
        """The kernel that runs: blind to its own sample, weights of each colour summing to 0 or 1."""
        kernel = self.direct * self.mask
        sums = kernel.sum((2, 3)) @ self.groups.T
        counts = self.mask.sum((2, 3)) @ self.groups.T
        excess = ((self.target - sums) / counts) @ self.groups
        return kernel + excess[:, :, None, None] * self.mask

    def forward(self, packed: Tensor) -> Tensor:
        """``(N, cells, h, w)`` → the same shape."""
        return F.conv2d(packed, self.composed(), padding=self.kernel // 2)


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps size (at stride 1), He-initialised."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


class DemosaicNetwork(nn.Module):
    """Contract ``demosaic-v1`` with three channels; see the module's text for what it does."""

    order: Tensor
    neighbours: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        cfa = CANONICAL[config.cfa]
        self.period = cfa.period[0]
        self.cells = self.period**2
        self.demosaicers = config.demosaicers
        w0, w1, w2 = config.widths
        self.bank = LinearBank(config)
        self.head = conv(3 * self.cells, w0)
        self.down1, self.enc1 = conv(w0, w1, stride=2), conv(w1, w1)
        self.down2, self.mid1, self.mid2 = conv(w1, w2, stride=2), conv(w2, w2), conv(w2, w2)
        self.up1, self.dec1a, self.dec1b = conv(w2, 4 * w1, 1), conv(w1, w1), conv(w1, w1)
        self.up0, self.dec0 = conv(w1, 4 * w0, 1), conv(w0, w0)
        self.judge = conv(w0, self.cells * (self.demosaicers + 2), 1)
        missing = len(self.bank.outputs)
        self.predict = LeaveOneOut(config)
        self.refine1 = conv(w0 + missing + 3 * self.cells, config.refine_width)
        self.refine2 = conv(config.refine_width, config.refine_width)
        self.refine3 = conv(config.refine_width, missing + self.cells)
        self.appeal = conv(config.refine_width, self.cells)
        for layer in (self.judge, self.refine3, self.appeal):
            nn.init.zeros_(layer.weight)
        with torch.no_grad():
            self.judge.bias[self.cells * self.demosaicers : self.cells * (self.demosaicers + 1)] = -4.0
        self._register_layout(cfa.unit().ravel())

    def _register_layout(self, sites: NDArray[np.uint8]) -> None:
        """Where each (channel, site) plane comes from, and the weights of same-site neighbours."""
        measured = [(site, int(c)) for site, c in enumerate(sites)]
        planes = self.bank.outputs + measured
        order = [planes.index((site, channel)) for channel in range(3) for site in range(self.cells)]
        self.register_buffer("order", torch.tensor(order))
        axis = np.arange(-2, 3)
        weights = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 0.7**2)).astype(np.float32)
        weights[2, 2] = 0
        self.register_buffer("neighbours", torch.from_numpy(np.tile(weights, (self.cells, 1, 1, 1))))

    def initialize_linear(self, bank: NDArray[np.float32], leave_one_out: NDArray[np.float32]) -> None:
        """Start both linear layers from least squares, see `rawfix.training.linear`."""
        with torch.no_grad():
            self.bank.direct.copy_(torch.from_numpy(bank.reshape(self.bank.direct.shape)))
            self.predict.direct.copy_(torch.from_numpy(leave_one_out))

    def _trunk(self, features: Tensor) -> Tensor:
        """The U-Net: additions from encoder to decoder, no normalisation, bounded reach."""
        e0 = F.relu(self.head(features))
        e1 = F.relu(self.down1(e0))
        e1 = e1 + F.relu(self.enc1(e1))
        e2 = F.relu(self.down2(e1))
        e2 = e2 + self.mid2(F.relu(self.mid1(e2)))
        d1 = e1 + F.pixel_shuffle(self.up1(e2), 2)
        d1 = d1 + self.dec1b(F.relu(self.dec1a(d1)))
        d0 = e0 + F.pixel_shuffle(self.up0(d1), 2)
        return F.relu(self.dec0(d0))

    def forward(self, mosaic: Tensor, sigma: Tensor, known_bad: Tensor) -> tuple[Tensor, Tensor]:
        """All ``(N, 1, H, W)`` → ``camera (N, 3, H, W)``, logits of ``bad (N, 1, H, W)``."""
        known = F.pixel_unshuffle(known_bad, self.period)
        samples = F.pixel_unshuffle(mosaic, self.period) * (1 - known)
        deviation = F.pixel_unshuffle(sigma, self.period) / torch.sqrt(torch.abs(samples) + PERCEPTUAL_OFFSET)
        encoded = encode(samples)
        trunk = self._trunk(torch.cat((encoded, deviation, known), 1))
        cells, count = self.cells, self.demosaicers
        trust, logits, repair = torch.split(self.judge(trunk), (cells * count, cells, cells), 1)
        gate = torch.clamp(logits / 6 + 0.5, 0, 1)
        gate = gate + (1 - gate) * known

        good = 1 - gate
        total = F.conv2d(encoded * good, self.neighbours, padding=2, groups=cells)
        weight = F.conv2d(good, self.neighbours, padding=2, groups=cells)
        cleaned = encoded * good + (total / (weight + 1e-4) + repair) * gate

        n, _, height, width = cleaned.shape
        missing = len(self.bank.outputs)
        each = missing // cells
        # Softmax over the demosaicers, written out: as one operator it takes a seventh of the run on a CPU.
        shares = torch.exp(torch.clamp(trust, -20, 20)).reshape(n, count, cells, 1, height * width)
        candidates = self.bank(cleaned).reshape(n, count, cells, each, height * width)
        mixed = ((shares * candidates).sum(1) / shares.sum(1)).reshape(n, missing, height, width)

        predicted = self.predict(cleaned)
        refined = F.relu(self.refine1(torch.cat((trunk, mixed, cleaned, gate, encoded - predicted), 1)))
        refined = F.relu(self.refine2(refined))
        corrected = decode(torch.cat((mixed, predicted), 1) + self.refine3(refined))
        logits = logits + self.appeal(refined)
        gate = torch.clamp(logits / 6 + 0.5, 0, 1)
        gate = gate + (1 - gate) * known
        measured = samples * (1 - gate) + corrected[:, missing:] * gate
        every = torch.cat((corrected[:, :missing], measured), 1)[:, self.order]
        return F.pixel_shuffle(every, self.period), F.pixel_shuffle(logits, self.period)
