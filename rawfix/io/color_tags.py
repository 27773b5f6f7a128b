"""The color matrix that a DNG states."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.io.tag_reader import TagNotes, numbers_of, value_of

_PREFERENCE = {21: 0, 20: 1, 22: 2, 23: 3}
"""Calibration illuminants (D65, D55, D75, D50) by how near they are to D65."""
_CALIBRATIONS = ((50778, 50721), (50779, 50722))


def color_matrix(first: Any, notes: TagNotes) -> NDArray[np.float64] | None:
    """XYZ → camera under the calibration illuminant nearest to D65, AnalogBalance applied.

    Returns
    -------
    NDArray or None
        ``(planes, 3)``, three or four planes; None where the first directory states no such matrix.
    """
    found: list[tuple[int, NDArray[np.float64]]] = []
    for illuminant, code in _CALIBRATIONS:
        matrix = notes.attempt(code, partial(_matrix, first, code), None)
        if matrix is not None:
            light = notes.attempt(illuminant, partial(_light, first, illuminant), 0)
            found.append((_PREFERENCE.get(light, 9), matrix))
    if not found:
        return None
    matrix = min(found, key=lambda entry: entry[0])[1]
    balance: list[float] = notes.attempt(50727, partial(numbers_of, first, 50727), [])
    return np.diag(balance) @ matrix if len(balance) == len(matrix) else matrix


def _matrix(first: Any, code: int) -> NDArray[np.float64] | None:
    matrix = np.array(numbers_of(first, code)).reshape(-1, 3)
    return matrix if len(matrix) in (3, 4) else None


def _light(first: Any, code: int) -> int:
    return int(value_of(first, code, 0))
