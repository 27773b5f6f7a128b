"""The demosaicing network: repair what is plainly bad, a bank of demosaicers, a U-Net that says whom to trust.

After the scheme of US 2025/0265683 A1 (mixture of demosaicing sub-networks, attention U-Net, refinement),
arranged for a CPU: everything runs on the mosaic packed 2×2, where 3×3 convolutions are fast; only the linear
layers and what is bound to a photosite's place see the packing by the filter array's period.

1. A **first verdict** holds every sample against what its neighbours of all colours predict, and takes out what
   is plainly bad, so that no demosaicer smears it. Samples known to be bad are never looked at.
2. The **bank** of linear demosaicers runs on the repaired, encoded mosaic, as one convolution. (Least squares
   reaches 36.9 dB on encoded light, 32.5 dB on linear light.)
3. The **U-Net** gives for every pixel the trust (softmax) in each demosaicer, a correction to their mixture, the
   final verdict on the sample, and the value that replaces it if it is bad.

Measured samples that are not bad pass through.
"""

from __future__ import annotations

from math import lcm

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rawfix.cfa import CANONICAL
from rawfix.training.config import NetworkConfig
from rawfix.training.linear import PERCEPTUAL_OFFSET
from rawfix.training.networks.encoding import decode, encode
from rawfix.training.networks.linear_layers import LeaveOneOut, LinearBank, Neighbours, colors


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps size (at stride 1), He-initialised."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


