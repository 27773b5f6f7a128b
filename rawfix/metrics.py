"""How far a picture is from its reference: numpy only, shared by tests, evaluation and training.

Every function takes the picture first and the reference second, as floating or integer arrays of one shape,
and computes in float64.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
AnyImage = NDArray[Any]

D65: tuple[float, float, float] = (0.95047, 1.0, 1.08883)
"""XYZ of the D65 white point, 2° observer (ASTM E308), Y = 1."""

NOTICEABLE = 2.3
"""CIE 1976 difference that is just noticeable (Mahy et al. 1994, doi:10.1002/col.5080190207)."""


def _pair(image: AnyImage, reference: AnyImage, border: int = 0) -> tuple[Float, Float]:
    """Both as float64, ``border`` pixels cut from each side; raises `ValueError` where shapes differ."""
    if image.shape != reference.shape:
        raise ValueError(f"an image of shape {image.shape} has no distance to one of shape {reference.shape}")
    inner = slice(border, -border) if border else slice(None)
    return np.asarray(image[inner, inner], np.float64), np.asarray(reference[inner, inner], np.float64)


def psnr(image: AnyImage, reference: AnyImage, *, peak: float = 1.0, border: int = 0) -> float:
    """Peak signal-to-noise ratio in dB, the squared error averaged over all pixels and channels.

    Parameters
    ----------
    image, reference
        ``(H, W)`` or ``(H, W, C)``.
    peak
        Value of white: 1, or 255 for 8-bit values.
    border
        Pixels left out at each side.

    Returns
    -------
    Infinity for equal images.
    """
    first, second = _pair(image, reference, border)
    error = float(np.mean((first - second) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak * peak / error))


def near_psnr(
    image: AnyImage,
    reference: AnyImage,
    mask: NDArray[np.bool_],
    *,
    size: int = 5,
    peak: float = 1.0,
    border: int = 0,
) -> float:
    """`psnr` over the ``size × size`` neighbourhoods (odd) of the pixels of ``mask (H, W)``; NaN for none."""
    first, second = _pair(image, reference, border)
    padded = np.pad(mask, size // 2)
    height, width = mask.shape
    near = np.zeros(mask.shape, bool)
    for y, x in np.ndindex(size, size):
        near |= padded[y : y + height, x : x + width]
    near = near[border : height - border, border : width - border]
    return psnr(first[near], second[near], peak=peak) if near.any() else float("nan")


def srgb8(linear: AnyImage) -> NDArray[np.uint8]:
    """Linear sRGB → 8-bit sRGB (IEC 61966-2-1), clipped to 0…1 and rounded."""
    light = np.clip(np.asarray(linear, np.float64), 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * encoded), np.uint8)


def cpsnr(image: AnyImage, reference: AnyImage, *, linear: bool = True, border: int = 0) -> float:
    """Color PSNR in dB, as the demosaicing literature gives it: 8-bit sRGB, one error over three channels.

    Parameters
    ----------
    image, reference
        ``(H, W, 3)``. Linear sRGB light, brought to 8 bits by `srgb8`; or 8-bit values where ``linear`` is
        False.
    linear
        What the values are.
    border
        Pixels left out at each side.
    """
    if linear:
        image, reference = srgb8(image), srgb8(reference)
    return psnr(image, reference, peak=255.0, border=border)


def _slide(plane: Float, weights: Float) -> Float:
    """Separable correlation of ``(H, W)`` with ``weights`` along both axes, where the window fits."""
    height, width = (side - len(weights) + 1 for side in plane.shape)
    rows = sum((w * plane[k : k + height] for k, w in enumerate(weights)), np.zeros(()))
    return np.asarray(sum((w * rows[:, k : k + width] for k, w in enumerate(weights)), np.zeros(())))


def ssim(
    image: AnyImage,
    reference: AnyImage,
    *,
    peak: float = 1.0,
    window: Literal["gaussian", "uniform"] = "gaussian",
) -> float:
    """Mean structural similarity, −1…1; 1 for equal images.

    K1 = 0.01, K2 = 0.03, population variances, windows that lie wholly inside the image; of several channels,
    the mean of their similarities.

    Parameters
    ----------
    image, reference
        ``(H, W)`` or ``(H, W, C)``, at least as large as the window.
    peak
        Value of white.
    window
        ``"gaussian"``: 11×11 of standard deviation 1.5, as published; ``"uniform"``: 7×7, all weights equal.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to structural
    similarity", doi:10.1109/TIP.2003.819861.
    """
    weights = np.ones(7) if window == "uniform" else np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = weights / weights.sum()
    first, second = _pair(image, reference)
    if min(first.shape[:2]) < len(weights):
        raise ValueError(f"an image of {first.shape[:2]} is smaller than the window of {len(weights)}")
    if first.ndim == 2:
        first, second = first[..., None], second[..., None]
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    means = []
    for x, y in zip(np.moveaxis(first, 2, 0), np.moveaxis(second, 2, 0), strict=True):
        mean_x, mean_y = _slide(x, weights), _slide(y, weights)
        var_x, var_y = _slide(x * x, weights) - mean_x**2, _slide(y * y, weights) - mean_y**2
        covariance = _slide(x * y, weights) - mean_x * mean_y
        luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        means.append(float(np.mean(luminance * (2 * covariance + c2) / (var_x + var_y + c2))))
    return float(np.mean(means))


def to_lab(xyz: AnyImage, white: tuple[float, float, float] = D65) -> Float:
    """XYZ, Y of white = 1, → CIE 1976 L*a*b* (ISO/CIE 11664-4), ``(…, 3)``."""
    ratio = np.asarray(xyz, np.float64) / np.asarray(white)
    epsilon, kappa = 216 / 24389, 24389 / 27
    f = np.where(ratio > epsilon, np.cbrt(ratio), (kappa * ratio + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -1)


def delta_e_76(lab: AnyImage, reference: AnyImage) -> Float:
    """CIE 1976 color difference of ``(…, 3)`` L*a*b* values: their distance."""
    difference = np.asarray(lab, np.float64) - np.asarray(reference, np.float64)
    return np.asarray(np.sqrt((difference**2).sum(-1)))


def delta_e_2000(lab: AnyImage, reference: AnyImage) -> Float:
    """CIEDE2000 color difference of ``(…, 3)`` L*a*b* values, kL = kC = kH = 1.

    References
    ----------
    Sharma, Wu, Dalal 2005, "The CIEDE2000 color-difference formula: implementation notes, supplementary test
    data, and mathematical observations", doi:10.1002/col.20070. Symbols are theirs.
    """
    l1, a1, b1 = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(reference, np.float64), -1, 0)
    c_mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c_mean7 / (c_mean7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1 = np.degrees(np.arctan2(b1, (1 + g) * a1)) % 360
    h2 = np.degrees(np.arctan2(b2, (1 + g) * a2)) % 360
    gray = c1 * c2 == 0

    turn = h2 - h1
    turn = np.where(gray, 0, turn - 360 * (turn > 180) + 360 * (turn < -180))
    d_l, d_c = l2 - l1, c2 - c1
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))

    l_mean, c_mean, total = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2
    across = np.abs(h1 - h2) > 180
    h_mean = np.where(across, np.where(total < 360, total + 360, total - 360), total) / 2
    h_mean = np.where(gray, total, h_mean)
    t = (
        1
        - 0.17 * np.cos(np.radians(h_mean - 30))
        + 0.24 * np.cos(np.radians(2 * h_mean))
        + 0.32 * np.cos(np.radians(3 * h_mean + 6))
        - 0.20 * np.cos(np.radians(4 * h_mean - 63))
    )
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    rotation = 60 * np.exp(-(((h_mean - 275) / 25) ** 2))
    r_t = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)) * np.sin(np.radians(rotation))
    d_l, d_c, d_h = d_l / s_l, d_c / s_c, d_h / s_h
    # The rotation term can take the sum a rounding error below zero.
    return np.asarray(np.sqrt(np.maximum(d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h, 0)))


def zipper_ratio(lab: AnyImage, reference: AnyImage, *, threshold: float = NOTICEABLE) -> float:
    """Share of inner pixels that zip: 0…1.

    A pixel's partner is the one of its eight neighbours that looks most like it in the reference. It zips
    where the difference to this partner has changed by more than ``threshold`` (CIE 1976).

    Parameters
    ----------
    lab, reference
        ``(H, W, 3)`` L*a*b*, at least 3×3.

    References
    ----------
    Lu, Tan 2003, "Color filter array demosaicking: new method and performance measures",
    doi:10.1109/TIP.2003.816004.
    """
    first, second = _pair(lab, reference)
    height, width = first.shape[0] - 2, first.shape[1] - 2
    steps = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]

    def to_neighbors(image: Float) -> Float:
        center = image[1:-1, 1:-1]
        return np.stack([delta_e_76(image[y : y + height, x : x + width], center) for y, x in steps])

    wanted, found = to_neighbors(second), to_neighbors(first)
    partner = wanted.argmin(0)[None]
    change = np.take_along_axis(found, partner, 0) - np.take_along_axis(wanted, partner, 0)
    return float(np.mean(np.abs(change) > threshold))


def false_color_ratio(lab: AnyImage, reference: AnyImage, *, threshold: float = 2 * NOTICEABLE) -> float:
    """Share of pixels whose ``(a*, b*)`` is off by more than ``threshold``, whatever their lightness: 0…1."""
    first, second = _pair(lab, reference)
    return float(np.mean(delta_e_76(first[..., 1:], second[..., 1:]) > threshold))
