"""Point spread functions: kernels that sum to 1, and the blurs they make.

All lengths are in pixels of the image that is blurred. Kernels are square, odd-sided, float32.
"""

from __future__ import annotations

from math import erf

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

_OVERSAMPLING = 9


def _grid(radius: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres of the sub-pixels of a kernel of side ``2·radius + 1``: (y, x)."""
    side = (2 * radius + 1) * _OVERSAMPLING
    axis = (np.arange(side) - (side - 1) / 2) / _OVERSAMPLING
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x


def _integrate(fine: NDArray[np.float64]) -> Image:
    """Sum sub-pixels into pixels and normalise."""
    side = fine.shape[0] // _OVERSAMPLING
    kernel = fine.reshape(side, _OVERSAMPLING, side, _OVERSAMPLING).sum((1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)


def gaussian(sigma: float) -> Image:
    """Gaussian of standard deviation ``sigma``, integrated over pixels."""
    if sigma <= 0:
        return np.ones((1, 1), np.float32)
    y, x = _grid(max(1, int(np.ceil(3.5 * sigma))))
    return _integrate(np.exp(-(x**2 + y**2) / (2 * sigma**2)))


def spot(shape: tuple[int, int], center: tuple[float, float], sigma: float) -> NDArray[np.float64]:
    """A point's light: a Gaussian of standard deviation ``sigma`` and volume 1, integrated over each pixel.

    ``shape`` is ``(H, W)``, ``center`` (y, x) from the top left corner: the first pixel reaches from 0 to 1.
    """
    down, across = (
        np.diff([erf((edge - middle) / (sigma * 2**0.5)) for edge in range(side + 1)]) / 2
        for middle, side in zip(center, shape, strict=True)
    )
    return np.outer(down, across)


def disc(radius: float) -> Image:
    """Defocus: a uniform disc (geometrical optics, circular aperture)."""
    if radius <= 0:
        return np.ones((1, 1), np.float32)
    y, x = _grid(int(np.ceil(radius)))
    return _integrate((np.hypot(y, x) <= radius).astype(np.float64))


def motion(length: float, angle: float) -> Image:
    """Uniform straight motion over ``length`` pixels at ``angle`` radians from the x axis."""
    if length <= 0:
        return np.ones((1, 1), np.float32)
    y, x = _grid(int(np.ceil(length / 2 + 1)))
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    return _integrate(((np.abs(along) <= length / 2) & (np.abs(across) <= 0.5)).astype(np.float64))


def _bessel_j1(v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bessel function of the first kind, order 1, from its integral form (trapezoidal: spectrally exact)."""
    theta = (np.arange(96) + 0.5) * np.pi / 96
    total = np.zeros_like(v)
    for angle in theta:
        total += np.cos(angle - v * np.sin(angle))
    return total / len(theta)


def airy(first_zero: float) -> Image:
    """Diffraction by a circular aperture; ``first_zero`` is the radius of the first dark ring.

    References
    ----------
    Born and Wolf, Principles of Optics, 8.5.2: I(v) = (2·J1(v)/v)², first zero at v = 3.8317.
    """
    if first_zero <= 0:
        return np.ones((1, 1), np.float32)
    y, x = _grid(max(2, int(np.ceil(3 * first_zero))))
    v = np.maximum(np.hypot(y, x) * (3.8317059702 / first_zero), 1e-6)
    return _integrate((2 * _bessel_j1(v) / v) ** 2)


def low_pass(shift: float) -> Image:
    """Optical low-pass filter: four copies ``shift`` pixels apart (birefringent, four-spot)."""
    size = 3 + 2 * int(np.ceil(abs(shift) / 2))
    center = size // 2
    kernel = np.zeros((size, size), np.float32)
    for dy in (-shift / 2, shift / 2):
        for dx in (-shift / 2, shift / 2):
            y, x = center + dy, center + dx
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            fy, fx = y - y0, x - x0
            for ky, wy in ((y0, 1 - fy), (y0 + 1, fy)):
                for kx, wx in ((x0, 1 - fx), (x0 + 1, fx)):
                    if wy * wx > 0:
                        kernel[ky, kx] += wy * wx / 4
    return kernel


def shifted(kernel: Image, dy: float, dx: float) -> Image:
    """The kernel moved by a sub-pixel lateral shift (chromatic aberration of one channel), bilinear."""
    margin = int(np.ceil(max(abs(dy), abs(dx)))) + 1
    padded = np.pad(kernel, margin)
    for axis, amount in ((0, dy), (1, dx)):
        whole = int(np.floor(amount))
        part = np.float32(amount - whole)
        moved = np.roll(padded, whole, axis)
        padded = (1 - part) * moved + part * np.roll(moved, 1, axis)
    return np.asarray(padded, np.float32)


def blur(image: Image, kernels: tuple[Image, ...]) -> Image:
    """Convolve each channel of ``(H, W, C)`` with its kernel, edges reflected; float32, nothing clipped.

    By FFT: exact for any kernel size, at the cost of one padded copy a channel.
    """
    out = np.empty_like(image)
    for channel, kernel in enumerate(kernels):
        radius_y, radius_x = kernel.shape[0] // 2, kernel.shape[1] // 2
        if kernel.size == 1:
            out[..., channel] = image[..., channel] * kernel[0, 0]
            continue
        padded = np.pad(image[..., channel], ((radius_y, radius_y), (radius_x, radius_x)), mode="symmetric")
        shape = (padded.shape[0] + kernel.shape[0] - 1, padded.shape[1] + kernel.shape[1] - 1)
        full = np.fft.irfft2(np.fft.rfft2(padded, shape) * np.fft.rfft2(kernel, shape), shape)
        height, width = image.shape[:2]
        out[..., channel] = full[2 * radius_y : 2 * radius_y + height, 2 * radius_x : 2 * radius_x + width]
    return out
