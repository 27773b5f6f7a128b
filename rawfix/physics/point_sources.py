"""Stars against hot pixels: light has come through a lens, a defect has not.

A lens spreads every point over several photosites, whatever their color; a defect sits on one of them. So a
bright sample is a point of light where the *other* samples around it, those of other colors above all, show the
bump of a point spread function that is centered on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel, with_infrared

Sites = tuple[NDArray[np.intp], NDArray[np.intp]]
"""``(rows, columns)`` of photosites, as `numpy.nonzero` gives them."""
Floats = NDArray[np.float32]

REACH = 3
"""Half side of the window that is looked at, pixels."""
WIDTHS = (0.5, 0.6, 0.75, 0.95, 1.2, 1.5)
"""Standard deviations of Gaussian point spread functions, pixels: from a sharp lens without low-pass filter, its
pixel integration included, to mild blur. What is wider is no outlier of one sample."""
OFFSETS = (-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3, 1.0)
"""Where the center may lie, rows and columns from the sample, pixels."""
MISMATCH = 0.1
"""How far real point spread functions, and those between two templates, depart from a template: deviation, of the
third-brightest sample around the site."""
SIGNIFICANT = 36.0
"""Least evidence of other colors: six standard deviations, squared."""
ELSEWHERE = 16.0
"""Least evidence that remains without the site that shows most: two neighboring defects are no star."""
COLOR_RATIO = 4.0
"""Greatest amplitude of one channel over another's, white-balanced: red giants stay below it."""
SATURATED = 0.98
_FITTED = 9
"""Figures a fit is free to choose: amplitude and background of three channels, center, and width."""
_CHUNK = 2048


@dataclass(frozen=True, slots=True)
class _Fit:
    """Per site and template: amplitude, background and evidence (decrease of chi²) of one color."""

    amplitude: Floats
    background: Floats
    evidence: Floats
    precision: Floats


