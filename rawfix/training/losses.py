"""What a demosaicing network is punished for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.training.config import TrainConfig
from rawfix.training.networks.encoding import encode

USUAL_DENSITY = 0.0015
"""Share of bad samples up to which each of them counts in full."""
LARGE_ERROR = 0.05
"""Encoded error beyond which its square grows linearly."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`rawfix.training.synthesis.MosaicPair`, batched: every plane ``(N, C, H, W)`` float32, plus the target.

    ``target`` is the clean light plus the linearly demosaiced noise, so that a network learns to leave the
    sensor's own grain alone. ``clip (N, C, 1, 1)`` is where the sensor saturates: the pipeline cuts there.
    """

    mosaic: Tensor
    sigma: Tensor
    known_bad: Tensor
    clean: Tensor
    bad: Tensor
    target: Tensor
    clip: Tensor


class LinearDemosaic(nn.Module):
    """The plain least-squares demosaic of a packed mosaic, to spread noise as no nonlinear method would."""

    def __init__(self, bank: nn.Module, order: Tensor, period: int) -> None:
        super().__init__()
        self.bank, self.period = bank, period
        self.register_buffer("order", order.clone())

    @torch.no_grad()
    def forward(self, mosaic: Tensor) -> Tensor:
        """``(N, 1, H, W)`` → ``(N, 3, H, W)``, linear in its input."""
        packed = F.pixel_unshuffle(F.pixel_unshuffle(mosaic, 2), self.period // 2)
        every = torch.cat((self.bank(packed), packed), 1)[:, self.order]
        return F.pixel_shuffle(F.pixel_shuffle(every, self.period // 2), 2)


def robust(error: Tensor, large: float = LARGE_ERROR) -> Tensor:
    """Squared error, linear beyond ``large`` (pseudo-Huber).

    A defect that slips through errs by a hundred times what texture does: squared in full, a few of them outweigh
    everything else.
    """
    return 2 * large**2 * (torch.sqrt(1 + (error / large) ** 2) - 1)


def demosaic_loss(
    camera: Tensor, logits: Tensor, batch: Batch, config: TrainConfig
) -> tuple[Tensor, dict[str, float]]:
    """λ_M·(L1 + L2) + λ_F·focal + λ_R·total variation of the error + cross-entropy + exposure.

    Errors are taken in the perceptual encoding and weighed down where the noise is strong (it cannot be
    predicted there). ``exposure`` is the error of the patch mean in linear light: gray stays gray.
    """
    edge = inside(config.border)
    level = torch.sqrt(batch.clean.mean((1, 2, 3), keepdim=True) + 1e-3)
    weight = 1 / (1 + batch.sigma.mean((1, 2, 3), keepdim=True) / level / 0.04)
    within = (1 - batch.known_bad * (1 - batch.bad))[edge]  # known and not a defect: outside of the frame
    error = ((encode(camera) - encode(batch.target))[edge]) * within
    squared = weight * robust(error)
    mean = (weight * error.abs()).mean() + 2 * squared.mean()
    near = F.max_pool2d(batch.bad, 5, 1, 2)[edge]
    focal = (squared * near).mean()
    variation = (weight * error).diff(dim=2).abs().mean() + (weight * error).diff(dim=3).abs().mean()
    # Patches are drawn with more defects than sensors have, to learn from: there each counts for less.
    density = batch.bad.mean((1, 2, 3), keepdim=True)
    each = torch.sqrt(torch.clamp(USUAL_DENSITY / (density + 1e-6), max=1))
    detect = F.binary_cross_entropy_with_logits(logits[edge], batch.bad[edge], reduction="none")
    detect = (detect * within * (1 + (each - 1) * batch.bad[edge])).mean() * 20
    exposure = ((camera - batch.target)[edge] * within).mean((2, 3)).abs().mean()
    total = (
        config.lambda_mean * mean
        + config.lambda_focal * focal
        + config.lambda_variation * variation
        + config.lambda_detect * detect
        + config.lambda_exposure * exposure
    )
    parts = {"mean": mean, "focal": focal, "variation": variation, "detect": detect, "exposure": exposure}
    return total, {name: float(part.detach()) for name, part in parts.items()}


def inside(border: int) -> tuple[slice, ...]:
    """The part of an ``(N, C, H, W)`` batch that lies ``border`` pixels inside."""
    inner = slice(border, -border) if border else slice(None)
    return slice(None), slice(None), inner, inner
