"""The demosaicing network: repair what is plainly bad, a bank of demosaicers, a U-Net that says whom to trust.

After the scheme of US 2025/0265683 A1 (mixture of demosaicing sub-networks, attention U-Net, refinement),
arranged for a CPU: everything runs on the mosaic packed 2×2, where 3×3 convolutions are fast; only the linear
layers and what is bound to a photosite's place see the packing by the filter array's period.

1. A **first verdict** holds every sample against what its neighbours of all colors predict, and takes out what
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
from numpy.typing import NDArray
from torch import Tensor, nn

from rawfix.cfa import CANONICAL
from rawfix.training.config import NetworkConfig
from rawfix.training.linear import PERCEPTUAL_OFFSET, packed_channels
from rawfix.training.networks.encoding import decode, encode
from rawfix.training.networks.layers import activate, conv
from rawfix.training.networks.linear_layers import LeaveOneOut, LinearBank, Neighbours, colors
from rawfix.training.networks.packing import shuffle, unshuffle

VERDICT_SHARE = 0.1
"""How much of the verdict's gradient reaches the U-Net: in full it is five times the picture's, and noisy."""


class Residual(nn.Module):
    """``x + conv(activate(conv(x)))``, or ``x + activate(conv(x))`` where cheap; begins near ``x``."""

    def __init__(self, width: int, convolutions: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = conv(width, width) if convolutions > 1 else None
        with torch.no_grad():
            (self.first if self.second is None else self.second).weight.mul_(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        inner = activate(self.first(x))
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
        """``(N, inputs, h, w)`` → ``(N, w0, h, w)``; h and w multiples of 4."""
        e0 = self.enc0(activate(self.head(x)))
        e1 = self.enc1(activate(self.down1(e0)))
        e2 = self.middle(activate(self.down2(e1)))
        d1 = self.dec1(activate(e1 + shuffle(self.up1(e2), 2)))
        return activate(self.dec0(activate(e0 + shuffle(self.up0(d1), 2))))


class DemosaicNetwork(nn.Module):
    """Contract ``demosaic-v1``; see the module's text for what it does."""

    inputs = (("mosaic", 1), ("sigma", 1), ("known_bad", 1))
    outputs = ("camera", "bad")
    scale = 1
    linear_layers = ("bank", "predict")
    ends = ("first1", "first2", "first3", "trust", "correct", "verdict")
    order: Tensor
    inverse: Tensor
    masks: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.cfa = cfa = CANONICAL[config.cfa]
        self.period, self.half = cfa.period[0], cfa.period[0] // 2
        self.demosaicers, self.channels = config.demosaicers, colors(cfa)
        self.multiple = lcm(self.period, 8)
        width = config.verdict_width
        self.neighbours = Neighbours(cfa)
        self.predict = LeaveOneOut(cfa, config.bank_kernel)
        self.bank = LinearBank(cfa, config.demosaicers, config.bank_kernel)
        self.first1, self.first2, self.first3 = conv(16, width), conv(width, width), conv(width, 4)
        self.unet = UNet(16 if self.half == 1 else 12 + 8 * self.channels, config.widths, config.blocks)
        self.trust = conv(config.widths[0], 4 * config.demosaicers, 1)
        self.correct = conv(config.widths[0], 4 * self.channels)
        self.verdict = conv(config.widths[0], 4)
        for layer in (self.first3, self.trust, self.correct, self.verdict):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.first3.bias, -4.0)
        measured = packed_channels(cfa)
        sites = range(measured.size)
        planes = self.bank.outputs + [(site, int(measured[site])) for site in sites]
        order = [planes.index((site, channel)) for channel in range(self.channels) for site in sites]
        self.missing = len(self.bank.outputs)
        self.register_buffer("order", torch.tensor(order))
        self.register_buffer("inverse", torch.tensor(np.argsort(order)), False)
        masks = np.concatenate([measured == channel for channel in range(self.channels)])
        self.register_buffer("masks", torch.from_numpy(masks.astype(np.float32))[None, :, None, None], False)

    def initialize_linear(self, bank: NDArray[np.float32], leave_one_out: NDArray[np.float32]) -> None:
        """Start the linear layers from least squares, see `rawfix.training.linear`."""
        with torch.no_grad():
            self.bank.direct.copy_(torch.from_numpy(bank.reshape(self.bank.direct.shape)))
            self.predict.direct.copy_(torch.from_numpy(leave_one_out))

    def _by_period(self, packed: Tensor) -> Tensor:
        """Packed 2×2 → packed by the period."""
        return packed if self.half == 1 else unshuffle(packed, self.half)

    def _by_two(self, packed: Tensor) -> Tensor:
        """Packed by the period → packed 2×2."""
        return packed if self.half == 1 else shuffle(packed, self.half)

    def _fill(self, encoded: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Gated samples replaced, first by same-color means; and what every sample is predicted to be."""
        means = self._by_two(self.neighbours(self._by_period(encoded), self._by_period(1 - gate)))
        filled = encoded * (1 - gate) + means * gate
        return filled, self._by_two(self.predict(self._by_period(filled)))

    def _look(self, cleaned: Tensor, candidates: Tensor) -> Tensor:
        """The light that the U-Net sees: the samples.

        Beyond period 2, where a 2×2 cell's colors change with its place: the mean of the demosaicers, and the
        filters' colors.
        """
        if self.half == 1:
            return cleaned
        packed = self._by_period(cleaned)
        mean = sum(candidates.split(self.missing, 1)) / self.demosaicers
        every = torch.cat((mean, packed), 1)[:, self.order]
        places = self.masks + 0 * packed[:, :1]
        return torch.cat((self._by_two(every), self._by_two(places)), 1)

    def _mix(self, candidates: Tensor, trust: Tensor) -> Tensor:
        """The bank's candidates, weighed by trust: ``(N, missing, h, w)``, packed by the period."""
        n, _, height, width = candidates.shape
        pixels, each = self.half**2 * height * width, self.channels - 1
        # Softmax over the demosaicers, written out: as one operator it takes a seventh of the run on a CPU.
        shares = torch.exp(torch.clamp(self._by_period(trust), -20, 20))
        shares = shares.reshape(n, self.demosaicers, 4, 1, pixels)
        candidates = candidates.reshape(n, self.demosaicers, 4, each, pixels)
        mixed = (shares * candidates).sum(1) / shares.sum(1)
        return mixed.reshape(n, 4 * each * self.half**2, height, width)

    def _split(self, correction: Tensor) -> tuple[Tensor, Tensor]:
        """A correction's planes for missing and for measured channels, packed by the period."""
        planes = self._by_period(correction)
        if self.half > 1:  # by channel and place; at period 2 in the bank's own order
            planes = planes[:, self.inverse]
        return planes[:, : self.missing], planes[:, self.missing :]

    def forward(self, mosaic: Tensor, sigma: Tensor, known_bad: Tensor) -> tuple[Tensor, Tensor]:
        """All ``(N, 1, H, W)`` → ``camera (N, channels, H, W)``, logits of ``bad (N, 1, H, W)``."""
        known = unshuffle(known_bad, 2)
        samples = unshuffle(mosaic, 2) * (1 - known)
        deviation = unshuffle(sigma, 2) / torch.sqrt(torch.abs(samples) + PERCEPTUAL_OFFSET) * (1 - known)
        encoded = encode(samples)

        filled, predicted = self._fill(encoded, known)
        inner = activate(self.first1(torch.cat((filled, filled - predicted, deviation, known), 1)))
        first = self.first3(activate(self.first2(inner)))
        gate = _gate(first, known)
        filled, predicted = self._fill(encoded, gate)
        cleaned = filled * (1 - gate) + predicted * gate

        candidates = self.bank(self._by_period(cleaned))
        seen = self._look(cleaned, candidates)
        features = self.unet(torch.cat((seen, encoded - predicted, deviation, gate), 1))
        logits = first + self.verdict(_heed(features, VERDICT_SHARE) if self.training else features)
        gate = self._by_period(_gate(logits, known))
        corrections = self._split(self.correct(features))
        missing = decode(self._mix(candidates, self.trust(features)) + corrections[0])
        repaired = decode(self._by_period(predicted) + corrections[1])
        measured = self._by_period(samples) * (1 - gate) + repaired * gate
        every = torch.cat((missing, measured), 1)[:, self.order]
        return shuffle(self._by_two(every), 2), shuffle(logits, 2)

    def deliver(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The contract's outputs: a probability in place of the logits."""
        return outputs[0], torch.sigmoid(outputs[1])


def _heed(features: Tensor, share: float) -> Tensor:
    """The same features; of the gradient, only a share passes."""
    return share * features + (1 - share) * features.detach()


def _gate(logits: Tensor, known: Tensor) -> Tensor:
    """How far a sample is replaced, 0…1: a hard sigmoid of the verdict; known-bad samples altogether."""
    gate = torch.clamp(logits / 6 + 0.5, 0, 1)
    return gate + (1 - gate) * known
