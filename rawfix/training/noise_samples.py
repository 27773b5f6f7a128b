"""Bursts as material for a noise generator: truth and real noise of each, and the measures both kinds are held to."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL
from rawfix.errors import CorruptRawError
from rawfix.frame import Image
from rawfix.physics.noise import variance
from rawfix.training.burst_bundle import open_bundle
from rawfix.training.burst_defects import average_frames, replace_bilinear, site_level
from rawfix.training.bursts import make_truth

FRAMES, SIDE = 24, 1024
"""Of a burst, at most so many frames are held, of a window of at most this side."""
_BINS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One scene: its truth and what the camera made of it.

    Attributes
    ----------
    truth
        ``(H, W)`` float32: linear mosaic, black 0, white 1; sides even, in the canonical phase of `family`.
    noisy
        ``(N, H, W)`` float32: frames, defects replaced, fixed pattern kept.
    gains
        ``(2,)`` float32: analog and digital.
    family
        A key of `rawfix.cfa.CANONICAL`.
    """

    truth: Image
    noisy: Image
    gains: Image
    family: str


def read_samples(path: Path, rng: np.random.Generator) -> Samples:
    """Truth and frames of a bundle: a window drawn at random, frames evenly spread; raises CorruptRawError."""
    bundle = open_bundle(path)
    family = bundle.levels.cfa.name
    origin = bundle.levels.cfa.offset_to(CANONICAL[family]) if family in CANONICAL else None
    if origin is None:
        raise CorruptRawError(
            f"{path}: filter array {bundle.levels.cfa.letters}, no crop of which is one the networks know"
        )
    truth = make_truth(bundle)
    levels, period = bundle.levels, bundle.levels.cfa.period
    black, white = levels.black_plane(bundle.shape), levels.white_plane(bundle.shape)
    dark = average_frames(bundle.darks()) if bundle.dark_frames else black
    fixed = (dark - black) / (white - black)
    fixed = np.where(truth.bad, np.float32(0), fixed - site_level(fixed, period))
    window = _draw_window(bundle.shape, period, origin, rng)
    kept = np.flatnonzero(truth.kept)
    chosen = set(kept[np.linspace(0, kept.size - 1, min(FRAMES, kept.size)).astype(int)].tolist())
    # The frames are part of their own average: their residuals are short of 1/N of the variance.
    stretch = np.sqrt(kept.size / max(kept.size - 1, 1))
    noisy = []
    for index, frame in enumerate(bundle.mosaics()):
        if index not in chosen:
            continue
        signal = (frame - dark) / (white - black) * truth.scales[index]
        signal = truth.signal + (signal - truth.signal) * stretch + fixed
        signal = np.where(frame >= white, np.float32(1), np.minimum(signal, 1))
        noisy.append(replace_bilinear(np.asarray(signal, np.float32), truth.bad, period)[window])
    return Samples(truth.signal[window], np.stack(noisy), levels.gains, family)