def _templates() -> tuple[Floats, Floats]:
    """Point spread functions ``(49, T)``, 1 at their center, and ``(49,)`` the window's distance mask."""
    axis = np.arange(-REACH, REACH + 1, dtype=np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    shapes = [
        np.exp(-((y - dy) ** 2 + (x - dx) ** 2) / (2 * width**2)).ravel()
        for width in WIDTHS for dy in OFFSETS for dx in OFFSETS
    ]  # fmt: skip
    inside = (y**2 + x**2 <= (REACH + 0.2) ** 2).ravel()
    return np.stack(shapes, 1).astype(np.float32), inside.astype(np.float32)


_SHAPES, _INSIDE = _templates()
_SQUARES = _SHAPES**2
_CENTER = (2 * REACH + 1) * REACH + REACH


def are_point_sources(
    mosaic: Image,
    sites: Sites,
    cfa: Cfa,
    wb: tuple[float, float, float],
    noise: NoiseModel,
    worthless: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Which bright samples are points of light rather than defects.

    A site is one where a Gaussian of `WIDTHS`, centered within a pixel of it, with one amplitude and one
    background a channel, explains the *other* sites of its window: significantly in other channels, not by one
    site alone, up to noise and `MISMATCH`; and where the sample is no brighter than such a point may be. Blown
    cores, which measure nothing, are told by their neighbors, blown or bright in several colors as well.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, white-balanced, 1 the saturation of green, unclipped.
    sites
        The samples in question, N of them; those that are not above their surroundings are no points of light.
    cfa, wb, noise
        Of the mosaic: filter array from its first pixel, the multipliers it carries, noise before them.
    worthless
        ``(H, W)`` bool: samples that are not to be looked at, or None.

    Returns
    -------
    ``(N,)`` bool.
    """
    gain = with_infrared(wb)
    shot = with_infrared(noise.shot) * gain
    read = with_infrared(noise.read) * gain**2
    found = np.zeros(len(sites[0]), bool)
    for start in range(0, len(found), _CHUNK):
        part = (sites[0][start : start + _CHUNK], sites[1][start : start + _CHUNK])
        values, colors, usable = _windows(mosaic, part, cfa, worthless)
        full = values >= SATURATED * gain[colors]
        variance = shot[colors] * np.maximum(values, 0) + read[colors]
        middle = np.median(values, axis=1, keepdims=True)
        usable[:, _CENTER] = False
        around = np.where(usable & ~full, values, middle)
        peak = np.partition(around, -3, axis=1)[:, -3:-2] - middle
        weights = usable * ~full * _INSIDE / (variance + (np.float32(MISMATCH) * peak) ** 2)
        fitted = _is_bump(values, colors, weights, full[:, _CENTER])
        blown = full[:, _CENTER] & _has_blown_neighbors(full)
        found[start : start + _CHUNK] = (fitted | blown) & (values[:, _CENTER] > middle[:, 0])
    return found


def _windows(
    mosaic: Image, sites: Sites, cfa: Cfa, worthless: NDArray[np.bool_] | None
) -> tuple[Floats, NDArray[np.intp], NDArray[np.bool_]]:
    """Values, channels and usability of the 49 samples around each site, all ``(N, 49)``."""
    height, width = mosaic.shape
    steps = np.arange(-REACH, REACH + 1)
    dy, dx = (offsets.ravel() for offsets in np.meshgrid(steps, steps, indexing="ij"))
    y, x = sites[0][:, None] + dy, sites[1][:, None] + dx
    usable = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    colors = cfa.unit()[y % cfa.period[0], x % cfa.period[1]].astype(np.intp)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    if worthless is not None:
        usable &= ~worthless[y, x]
    return mosaic[y, x], colors, usable


def _fit(values: Floats, weights: Floats) -> _Fit:
    """Weighted least squares of ``background + amplitude · template`` for every template at once."""
    total = weights.sum(1, keepdims=True)
    level = (weights * values).sum(1, keepdims=True)
    shape, square = weights @ _SHAPES, weights @ _SQUARES
    product = (weights * values) @ _SHAPES
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.nan_to_num(square - shape**2 / total)
        covariance = np.nan_to_num(product - shape * level / total)
        # A template that the usable sites do not sample says nothing.
        sampled = precision > 1e-4 * weights.max(1, initial=0, keepdims=True)
        amplitude = np.where(sampled, covariance / precision, 0)
        background = np.nan_to_num((level - amplitude * shape) / total)
    evidence = np.where(amplitude > 0, amplitude * covariance, 0)
    return _Fit(amplitude, background, evidence, np.where(sampled, precision, 0))


def _is_bump(
    values: Floats, colors: NDArray[np.intp], weights: Floats, blown: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the sites around the center show a point spread function, and the center belongs to it."""
    every = np.arange(len(values))
    own_color = colors[:, _CENTER]
    fits = [_fit(values, weights * (colors == channel)) for channel in range(int(colors.max()) + 1)]
    is_own = own_color == np.arange(len(fits))[:, None]
    best = np.argmax(sum(fit.evidence for fit in fits), axis=1)

    def chosen(name: str) -> Floats:
        return np.stack([getattr(fit, name)[every, best] for fit in fits])

    amplitude, background, evidence = (chosen(name) for name in ("amplitude", "background", "evidence"))
    amplitude = np.maximum(amplitude, 0)
    shape = _SHAPES[:, best].T
    bump = amplitude[colors, every[:, None]] * shape
    above = values - background[colors, every[:, None]]
    gain = weights * (2 * bump * above - bump**2)
    elsewhere = np.where(colors != own_color[:, None], gain, 0)
    left = (weights * (above - bump) ** 2).sum(1)
    freedom = np.maximum((weights > 0).sum(1) - _FITTED, 1)
    fits_well = left <= freedom + 3 * np.sqrt(2 * freedom) + 0.1 * evidence.sum(0)
    # Where texture is left over, chance bumps are as high as it is: evidence counts in its units (an F-test).
    unrest = np.maximum(left / freedom, 1)
    significant = np.where(is_own, 0, evidence).sum(0) >= SIGNIFICANT * unrest
    several = elsewhere.sum(1) - elsewhere.max(1) >= ELSEWHERE * unrest

    center = np.maximum(shape[:, _CENTER], 1e-3)
    claimed = above[:, _CENTER] / center
    other = np.where(is_own, 0, amplitude).max(0)
    with np.errstate(divide="ignore"):
        uncertain = 1 / np.sqrt(np.where(is_own, chosen("precision"), 0).sum(0))
    measured = np.where(is_own, amplitude, 0).sum(0)
    plausible = (claimed <= COLOR_RATIO * other) & (claimed <= 3 * measured + 5 * uncertain)
    return np.asarray(significant & several & fits_well & plausible)


def _has_blown_neighbors(full: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether four or more of the eight touching sites are saturated."""
    side = 2 * REACH + 1
    touching = [_CENTER + dy * side + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
    return np.asarray(full[:, touching].sum(1) >= 4)
