"""A network asked several times, of its input turned and mirrored; its answers averaged.

The geometric self-ensemble of Lim et al. (Enhanced Deep Residual Networks for Single Image Super-Resolution, 2017),
also for mosaics: every view begins in the filter array's canonical phase, so it is the same question about the same
samples, and errors that depend on how an edge lies average out. Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn

from rawfix.cfa import CANONICAL, Cfa
from rawfix.symmetry import Symmetry
from rawfix.training.networks import Network
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.networks.restore import RestoreNetwork
from rawfix.training.networks.upscale import UpscaleNetwork

View = tuple[Symmetry, tuple[int, int]]
"""A symmetry, and the crop ``(y, x)`` that leads what it moved back into its phase."""

_ORDER = (0, 7, 1, 2, 3, 4, 5, 6)
"""Which of `Symmetry.all` join first: after the image itself, the one that exchanges its axes."""


class SelfEnsemble(nn.Module):
    """Contract of the network within; its cost times the number of views, and once more for super-resolution.

    There, the views answer without noise, and what noise adds is asked of the image as it lies: an average of detail
    that noise chose is no detail.

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
        There are fewer views that lead back to the phase that the network knows.
    """

    def __init__(self, core: Network, count: int) -> None:
        super().__init__()
        self.core = core
        self.inputs, self.outputs, self.scale, self.multiple = (
            core.inputs,
            core.outputs,
            core.scale,
            core.multiple,
        )
        every = views_of(core)
        if not 2 <= count <= len(every):
            raise ValueError(f"{count} views: this network has 2 to {len(every)}")
        self.views = every[:count]
        self.rim = max(max(offset) for _, offset in self.views)

    def forward(self, *planes: Tensor) -> tuple[Tensor, ...]:
        """Means of the core's outputs over the views."""
        if isinstance(self.core, UpscaleNetwork):
            image, noise = planes
            answers = self._answers((image, noise * 0))
            first = next(answers)
            mean = self._mean(chain((first,), answers))
            return (mean[0] + self.core(image, noise)[0] - first[0],)
        return self._mean(self._answers(planes))

    def _answers(self, planes: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
        """The core's outputs in one view after the other, turned back."""
        for symmetry, offset in self.views:
            found = self.core(*(_turn(plane, symmetry, offset) for plane in planes))
            yield tuple(_turn_back(plane, symmetry, offset) for plane in found)  # any offset is at scale 1

    def _mean(self, answers: Iterator[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        sums = next(answers)
        for each in answers:
            sums = tuple(a + b for a, b in zip(sums, each, strict=True))
        return tuple(total / len(self.views) for total in sums)

    def deliver(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """As the core's."""
        return self.core.deliver(outputs)


def views_of(core: Network) -> list[View]:
    """Those in which a network knows its input again: of a mosaic, of images of Bayer and X-Trans mosaics, of any."""
    if isinstance(core, DemosaicNetwork):
        return views(core.cfa)
    if isinstance(core, RestoreNetwork):
        return views(CANONICAL["xtrans"], CANONICAL["bayer"])
    every = list(Symmetry.all())
    return [(every[i], (0, 0)) for i in _ORDER]


def views(*arrays: Cfa) -> list[View]:
    """Symmetries of the square, each with the least crop that leads canonical arrays back into their own phases."""
    every = list(Symmetry.all())
    height, width = (max(array.period[axis] for array in arrays) for axis in (0, 1))
    found = []
    for symmetry in (every[i] for i in _ORDER):
        crops = ((y, x) for y in range(height) for x in range(width))
        crop = next((c for c in crops if all(_leads_back(array, symmetry, c) for array in arrays)), None)
        if crop is not None:
            found.append((symmetry, crop))
    return found


def _leads_back(array: Cfa, symmetry: Symmetry, crop: tuple[int, int]) -> bool:
    side = 2 * array.period[0] * array.period[1]  # whole periods, whichever way it is turned
    return array.moved(symmetry, (side, side)).shift(*crop) == array


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
