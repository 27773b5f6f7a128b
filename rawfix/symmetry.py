"""The eight symmetries of the square: turning and mirroring an image by views, without touching a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Symmetry:
    """Rows and columns exchanged or not, then rows, then columns in reverse or not.

    Attributes
    ----------
    transpose
        Whether rows become columns, first of all.
    flip_y, flip_x
        Whether the rows, and the columns, then run backwards.
    """

    transpose: bool = False
    flip_y: bool = False
    flip_x: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether nothing moves."""
        return self == Symmetry()

    @property
    def inverse(self) -> Symmetry:
        """What undoes it."""
        return Symmetry(True, self.flip_x, self.flip_y) if self.transpose else self

    def apply(self, image: NDArray[T]) -> NDArray[T]:
        """A view of ``(H, W)`` or ``(H, W, C)``, moved; ``(W, H, …)`` with `transpose`."""
        moved = image.swapaxes(0, 1) if self.transpose else image
        return moved[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """``(height, width)`` of what `apply` makes of an image of that shape."""
        return (shape[1], shape[0]) if self.transpose else shape

    def box(self, y0: int, y1: int, x0: int, x1: int, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where a window of an image of that shape lies once it was moved: ``(y0, y1, x0, x1)``."""
        height, width = self.shape(shape)
        if self.transpose:
            y0, y1, x0, x1 = x0, x1, y0, y1
        if self.flip_y:
            y0, y1 = height - y1, height - y0
        if self.flip_x:
            x0, x1 = width - x1, width - x0
        return y0, y1, x0, x1

    @staticmethod
    def all() -> Iterator[Symmetry]:
        """All eight, the identity first, then those that leave rows rows."""
        for transpose in (False, True):
            for flip_y in (False, True):
                for flip_x in (False, True):
                    yield Symmetry(transpose, flip_y, flip_x)
