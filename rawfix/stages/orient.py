"""Turn the picture the way the camera was held, and make its pixels square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import SettingsError
from rawfix.frame import Image

_STRIP = 64


def orient(image: Image, orientation: int) -> Image:
    """Undo the camera's rotation.

    Parameters
    ----------
    image
        ``(H, W, C)`` or ``(H, W)``, any dtype.
    orientation
        EXIF tag 274, 1…8: where the stored first row and column belong.

    Returns
    -------
    Image
        A view, ``(W, H, …)`` for 5…8; no sample is changed or copied.

    Raises
    ------
    SettingsError
        ``orientation`` is not 1…8.
    """
    if orientation not in range(1, 9):
        raise SettingsError(f"orientation {orientation} is unknown; EXIF has 1 to 8")
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return image[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def square_pixels(image: Image, pixel_aspect: float) -> Image:
    """Stretch the picture along one axis so that its pixels become square.

    The shorter side of a pixel sets the new size, so nothing measured is thrown away. Catmull-Rom's cubic
    (its weights sum to one everywhere: a flat stays flat and the mean is kept); edges repeat the border.

    Parameters
    ----------
    image
        ``(H, W, C)`` float32 in sensor orientation, linear, signed; not mutated.
    pixel_aspect
        Width of a pixel over its height: above 1 the picture grows wider, below 1 it grows taller.

    Returns
    -------
    Image
        float32; ``image`` itself where the size would not change.

    Raises
    ------
    SettingsError
        The aspect is not between 1/4 and 4.

    References
    ----------
    Keys 1981, IEEE Trans. ASSP 29(6), a = −1/2.
    """
    if not 0.25 <= pixel_aspect <= 4.0:
        raise SettingsError(f"pixel aspect {pixel_aspect:g} is not plausible; it must lie in 0.25 to 4")
    height, width = image.shape[:2]
    if pixel_aspect >= 1.0:
        new_width = round(width * pixel_aspect)
        if new_width == width:
            return image
        taps, weights = _catmull_rom(width, new_width)
        stretched = np.empty((height, new_width, *image.shape[2:]), np.float32)
        for y in range(0, height, _STRIP):
            strip = image[y : y + _STRIP]
            stretched[y : y + _STRIP] = _weigh(strip, taps, weights, axis=1)
        return stretched
    new_height = round(height / pixel_aspect)
    if new_height == height:
        return image
    taps, weights = _catmull_rom(height, new_height)
    stretched = np.empty((new_height, *image.shape[1:]), np.float32)
    for y in range(0, new_height, _STRIP):
        stretched[y : y + _STRIP] = _weigh(image, taps[:, y : y + _STRIP], weights[:, y : y + _STRIP], axis=0)
    return stretched


def _catmull_rom(size: int, new_size: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Source indices and weights, both ``(4, new_size)``, of an enlargement that keeps the outer edges."""
    position = (np.arange(new_size) + 0.5) * (size / new_size) - 0.5
    first = np.floor(position).astype(np.intp)
    t = position - first
    weights = np.stack(
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
    )
    taps = np.clip(first + np.arange(-1, 3)[:, None], 0, size - 1)
    return taps, weights.astype(np.float32)


def _weigh(image: Image, taps: NDArray[np.intp], weights: NDArray[np.float32], axis: int) -> Image:
    shape = [1] * image.ndim
    shape[axis] = -1
    total: Image = np.take(image, taps[0], axis) * weights[0].reshape(shape)
    for tap, weight in zip(taps[1:], weights[1:], strict=True):
        total += np.take(image, tap, axis) * weight.reshape(shape)
    return total
