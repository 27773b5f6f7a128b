"""Sensor noise: formulas and draws, in numpy.

Signals are linear, black at 0 and white at 1, before white balance, unless a docstring says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, NoiseModel


def variance(signal: Image, shot: NDArray[np.float32] | float, read: NDArray[np.float32] | float) -> Image:
    """Noise variance ``shot·max(signal, 0) + read``; broadcasts, same units as ``signal`` squared.

    Negative signals are noise below black: they have the variance of the dark.

    References
    ----------
    DNG specification 1.4, NoiseProfile; Foi et al. 2008, doi:10.1109/TIP.2008.2001399.
    """
    return np.asarray(np.maximum(signal, np.float32(0)) * shot + read, np.float32)


def from_iso_form(k1: float, k0: float, iso: float, span: float) -> tuple[float, float]:
    """``(shot, read)`` of the form σ² = [k1·(S − OB) + k0]·ISO/100 with S and σ in counts.

    ``span`` is white minus optical black (OB) in counts; the result is for signals of 0…1.
    """
    gain = iso / 100.0
    return k1 * gain / span, k0 * gain / span**2


def at_iso(base: NoiseModel, base_iso: float, iso: float) -> NoiseModel:
    """Noise model at another speed: shot grows with the gain, read (before the amplifier) with its square."""
    gain = iso / base_iso
    red, green, blue = (value * gain for value in base.shot)
    red0, green0, blue0 = (value * gain * gain for value in base.read)
    return NoiseModel((red, green, blue), (red0, green0, blue0), base.source)


@dataclass(frozen=True, slots=True)
class Structure:
    """Noise that is not white: standard deviations in units of white.

    Attributes
    ----------
    row, column
        One Gaussian offset per row, per column.
    fixed_pattern
        Dark-current non-uniformity: one exponential offset a pixel, its mean.
    telegraph, telegraph_share
        Random telegraph signal: amplitude of the jump, and share of pixels that have it.
    """

    row: float = 0.0
    column: float = 0.0
    fixed_pattern: float = 0.0
    telegraph: float = 0.0
    telegraph_share: float = 0.0


def draw_white(signal: Image, shot: Image | float, read: Image | float, rng: np.random.Generator) -> Image:
    """One draw of signal-dependent Gaussian noise (zero mean), float32 in the shape of ``signal``."""
    return np.sqrt(variance(signal, shot, read)) * rng.standard_normal(signal.shape, np.float32)


def draw_structure(shape: tuple[int, int], structure: Structure, rng: np.random.Generator) -> Image:
    """One draw of row, column, fixed-pattern and telegraph noise, ``(H, W)`` float32.

    The fixed pattern keeps its positive mean (dark current); telegraph pixels sit at 0 or at the jump.
    """
    height, width = shape
    noise = np.zeros(shape, np.float32)
    if structure.row:
        noise += np.float32(structure.row) * rng.standard_normal((height, 1), np.float32)
    if structure.column:
        noise += np.float32(structure.column) * rng.standard_normal((1, width), np.float32)
    if structure.fixed_pattern:
        noise += np.float32(structure.fixed_pattern) * rng.standard_exponential(shape, np.float32)
    if structure.telegraph:
        jumps = (rng.random(shape, np.float32) < structure.telegraph_share) & (rng.random(shape) < 0.5)
        noise += np.float32(structure.telegraph) * jumps
    return noise


def quantize(signal: Image, levels: int, *, black: int = 0) -> Image:
    """Round to ``levels`` steps between black and white and clip as an analogue-digital converter does.

    ``black`` counts lie below zero: values reach down to ``-black / levels``.
    """
    return np.asarray(np.clip(np.rint(signal * levels), -black, levels) / np.float32(levels), np.float32)


LUMA = np.array((0.25, 0.5, 0.25), np.float32)
"""Weights of the camera's channels in the luma of a noise map: as often as a Bayer mosaic measures them."""
_LEAST_SHARE = 0.04
"""Of the variance: on even gray, our networks leave 14 to 29 % of the deviation."""


def residual(
    model: NoiseModel,
    luma: float,
    chroma: float,
    wb: tuple[float, float, float] = (1.0, 1.0, 1.0),
    gain: float = 1.0,
    step: float = 0.0,
) -> NoiseModel:
    """What is left of the noise after denoising.

    Of white-balanced noise n, independent from channel to channel, the strengths l and c of luma and color
    leave ``(1 − c) n + (c − l) Σ w n`` with the weights w of `LUMA`, so of channel i's variance v

        ((1 − c)² + 2 (1 − c)(c − l) wᵢ) vᵢ + (c − l)² Σ w² v

    and ``(1 − d)² v`` where both are d. Shot noise of the other channels is that of a gray as bright as the
    channel itself. No network finds all noise, and DNG readers take a shot variance of 0 for an invalid
    profile: a fifth of the deviation always stays.

    Parameters
    ----------
    model
        Of the signal before denoising, before white balance.
    luma, chroma
        The strengths; 0 leaves, 1 removes, others exaggerate.
    wb
        The multipliers under which the noise was split.
    gain
        By how much the signal was made darker afterwards.
    step
        Step of the integers it was rounded to, in units of the darker signal: adds ``step² / 12``.
    """
    balance, weights = np.asarray(wb, np.float64), LUMA.astype(np.float64)
    shot, read = np.asarray(model.shot) * balance, np.asarray(model.read) * balance**2
    own = (1.0 - chroma) ** 2 + 2.0 * (1.0 - chroma) * (chroma - luma) * weights
    shared = (chroma - luma) ** 2
    left = [
        np.maximum(own * v + shared * (weights**2 @ v), _LEAST_SHARE * v) / unit
        for v, unit in ((shot, balance * gain), (read, (balance * gain) ** 2))
    ]
    red, green, blue = (float(v) for v in left[0])
    red0, green0, blue0 = (float(v) + step * step / 12.0 for v in left[1])
    return NoiseModel((red, green, blue), (red0, green0, blue0), model.source)
