"""A network asked several times, of the mosaic turned and mirrored; its answers averaged.

The geometric self-ensemble of Lim et al. (Enhanced Deep Residual Networks for Single Image Super-Resolution, 2017),
for mosaics: every view begins in the filter array's canonical phase, so it is the same question about the same
samples, and errors that depend on how an edge lies average out. Nothing is trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rawfix.cfa import Cfa
from rawfix.symmetry import Symmetry
from rawfix.training.networks.demosaic import DemosaicNetwork

_ORDER = (0, 7, 1, 2, 3, 4, 5, 6)
"""Which of `Symmetry.all` join first: after the image itself, the one that exchanges its axes."""


class SelfEnsemble(nn.Module):
    """Contract of the network within; its cost times the number of views.

    Parameters
    ----------
    core
        Whose answers are averaged.
    count
        Views, 2…8.

    Attributes
    ----------
    rim
        Pixels along a tile's sides that a view may show on the other side: a halo is so much wider than the reach.

    Raises
    ------
    ValueError
        The filter array has fewer views that lead back to its canonical phase.
    """

    def __init__(self, core: DemosaicNetwork, count: int) -> None:
        super().__init__()
        self.core = core
        self.inputs, self.outputs, self.scale, self.multiple = core.inputs, core.outputs, 1, core.multiple
        self.views = views(core.cfa)[:count]
        if not 2 <= count <= len(self.views):
            raise ValueError(f"{count} views: this filter array has 2 to {len(views(core.cfa))}")
        self.rim = max(max(offset) for _, offset in self.views)

    def forward(self, *planes: Tensor) -> tuple[Tensor, ...]:
        """Means of the core's outputs over the views."""
        sums: tuple[Tensor, ...] | None = None
        for symmetry, offset in self.views:
            found = self.core(*(_turn(plane, symmetry, offset) for plane in planes))
            back = tuple(_turn_back(plane, symmetry, offset) for plane in found)
            sums = back if sums is None else tuple(a + b for a, b in zip(sums, back, strict=True))
        assert sums is not None
        return tuple(total / len(self.views) for total in sums)

    def deliver(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """As the core's."""
        return self.core.deliver(outputs)


def views(cfa: Cfa) -> list[tuple[Symmetry, tuple[int, int]]]:
    """Symmetries of the square, each with the crop that leads a canonical array back into its own phase."""
    side = 2 * cfa.period[0] * cfa.period[1]
    every = list(Symmetry.all())
    found = ((every[i], cfa.moved(every[i], (side, side)).offset_to(cfa)) for i in _ORDER)
    return [(symmetry, offset) for symmetry, offset in found if offset is not None]


def _turn(plane: Tensor, symmetry: Symmetry, offset: tuple[int, int]) -> Tensor:
    """A view in canonical phase. What leaves on one side enters on the other, at the rim of the halo."""
    moved = plane.transpose(2, 3) if symmetry.transpose else plane
    flips = [axis for axis, flip in ((2, symmetry.flip_y), (3, symmetry.flip_x)) if flip]
    moved = torch.flip(moved, flips) if flips else moved
    return _roll(moved, -offset[0], -offset[1])


def _turn_back(plane: Tensor, symmetry: Symmetry, offset: tuple[int, int]) -> Tensor:
    moved = _roll(plane, *offset)
    flips = [axis for axis, flip in ((2, symmetry.flip_y), (3, symmetry.flip_x)) if flip]
    moved = torch.flip(moved, flips) if flips else moved
    return moved.transpose(2, 3) if symmetry.transpose else moved


def _roll(plane: Tensor, dy: int, dx: int) -> Tensor:
    shifts = [(shift, axis) for shift, axis in ((dy, 2), (dx, 3)) if shift]
    return torch.roll(plane, [s for s, _ in shifts], [a for _, a in shifts]) if shifts else plane
