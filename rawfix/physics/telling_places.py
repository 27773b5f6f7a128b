"""Where in a picture noise and blur show best: a flat place in the shadows, and the strongest edge."""

from __future__ import annotations

import numpy as np

from rawfix.frame import Image

_BLOCK = 4
_CLIPPED = 0.95
_BLACK = 0.002
_DARK_SHARE = 0.4


def telling_places(light: Image, side: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Top left corners ``(y, x)`` of two squares: the flattest dark one, and that around the strongest edge.

    Parameters
    ----------
    light
        ``(H, W)`` float32, one channel, linear, saturating at 1; at least 8 pixels a side.
    side
        Side of the squares, no longer than the picture's shorter one.

    Notes
    -----
    Both look at means of 4 × 4 pixels, in which noise counts little. Dark are the darkest two fifths of the squares,
    pure black aside; what saturates is no edge.
    """
    height, width = (size // _BLOCK for size in light.shape)
    if not height or not width:
        return (0, 0), (0, 0)
    means = light[: height * _BLOCK, : width * _BLOCK].reshape(height, _BLOCK, width, _BLOCK).mean((1, 3))
    reach = max(1, side // _BLOCK)
    step = max(1, reach // 4)
    squares = [
        (float(square.mean()), float(square.std()), y * _BLOCK, x * _BLOCK)
        for y in range(0, max(1, height - reach + 1), step)
        for x in range(0, max(1, width - reach + 1), step)
        for square in (means[y : y + reach, x : x + reach],)
    ]
    lit = [square for square in squares if square[0] > _BLACK] or squares
    dark = sorted(lit)[: max(1, round(_DARK_SHARE * len(lit)))]
    _, _, dark_y, dark_x = min(dark, key=lambda square: square[1])
    return (dark_y, dark_x), _around(_strongest_edge(means), side, light.shape)


def _strongest_edge(means: Image) -> tuple[int, int]:
    """Middle, in pixels, of the pair of neighboring blocks that differ most and do not saturate."""
    best, place = -1.0, (0, 0)
    for down, right in ((1, 0), (0, 1)):
        one = means[: means.shape[0] - down, : means.shape[1] - right]
        other = means[down:, right:]
        contrast = np.where(np.maximum(one, other) < _CLIPPED, np.abs(other - one), -1.0)
        if contrast.size and (most := float(contrast.max())) > best:
            y, x = np.unravel_index(int(contrast.argmax()), contrast.shape)
            best, place = most, ((int(y) + down) * _BLOCK, (int(x) + right) * _BLOCK)
    return place


def _around(middle: tuple[int, int], side: int, shape: tuple[int, ...]) -> tuple[int, int]:
    y, x = (min(max(at - side // 2, 0), max(size - side, 0)) for at, size in zip(middle, shape, strict=True))
    return y, x
