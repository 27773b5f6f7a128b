"""Which color code of a DNG is which channel, and in which order the file speaks of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import INFRARED, Cfa
from rawfix.errors import UnsupportedRawError
from rawfix.io.dng_tags import RawTags

_VISIBLE = (0, 1, 2)
_FOURTH, _UNASSIGNED = 3, 7
"""TIFF/EP gives 3 to 6 to cyan, magenta, yellow and white, and nothing to the codes above."""


def cfa_of(name: str, raw: RawTags, color_matrix: NDArray[np.float64] | None) -> Cfa:
    """The filter array of a DNG by its own tags, from the top left of its active area.

    The specification knows no infrared. A fourth color is taken for it where its code is none of TIFF/EP's,
    or is 3 and the color matrix says that it answers to no visible light, or speaks of three planes only.

    Raises
    ------
    UnsupportedRawError
        A staggered layout, or a filter of another color than red, green, blue and infrared.
    """
    assert raw.pattern is not None
    others = sorted(set(raw.pattern.flat) - set(_VISIBLE))
    infrared = [code for code in others if _is_infrared(int(code), raw, color_matrix)]
    if raw.layout != 1 or others != infrared or len(others) > 1:
        codes = ", ".join(str(code) for code in sorted(set(raw.pattern.flat)))
        raise UnsupportedRawError(
            f"{name}: its filter array (layout {raw.layout}, colors {codes}) is not a rectangular one of red, "
            "green, blue and infrared; rawfix cannot develop it"
        )
    return Cfa.from_array(np.where(raw.pattern > max(_VISIBLE), INFRARED, raw.pattern))


def _is_infrared(code: int, raw: RawTags, color_matrix: NDArray[np.float64] | None) -> bool:
    if code != _FOURTH:
        return code >= _UNASSIGNED
    if color_matrix is None or len(color_matrix) == len(_VISIBLE) or code not in raw.planes:
        return True
    answer = (
        color_matrix[raw.planes.index(code)] if raw.planes.index(code) < len(color_matrix) else np.ones(3)
    )
    return bool(np.abs(answer).max() < 1e-3 * np.abs(color_matrix).max())


def rows_of(matrix: NDArray[np.float64] | None, order: list[int]) -> NDArray[np.float64] | None:
    """The rows of red, green and blue, ``(3, 3)``; None for no matrix, or one of fewer planes."""
    return None if matrix is None or len(matrix) <= max(order) else matrix[order]


def order_of(raw: RawTags | None) -> list[int]:
    """The planes that hold red, green and blue, wherever the file speaks of one value a plane."""
    if raw is None or not set(_VISIBLE) <= set(raw.planes):
        return list(_VISIBLE)
    return [raw.planes.index(color) for color in _VISIBLE]
