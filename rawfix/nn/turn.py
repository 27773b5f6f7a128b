"""Show a network a frame turned or mirrored, and put what it answers back, all by views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.nn.tiles import Finish, Plane, Window
from rawfix.symmetry import Symmetry

RunTiles = Callable[[Mapping[str, Plane | Window], Finish | None], dict[str, NDArray[Any]]]
"""`run_tiled` with all but the inputs and `finish` decided."""


def run_turned(
    run_tiles: RunTiles,
    inputs: Mapping[str, Plane | Window],
    finish: Finish | None,
    symmetry: Symmetry,
    shape: tuple[int, int],
) -> dict[str, NDArray[Any]]:
    """Run tiles over a frame as it looks after ``symmetry``; caller and `finish` never notice.

    Parameters
    ----------
    run_tiles
        Called once, with inputs and `finish` of the moved frame; output pixels are input pixels (scale 1).
    inputs, finish
        As for `run_tiled`, in the coordinates of the frame as it is.
    symmetry
        What takes the frame to the one the network shall see.
    shape
        Height and width of the frame as it is.

    Returns
    -------
    dict
        What ``run_tiles`` returns, moved back: views of its arrays, of the frame's own shape.
    """
    if symmetry.is_identity:
        return run_tiles(inputs, finish)
    back = symmetry.inverse
    moved_shape = symmetry.shape(shape)

    def window_of(source: Plane | Window) -> Plane | Window:
        if not callable(source):
            return symmetry.apply(source)
        return lambda y0, y1, x0, x1: symmetry.apply(source(*back.box(y0, y1, x0, x1, moved_shape)))

    def finish_back(y: int, x: int, planes: dict[str, Plane]) -> Mapping[str, NDArray[Any]]:
        assert finish is not None
        height, width = next(iter(planes.values())).shape[:2]
        y0, _, x0, _ = back.box(y, y + height, x, x + width, moved_shape)
        kept = finish(y0, x0, {name: back.apply(plane) for name, plane in planes.items()})
        return {name: symmetry.apply(np.asarray(plane)) for name, plane in kept.items()}

    moved = {name: window_of(source) for name, source in inputs.items()}
    found = run_tiles(moved, None if finish is None else finish_back)
    return {name: back.apply(plane) for name, plane in found.items()}