def _draw_window(
    shape: tuple[int, int], period: tuple[int, int], origin: tuple[int, int], rng: np.random.Generator
) -> tuple[slice, slice]:
    """A window of up to `SIDE` whole units that starts at the canonical phase."""
    slices = []
    for length, unit, start in zip(shape, period, origin, strict=True):
        step = lcm(2, unit)
        side = min(SIDE, length - start) // step * step
        first = start + int(rng.integers((length - start - side) // step + 1)) * step
        slices.append(slice(first, first + side))
    return slices[0], slices[1]


@dataclass(frozen=True, slots=True)
class Law:
    """Measured shot and read variance by gain: the Gaussian part of a camera's noise.

    ``gains`` are analog times digital, rising; ``shot`` and ``read`` belong to signals of 0…1 before white balance.
    """

    gains: tuple[float, ...]
    shot: tuple[float, ...]
    read: tuple[float, ...]

    def at(self, gain: float) -> tuple[float, float]:
        """``(shot, read)`` at a gain, interpolated in logarithms; the nearest measured one beyond either end."""
        shot, read = (
            float(np.exp(np.interp(np.log(gain), np.log(self.gains), np.log(values))))
            for values in (self.shot, self.read)
        )
        return shot, read

    def sigma(self, truth: Image, gains: Image) -> Image:
        """Deviation at ``truth``, float32 in its shape."""
        return np.sqrt(variance(truth, *self.at(float(np.prod(gains)))))


def binned(signal: Image, noise: Image, edges: NDArray[np.float64]) -> tuple[Image, Image, NDArray[np.int64]]:
    """Mean signal, noise variance and number of samples between the edges, each ``(B,)``."""
    index = np.digitize(signal.ravel(), edges[1:-1])
    counts = np.bincount(index, minlength=len(edges) - 1)
    safe = np.maximum(counts, 1)
    sums = [
        np.bincount(index, weights=values.ravel().astype(np.float64), minlength=len(edges) - 1) / safe
        for values in (signal, noise, noise * noise)
    ]
    return np.asarray(sums[0], np.float32), np.asarray(sums[2] - sums[1] ** 2, np.float32), counts


def fit_variance(signal: Image, noise: Image) -> tuple[float, float]:
    """``(shot, read)`` by weighted least squares on binned variances; sites above 0.9 of white clip and are left out.

    ``signal`` and ``noise`` have one shape; both results are positive.
    """
    usable = signal < 0.9
    edges = np.asarray(np.quantile(signal[usable], np.linspace(0, 1, _BINS + 1)), np.float64)
    mean, found, counts = binned(signal[usable], noise[usable], edges)
    filled = counts > 50
    # A variance is known to √(2/n) of itself.
    weight = np.sqrt(counts[filled]) / np.maximum(found[filled], 1e-12)
    design = np.stack((np.maximum(mean[filled], 0), np.ones(filled.sum())), 1)
    shot, read = np.linalg.lstsq(design * weight[:, None], found[filled] * weight, rcond=None)[0]
    least = float(found[filled].min())
    if read <= 0:
        read = 0.02 * least
    return max(float(shot), 1e-3 * least), float(read)


def measure_law(samples: list[Samples]) -> Law:
    """The law of a camera from its bursts, one fit for all bursts of a gain."""
    by_gain: dict[float, list[Samples]] = {}
    for sample in samples:
        by_gain.setdefault(float(np.prod(sample.gains)), []).append(sample)
    fits = []
    for gain in sorted(by_gain):
        chosen = by_gain[gain]
        signal = np.concatenate([np.broadcast_to(s.truth, s.noisy.shape).ravel() for s in chosen])
        noise = np.concatenate([(s.noisy - s.truth).ravel() for s in chosen])
        fits.append(fit_variance(signal, noise))
    return Law(tuple(sorted(by_gain)), tuple(s for s, _ in fits), tuple(r for _, r in fits))


def moments(truth: Image, noise: Image, sigma: Image) -> dict[str, float]:
    """What noise is like, in deviations of the measured law: ``(N, H, W)`` fields on one truth ``(H, W)``.

    Returns
    -------
    variance_dark, variance_bright
        Variance in the darker and the brighter half of the truth.
    row, column
        Correlation of neighbours two apart (one color) along a row, along a column.
    skewness, kurtosis
        Third and excess fourth standardised moment.
    """
    usable = truth < 0.9
    scaled = np.where(usable, noise / sigma, 0)
    values = scaled[:, usable]
    middle = np.median(truth[usable])
    dark = truth[usable] <= middle
    centered = values - values.mean()
    deviation = centered.std()
    correlations = []
    for axis in (1, 0):
        mask, fields = np.moveaxis(usable, axis, 0), np.moveaxis(scaled, axis + 1, 0)
        both = mask[2:] & mask[:-2]
        product = np.moveaxis(fields[2:] * fields[:-2], 1, -1)[both]
        correlations.append(float(product.mean() / deviation**2))
    return {
        "variance_dark": float(values[:, dark].var()),
        "variance_bright": float(values[:, ~dark].var()) if (~dark).any() else float("nan"),
        "row": correlations[0],
        "column": correlations[1],
        "skewness": float(np.mean(centered**3) / deviation**3),
        "kurtosis": float(np.mean(centered**4) / deviation**4 - 3),
    }
