"""A conditional adversarial pair that learns a camera's noise (US 12,394,023 B2).

The generator is a U-shape on eight planes at the mosaic's resolution: truth, two camera gains, five planes of normally
distributed noise. Three of these are drawn a pixel each, one a row, one a column: a network of bounded reach could not
agree with itself along a whole row otherwise. Noise is made in deviations of the measured variance, so that training
starts from heteroscedastic Gaussian noise and learns only what that lacks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.training.networks.encoding import encode
from rawfix.training.networks.layers import conv
from rawfix.training.networks.restore import Trunk

NOISE_PLANES = 5
_GAIN_STOPS = 8.0
"""Gains enter as stops over this, to be of order one."""
_BAND_SCALE = 4.0
"""Row and column means are this much smaller than what they average over a patch, about."""
_RARE_SCALE = 4.0
_TAILS = (2.0, 4.0)
_EVENT_SCALE = 20.0
"""The discriminator is told how far a patch reaches beyond so many deviations; a normal one, 0.01 beyond two."""


def gain_planes(gains: Tensor, like: Tensor) -> Tensor:
    """``(N, 2)`` gains → ``(N, 2, H, W)`` stops, scaled."""
    planes = (torch.log2(gains) / _GAIN_STOPS)[:, :, None, None]
    return planes.expand(-1, -1, *like.shape[2:])


class NoiseGenerator(nn.Module):
    """Truth, gains and normal noise → noise as the camera makes it.

    A U-shape, and an outermost skip that mixes the noise planes themselves, weighted by truth and gains: what is
    independent from pixel to pixel, or one value a row, needs no surroundings. Its hinges turn the far ends of normal
    planes into rare events, telegraph noise for one, which biases of a network would take thousands of steps to reach.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        self.trunk = Trunk(4 * (1 + 2 + NOISE_PLANES), 4, widths)
        self.hinges = nn.Parameter(torch.tensor((1.5, 2.2)))
        self.mixer = nn.Sequential(conv(3, 16, 1), nn.ReLU(), conv(16, NOISE_PLANES + 2, 1))
        nn.init.zeros_(self.mixer[-1].weight)

    def forward(self, truth: Tensor, gains: Tensor, normal: Tensor, sigma: Tensor) -> Tensor:
        """Noise, same shape as ``truth``.

        Parameters
        ----------
        truth
            ``(N, 1, H, W)``: linear mosaic, black 0, white 1; sides are multiples of ``multiple``.
        gains
            ``(N, 2)``: analog and digital, 1 at base speed.
        normal
            ``(N, 5, H, W)``: standard normal; see `draw_normal`.
        sigma
            ``(N, 1, H, W)``: deviation of the measured noise model at ``truth``.
        """
        condition = torch.cat((encode(truth), gain_planes(gains, truth)), 1)
        planes = torch.cat((condition, normal), 1)
        shaped = F.pixel_shuffle(self.trunk(F.pixel_unshuffle(planes, 2)), 2)
        rare = _RARE_SCALE * F.relu(normal[:, 1:3] - self.hinges[:, None, None])
        mixed = (self.mixer(condition) * torch.cat((normal, rare), 1)).sum(1, keepdim=True)
        return sigma * (normal[:, :1] + mixed + shaped)


class NoiseDiscriminator(nn.Module):
    """Which of two noisy mosaics of one truth is real: about 1 where the first is, about 0 where the second is.

    Judges patches; sees the residuals of both in deviations of the measured noise model, their means along rows
    and columns, where banding stands out, and the mean of what exceeds some deviations, where rare events do.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv(4 + 2 + 3 * 8 + 8, width),
            nn.LeakyReLU(0.2),
            conv(width, 2 * width, stride=2),
            nn.LeakyReLU(0.2),
            conv(2 * width, 2 * width),
            nn.LeakyReLU(0.2),
            conv(2 * width, 1, 1),
        )

    def forward(self, truth: Tensor, gains: Tensor, first: Tensor, second: Tensor, sigma: Tensor) -> Tensor:
        """Verdicts ``(N, 1, h, w)`` on ``first`` and ``second``, both noisy mosaics ``(N, 1, H, W)``."""
        residuals = torch.cat((first - truth, second - truth), 1) / sigma
        events = [F.relu(sign * residuals - limit) for limit in _TAILS for sign in (1, -1)]
        shares = _EVENT_SCALE * torch.cat(events, 1).mean((2, 3), keepdim=True)
        pair = F.pixel_unshuffle(residuals, 2)
        rows = pair.mean(3, keepdim=True).expand_as(pair) * _BAND_SCALE
        columns = pair.mean(2, keepdim=True).expand_as(pair) * _BAND_SCALE
        condition = F.pixel_unshuffle(encode(truth), 2)
        shares = shares.expand(-1, -1, *pair.shape[2:])
        gained = gain_planes(gains, condition)
        return self.layers(torch.cat((condition, gained, pair, rows, columns, shares), 1))


def draw_normal(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """The five noise planes ``(N, 5, H, W)`` of a batch ``(N, H, W)``: three a pixel, one a row, one a column."""
    number, height, width = shape
    sizes = ((3, height, width), (1, height, 1), (1, 1, width))
    planes = [torch.randn((number, *size), generator=generator) for size in sizes]
    return torch.cat([plane.expand(-1, -1, height, width) for plane in planes], 1)


def discriminator_loss(real_first: Tensor, fake_first: Tensor) -> Tensor:
    """Least squares on both orders: the verdict on (real, fake) ought to be 1, that on (fake, real) 0."""
    return ((real_first - 1) ** 2).mean() + (fake_first**2).mean()


def generator_loss(real_first: Tensor, fake_first: Tensor) -> Tensor:
    """Least squares on both orders, the other way round: the generator wants the pairs taken for each other."""
    return (real_first**2).mean() + ((fake_first - 1) ** 2).mean()
