"""Run a network over a whole frame, tile by tile, so that nobody can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Window = Callable[[int, int, int, int], Plane]
"""``(y0, y1, x0, x1)`` inside the frame → that part of a plane, ``(y1 − y0, x1 − x0[, C])``."""
Run = Callable[[dict[str, Plane]], Mapping[str, Plane]]
"""Named NCHW tensors in, named NCHW tensors out."""
Finish = Callable[[int, int, dict[str, Plane]], Mapping[str, NDArray[Any]]]
"""``(y0, x0, outputs)`` of one tile, in output pixels → what to keep of it."""


def run_tiled(
    run: Run,
    inputs: Mapping[str, Plane | Window],
    outputs: Mapping[str, int],
    tile: int,
    halo: int,
    multiple: int,
    scale: int = 1,
    period: tuple[int, int] = (2, 2),
    origin: tuple[int, int] = (0, 0),
    shape: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
    finish: Finish | None = None,
    outside: Mapping[str, float] | None = None,
) -> dict[str, NDArray[Any]]:
    """Apply a network of bounded reach to a frame of any size, by tiles of one shape.

    Equals one run over the whole frame to float accuracy. Beyond its borders the frame goes on by
    reflection that keeps the CFA phase (`reflect`), in each tile by itself: no padded copy of the frame is
    made. While the network runs on one tile, another thread gathers the next and keeps the one before: memory beyond
    inputs and outputs is that of three tiles.

    Parameters
    ----------
    run
        The network, ``{name: (1, C, h, w)} -> {name: (1, C, scale·h, scale·w)}``, float32.
    inputs
        Per input, the plane ``(H, W)`` or ``(H, W, C)``, or a function that computes a window of it, so
        that what derives from another plane (sigma) needs no array of the frame's size. A window is asked
        for anew by every tile that overlaps it: its values must depend on the position alone.
    outputs
        Channels of each output; those with one are returned ``(H, W)``.
    tile
        The greatest side of a tile without its halo. Tiles are evened out over the frame, so most frames
        use a little less. Rounded up, as is `halo`, to multiples of `multiple` and of the period.
    halo
        Pixels of context around a tile, at least the network's reach.
    multiple
        What the network's input sides must be multiples of, and all tiles start on.
    scale
        Output pixels per input pixel along each axis.
    period
        Height and width of the CFA's repeating unit; ``(1, 1)`` for full-color planes.
    origin
        Pixel ``(y, x)`` of the frame at which the canonical phase begins (`Cfa.offset_to`): every tile
        starts in that phase, on whatever pixel the frame starts.
    shape
        The frame's ``(H, W)``; needed only where every input is a function.
    progress
        Called after each tile with the tiles done and their total.
    finish
        Turns a tile's outputs into what is stitched: other names, channels or dtypes, or nothing. Gets
        views of the network's own tensors, ``(h, w[, C])``; default: the outputs as they are.
    outside
        Inputs that do not go on by reflection but have this one value everywhere beyond the frame's borders,
        in the halo as in what rounds a tile up to the grid.

    Returns
    -------
    dict
        Per output, ``(scale·H, scale·W[, C])`` float32, or what `finish` returned, stitched.
    """
    height, width = _frame_shape(inputs, shape)
    windows = {name: source if callable(source) else _window(source) for name, source in inputs.items()}
    tops, core_y, halo_y = _grid(height, tile, halo, lcm(multiple, period[0]), origin[0])
    lefts, core_x, halo_x = _grid(width, tile, halo, lcm(multiple, period[1]), origin[1])
    beyond = outside or {}
    if unknown := set(beyond) - set(inputs):
        raise ValueError(f"outside names {', '.join(sorted(unknown))}, which is no input")
    stitched: dict[str, NDArray[Any]] = {}

    def gather(top: int, left: int) -> dict[str, Plane]:
        rows = reflect(np.arange(top - halo_y, top + core_y + halo_y), height, period[0])
        cols = reflect(np.arange(left - halo_x, left + core_x + halo_x), width, period[1])
        tensors = {name: _gather(window, rows, cols) for name, window in windows.items()}
        for name, value in beyond.items():
            _fill_beyond(tensors[name], value, top - halo_y, left - halo_x, height, width)
        return tensors

    def keep(top: int, left: int, found: Mapping[str, Plane]) -> None:
        y0, y1 = max(top, 0) * scale, min(top + core_y, height) * scale
        x0, x1 = max(left, 0) * scale, min(left + core_x, width) * scale
        inner = np.s_[
            y0 - (top - halo_y) * scale : y1 - (top - halo_y) * scale,
            x0 - (left - halo_x) * scale : x1 - (left - halo_x) * scale,
        ]
        sides = ((core_y + 2 * halo_y) * scale, (core_x + 2 * halo_x) * scale)
        planes: Mapping[str, NDArray[Any]] = {
            name: _plane(name, found[name], channels, sides)[inner] for name, channels in outputs.items()
        }
        for name, plane in (finish(y0, x0, dict(planes)) if finish else planes).items():
            if name not in stitched:
                stitched[name] = np.empty((height * scale, width * scale, *plane.shape[2:]), plane.dtype)
            stitched[name][y0:y1, x0:x1] = plane

    places = [(y, x) for y in tops for x in lefts]
    with ThreadPoolExecutor(1) as beside:
        gathered = beside.submit(gather, *places[0])
        kept: Future[None] | None = None
        for done, place in enumerate(places, start=1):
            tensors = gathered.result()
            if done < len(places):
                gathered = beside.submit(gather, *places[done])
            found = run(tensors)
            if kept is not None:
                kept.result()
            kept = beside.submit(keep, *place, found)
            if progress:
                progress(done, len(places))
        if kept is not None:
            kept.result()
    return stitched


def covered_pixels(
    shape: tuple[int, int],
    tile: int,
    halo: int,
    multiple: int,
    period: tuple[int, int] = (2, 2),
    origin: tuple[int, int] = (0, 0),
) -> int:
    """Input pixels that a network computes in `run_tiled`: those of the frame, and again those of the halos."""
    total = 1
    for size, step, start in zip(shape, period, origin, strict=True):
        starts, core, reach = _grid(size, tile, halo, lcm(multiple, step), start)
        total *= len(starts) * (core + 2 * reach)
    return total


def reflect(index: NDArray[np.intp], size: int, period: int) -> NDArray[np.intp]:
    """Where a frame's pixels are found beyond its borders: reflected, in the same CFA phase.

    The frame is mirrored about its border pixels as often as it takes, then moved to the nearest pixel whose
    index agrees with the one asked for modulo the period. With periods 1 and 2 the mirror keeps the phase
    by itself. A frame smaller than the period lacks some phases; there the mirrored pixel is taken.

    Parameters
    ----------
    index
        Any integers; those in ``0 … size − 1`` stay as they are.
    size
        Pixels of the frame along the axis, at least 1.
    period
        Of the CFA along the axis.

    Returns
    -------
    ndarray
        Indices in ``0 … size − 1``.
    """
    turn = max(2 * (size - 1), 1)
    mirrored = index % turn
    mirrored = np.minimum(mirrored, turn - mirrored) if size > 1 else mirrored
    ahead = (index - mirrored) % period
    nearest = mirrored + np.where(2 * ahead > period, ahead - period, ahead)
    nearest = nearest + period * ((nearest < 0).astype(np.intp) - (nearest >= size))
    return np.where((nearest >= 0) & (nearest < size), nearest, mirrored)


def _grid(size: int, tile: int, halo: int, step: int, origin: int) -> tuple[range, int, int]:
    """Along one axis: where the tiles start, their size without halo, and the halo, all on the grid."""
    first = -(-origin % step)
    cells = -(-(size - first) // step)
    count = -(-cells // -(-tile // step))
    core = -(-cells // count) * step
    return range(first, size, core), core, -(-halo // step) * step


def _frame_shape(inputs: Mapping[str, Plane | Window], shape: tuple[int, int] | None) -> tuple[int, int]:
    """The one ``(H, W)`` of all planes."""
    shapes = {(plane.shape[0], plane.shape[1]) for plane in inputs.values() if not callable(plane)}
    shapes |= {shape} if shape else set()
    if len(shapes) != 1 or min(min(shapes)) < 1:
        raise ValueError(f"planes of one frame must share one height and width, not {sorted(shapes)}")
    return shapes.pop()


def _window(plane: Plane) -> Window:
    """An array as the function that computes its windows."""
    return lambda y0, y1, x0, x1: plane[y0:y1, x0:x1]


def _gather(window: Window, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> Plane:
    """Those rows and columns as a contiguous ``(1, C, h, w)`` float32 tensor."""
    y0, x0 = int(rows.min()), int(cols.min())
    plane = np.asarray(window(y0, int(rows.max()) + 1, x0, int(cols.max()) + 1))
    layers = plane[None] if plane.ndim == 2 else np.moveaxis(plane, 2, 0)
    tensor = np.empty((1, len(layers), rows.size, cols.size), np.float32)
    inside = layers.shape[1:] == tensor.shape[2:] and _ascending(rows) and _ascending(cols)
    for channel, layer in enumerate(layers):
        tensor[0, channel] = layer if inside else layer.take(rows - y0, axis=0).take(cols - x0, axis=1)
    return tensor


def _ascending(index: NDArray[np.intp]) -> bool:
    """Whether every index is one more than the one before: nothing was reflected."""
    return bool((np.diff(index) == 1).all())


def _fill_beyond(tensor: Plane, value: float, top: int, left: int, height: int, width: int) -> None:
    """Write ``value`` where a tensor whose first pixel is ``(top, left)`` reaches beyond the frame, in place."""
    above, below = max(-top, 0), max(height - top, 0)
    before, behind = max(-left, 0), max(width - left, 0)
    tensor[..., :above, :] = value
    tensor[..., below:, :] = value
    tensor[..., :before] = value
    tensor[..., behind:] = value


def _plane(name: str, tensor: Plane, channels: int, shape: tuple[int, int]) -> Plane:
    """A ``(1, C, h, w)`` tensor as a view ``(h, w)`` or ``(h, w, C)``."""
    if tensor.shape != (1, channels, *shape):
        raise ValueError(f"network output {name!r} is {tensor.shape}, expected {(1, channels, *shape)}")
    return tensor[0, 0] if channels == 1 else np.moveaxis(tensor[0], 0, 2)