class Residual(nn.Module):
    """``x + conv(relu(conv(x)))``, or ``x + relu(conv(x))`` where it is to be cheap."""

    def __init__(self, width: int, convolutions: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = conv(width, width) if convolutions > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        inner = F.relu(self.first(x))
        return x + (inner if self.second is None else self.second(inner))


class UNet(nn.Module):
    """Three scales, additions from encoder to decoder, no normalisation, bounded reach."""

    def __init__(self, inputs: int, widths: tuple[int, ...], blocks: tuple[int, ...]) -> None:
        super().__init__()
        w0, w1, w2 = widths
        self.head = conv(inputs, w0)
        self.enc0, self.down1 = Residual(w0, blocks[0]), conv(w0, w1, stride=2)
        self.enc1, self.down2 = Residual(w1, blocks[1]), conv(w1, w2, stride=2)
        self.middle, self.up1 = Residual(w2, blocks[2]), conv(w2, 4 * w1, 1)
        self.dec1, self.up0 = Residual(w1, blocks[3]), conv(w1, 4 * w0, 1)
        self.dec0 = Residual(w0, blocks[4])

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, h, w)`` → ``(N, w0, h, w)``, rectified; h and w multiples of 4."""
        e0 = self.enc0(F.relu(self.head(x)))
        e1 = self.enc1(F.relu(self.down1(e0)))
        e2 = self.middle(F.relu(self.down2(e1)))
        d1 = self.dec1(F.relu(e1 + F.pixel_shuffle(self.up1(e2), 2)))
        return F.relu(self.dec0(F.relu(e0 + F.pixel_shuffle(self.up0(d1), 2))))


class DemosaicNetwork(nn.Module):
    """Contract ``demosaic-v1``; see the module's text for what it does."""

    order: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        cfa = CANONICAL[config.cfa]
        self.period, self.demosaicers = cfa.period[0], config.demosaicers
        self.channels = colors(cfa)
        self.multiple = lcm(self.period, 8)
        missing = 4 * (self.channels - 1)
        self.neighbours = Neighbours(cfa)
        self.predict = LeaveOneOut(cfa, config.bank_kernel)
        self.bank = LinearBank(cfa, config.demosaicers, config.bank_kernel)
        self.first1, self.first2 = (
            conv(16, config.verdict_width),
            conv(config.verdict_width, config.verdict_width),
        )
        self.first3 = conv(config.verdict_width, 4)
        self.unet = UNet(16, config.widths, config.blocks)
        self.trust = conv(config.widths[0], 4 * config.demosaicers, 1)
        self.correct = conv(config.widths[0], missing + 8)
        for layer in (self.first3, self.trust, self.correct):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.first3.bias, -4.0)
        planes = self.bank.outputs + [(site, int(c)) for site, c in _measured(cfa.unit())]
        order = [planes.index((s, c)) for c in range(self.channels) for s in range(self.period**2)]
        self.register_buffer("order", torch.tensor(order))

    def initialize_linear(self, bank: NDArray[np.float32], leave_one_out: NDArray[np.float32]) -> None:
        """Start both linear layers from least squares, see `rawfix.training.linear`."""
        with torch.no_grad():
            self.bank.direct.copy_(torch.from_numpy(bank.reshape(self.bank.direct.shape)))
            self.predict.direct.copy_(torch.from_numpy(leave_one_out))

    def _by_period(self, packed: Tensor) -> Tensor:
        """Packed 2×2 → packed by the period."""
        return packed if self.period == 2 else F.pixel_unshuffle(F.pixel_shuffle(packed, 2), self.period)

    def _by_two(self, packed: Tensor) -> Tensor:
        """Packed by the period → packed 2×2."""
        return packed if self.period == 2 else F.pixel_unshuffle(F.pixel_shuffle(packed, self.period), 2)

    def _fill(self, encoded: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Gated samples replaced, first by same-colour means; and what every sample is predicted to be."""
        means = self._by_two(self.neighbours(self._by_period(encoded), self._by_period(1 - gate)))
        filled = encoded * (1 - gate) + means * gate
        predicted = self._by_two(self.predict(self._by_period(filled)))
        return filled, predicted

    def _mix(self, cleaned: Tensor, trust: Tensor) -> Tensor:
        """The bank's candidates, weighed by trust: ``(N, missing, h, w)``."""
        n, _, height, width = cleaned.shape
        candidates = self.bank(self._by_period(cleaned))
        if self.period > 2:
            candidates = F.pixel_shuffle(candidates, self.period // 2)
        # Softmax over the demosaicers, written out: as one operator it takes a seventh of the run on a CPU.
        shares = torch.exp(torch.clamp(trust, -20, 20)).reshape(n, self.demosaicers, 4, 1, height * width)
        each = candidates.reshape(n, self.demosaicers, 4, self.channels - 1, height * width)
        mixed = (shares * each).sum(1) / shares.sum(1)
        return mixed.reshape(n, 4 * (self.channels - 1), height, width)

    def _assemble(self, missing: Tensor, measured: Tensor) -> Tensor:
        """All channels of all sites, in their places: ``(N, channels, H, W)``."""
        if self.period > 2:
            missing, measured = (F.pixel_unshuffle(p, self.period // 2) for p in (missing, measured))
        return F.pixel_shuffle(torch.cat((missing, measured), 1)[:, self.order], self.period)

    def forward(self, mosaic: Tensor, sigma: Tensor, known_bad: Tensor) -> tuple[Tensor, Tensor]:
        """All ``(N, 1, H, W)`` → ``camera (N, channels, H, W)``, logits of ``bad (N, 1, H, W)``."""
        known = F.pixel_unshuffle(known_bad, 2)
        samples = F.pixel_unshuffle(mosaic, 2) * (1 - known)
        deviation = F.pixel_unshuffle(sigma, 2) / torch.sqrt(torch.abs(samples) + PERCEPTUAL_OFFSET)
        encoded = encode(samples)

        filled, predicted = self._fill(encoded, known)
        inner = F.relu(self.first1(torch.cat((filled, filled - predicted, deviation, known), 1)))
        first = self.first3(F.relu(self.first2(inner)))
        gate = _gate(first, known)
        filled, predicted = self._fill(encoded, gate)
        cleaned = filled * (1 - gate) + predicted * gate

        features = self.unet(torch.cat((cleaned, encoded - predicted, deviation, gate), 1))
        correction = self.correct(features)
        count = 4 * (self.channels - 1)
        missing = decode(self._mix(cleaned, self.trust(features)) + correction[:, :count])
        repaired = decode(predicted + correction[:, count : count + 4])
        logits = first + correction[:, count + 4 :]
        gate = _gate(logits, known)
        measured = samples * (1 - gate) + repaired * gate
        return self._assemble(missing, measured), F.pixel_shuffle(logits, 2)


def _gate(logits: Tensor, known: Tensor) -> Tensor:
    """How far a sample is replaced, 0…1: a hard sigmoid of the verdict; known-bad samples altogether."""
    gate = torch.clamp(logits / 6 + 0.5, 0, 1)
    return gate + (1 - gate) * known


def _measured(unit: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """``(site, channel)`` of every photosite of a unit, in the order of 2×2-packed planes unpacked by period."""
    period = unit.shape[0]
    half = range(period // 2)
    sites = [
        (2 * sy + y) * period + 2 * sx + x for y in range(2) for x in range(2) for sy in half for sx in half
    ]
    return [(site, int(unit.ravel()[site])) for site in sites]
