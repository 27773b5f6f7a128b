"""Measuring a sensor's noise from a single frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import NoiseModel, RawFrame

_BLOCK = 8
_BINS = 24
_MIN_BLOCKS = 12
_MAX_SAMPLES = 1 << 21
_SMOOTHEST = 0.15
_QUIETEST = 20
_QUIETEST_SHARE = 0.381
"""Mean energy of the quietest twentieth of blocks of pure noise, where that of all is 1."""
_PLAINLY = 0.6
"""The quietest blocks are believed where they are quieter than the smoothest by more than chance makes them."""
_CLIPPED = 0.95
_SHOT_FLOOR = 1e-7
_FEWEST_ELECTRONS = 4000.0
"""What the smallest photosites of cameras that write RAW hold at ISO 100: noisier light is texture."""
_ELECTRONS_PER_AREA = 500.0
"""What a square micrometer of the least able sensors holds at ISO 100; most hold two to four times as much."""
_MOST_READ_ELECTRONS = 40.0
_PITCHES = (0.7, 15.0)
"""Micrometers from photosite to photosite that are believed."""
_FILM_DIAGONAL = 43.27
"""Millimeters."""
_MAD_TO_SIGMA = 1.4826
_HIGH_PASS_GAIN = 36.0
"""Sum of the squared weights of [1, −2, 1] ⊗ [1, −2, 1]."""


def estimate_noise(
    samples: NDArray[np.float32],
    channels: NDArray[np.integer] | None = None,
    *,
    step: float = 1 / 65535,
    most_shot: float = math.inf,
) -> NoiseModel:
    """Estimate shot and read variance per channel from one frame.

    Every site of the filter array's unit is a plane of same-color samples. A second-difference filter
    removes constants and gradients from it; the smoothest blocks of each range of signal give one
    (signal, variance) pair by median absolute deviation; a robust line with non-negative coefficients goes
    through the pairs. Smoothness is judged on block means, to which the filter is nearly blind: choosing
    blocks by their high frequencies chooses those where the noise happens to be low. Where fine texture is
    everywhere that is what is left to do: the quietest blocks, by as much as pure noise's quietest would be too
    quiet, bound the variance from above.

    Parameters
    ----------
    samples
        ``(H, W)`` mosaic or ``(H, W, 3)`` image, float32, linear: black 0, white 1, before white balance,
        signed (values below black kept).
    channels
        ``(period_y, period_x)`` channel index of each site of a mosaic (0 red, 1 green, 2 blue; others
        are ignored). None for an ``(H, W, 3)`` image, or for a mosaic of one channel.
    step
        Quantisation step in the units of ``samples``; read variance is at least its variance ``step²/12``.
    most_shot
        What shot variance can be at most, see `most_shot`; read noise is then at most that of 40 electrons.

    Returns
    -------
    NoiseModel
        Strictly positive, finite figures, ``source="estimated"``. A channel that shows too little range of
        signal takes the line of all channels together; a frame too small to measure gets the floor.

    References
    ----------
    A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical Poissonian-Gaussian noise modeling and
    fitting for single-image raw-data", IEEE TIP 17(10), 2008, doi:10.1109/TIP.2008.2001399.
    """
    floor = least_variance(step)
    points = signal_variance(samples, channels, step=step)
    pooled = line_through(np.concatenate(points), floor)
    lines = [line_through(own, floor) if spans(own) else pooled for own in points]
    most_read = (_MOST_READ_ELECTRONS * most_shot) ** 2
    lines = [(min(line[0], most_shot), min(line[1], most_read)) for line in lines]
    shot = tuple(max(line[0], _SHOT_FLOOR) for line in lines)
    read = tuple(max(line[1], floor) for line in lines)
    return NoiseModel((shot[0], shot[1], shot[2]), (read[0], read[1], read[2]), "estimated")


def most_shot(frame: RawFrame) -> float:
    """Shot variance that a frame's light has at most, white at 1: noisier light is texture.

    By its speed and by what its photosites hold at ISO 100, at least: 500 electrons a square micrometer, where the
    file tells how large the sensor is, else 4,000. Infinite where no speed is known.
    """
    if not frame.iso:
        return math.inf
    factor = frame.lens_facts.crop_factor
    pitch = 1000 * _FILM_DIAGONAL / factor / math.hypot(*frame.mosaic.shape[:2]) if factor else 0.0
    low, high = _PITCHES
    by_area = _ELECTRONS_PER_AREA * pitch**2 if low < pitch < high else 0.0
    return max(frame.iso, 100) / 100 / max(by_area, _FEWEST_ELECTRONS)


def least_variance(step: float) -> float:
    """Variance of rounding to a quantisation step, below which none is believed."""
    return max(step * step / 12, 1e-12)


def signal_variance(
    samples: NDArray[np.float32], channels: NDArray[np.integer] | None = None, *, step: float = 1 / 65535
) -> list[NDArray[np.float64]]:
    """What a frame shows of its noise: for red, green and blue ``(n, 3)`` signal, variance and number of samples.

    Parameters as of `estimate_noise`. Channels that show nothing have no rows.
    """
    floor = least_variance(step)
    return [_points(planes, floor) if planes else np.zeros((0, 3)) for planes in _planes(samples, channels)]


def _planes(
    samples: NDArray[np.float32], channels: NDArray[np.integer] | None
) -> list[list[NDArray[np.float32]]]:
    """Same-color planes per channel, thinned to whole bands of rows in frames beyond two million samples."""
    if samples.ndim == 3:
        return [[_thin(samples[..., channel])] for channel in range(3)]
    if channels is None:
        return [[_thin(samples)] for _ in range(3)]
    planes: list[list[NDArray[np.float32]]] = [[], [], []]
    rows, columns = channels.shape
    for y in range(rows):
        for x in range(columns):
            if channels[y, x] < 3:
                planes[int(channels[y, x])].append(_thin(samples[y::rows, x::columns]))
    return planes


def _thin(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every n-th band of `_BLOCK` rows where the plane is large."""
    every = -(-plane.size // _MAX_SAMPLES)
    if every == 1:
        return np.asarray(plane, np.float32)
    band = np.arange(plane.shape[0]) // _BLOCK
    return np.asarray(plane[band % every == 0], np.float32)


def _points(planes: list[NDArray[np.float32]], floor: float) -> NDArray[np.float64]:
    """``(n, 3)``: signal, variance and number of samples of each range of signal."""
    parts = [_blocks(plane) for plane in planes if min(plane.shape) >= _BLOCK]
    if not parts:
        return np.zeros((0, 3))
    mean = np.concatenate([part[0] for part in parts])
    roughness = np.concatenate([part[1] for part in parts])
    detail = np.concatenate([part[2] for part in parts])
    if len(mean) < _MIN_BLOCKS:
        return np.zeros((0, 3))
    energy = np.square(detail).mean(1, dtype=np.float64)
    order = np.argsort(mean)
    points = []
    for members in np.array_split(order, min(_BINS, len(order) // _MIN_BLOCKS)):
        count = max(_MIN_BLOCKS, int(_SMOOTHEST * len(members)))
        chosen = members[np.argsort(roughness[members])[:count]]
        variance = (_MAD_TO_SIGMA * float(np.median(np.abs(detail[chosen])))) ** 2
        quiet = members[np.argsort(energy[members])[: -(-len(members) // _QUIETEST)]]
        bound = float(energy[quiet].mean()) / _QUIETEST_SHARE
        if bound < _PLAINLY * variance:
            chosen, variance = quiet, bound
        points.append((float(mean[chosen].mean()), max(variance, floor), float(detail[chosen].size)))
    return np.array(points)


def _blocks(
    plane: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Mean, roughness of the low frequencies, and scaled high-pass samples of each unclipped block."""
    height, width = (length // _BLOCK for length in plane.shape)
    tiles = plane[: height * _BLOCK, : width * _BLOCK].reshape(height, _BLOCK, width, _BLOCK).swapaxes(1, 2)
    blocks = tiles.reshape(-1, _BLOCK, _BLOCK)
    low, high = blocks.min((1, 2)), blocks.max((1, 2))
    # Some sensors saturate below the stated white; their plateau has no noise, and would tilt the line.
    brightest = float(np.quantile(plane, 0.9995))
    usable = high < _CLIPPED * (brightest if 0.8 < brightest < 1 else 1)
    if _is_clipped_below(plane):
        usable &= low > plane.min()
    blocks = blocks[usable]
    quarter = _BLOCK // 2
    means = blocks.reshape(-1, 2, quarter, 2, quarter).mean((2, 4), dtype=np.float64).reshape(-1, 4)
    rows = blocks[:, :-2] - 2 * blocks[:, 1:-1] + blocks[:, 2:]
    detail = rows[:, :, :-2] - 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    detail = (detail / np.float32(np.sqrt(_HIGH_PASS_GAIN))).reshape(len(blocks), (_BLOCK - 2) ** 2)
    return means.mean(1), np.ptp(means, axis=1), detail


def _is_clipped_below(plane: NDArray[np.float32]) -> bool:
    """Whether the least value is a floor on which samples pile up, rather than the tail of the noise."""
    return float(np.mean(plane == plane.min())) > 1e-3


def spans(points: NDArray[np.float64]) -> bool:
    """Whether the signals differ enough to tell shot from read variance."""
    if len(points) < 4:
        return False
    signal, sigma = points[:, 0], float(np.sqrt(np.median(points[:, 1])))
    return float(np.ptp(signal)) > max(0.5 * float(np.abs(signal).mean()), sigma)


def line_through(points: NDArray[np.float64], floor: float, skew: float = 2.0) -> tuple[float, float]:
    """Robust non-negative line ``variance = shot·signal + read`` by reweighted relative least squares.

    Weights fall with the predicted variance squared (the variance of a variance estimate). Texture only
    ever adds, so points above the line lose their say sooner than points below it, by ``skew``; where points
    scatter for other reasons that draws the line down, which 1 does not.
    """
    if not len(points):
        return _SHOT_FLOOR, floor
    signal, variance, count = np.maximum(points[:, 0], 0), points[:, 1], points[:, 2]
    if not spans(points):
        level = float(np.median(variance))
        middle = float(signal.mean())
        return (level / middle, floor) if middle > 0.02 else (_SHOT_FLOOR, level)
    predicted = variance.copy()
    trust = np.ones_like(variance)
    shot, read = 0.0, float(np.median(variance))
    for _ in range(30):
        shot, read = _non_negative_line(signal, variance, trust * count / predicted**2)
        predicted = np.maximum(shot * signal + read, floor)
        residual = (variance - predicted) / predicted
        scale = max(_MAD_TO_SIGMA * float(np.median(np.abs(residual))), 0.02)
        trust = 1 / (1 + (np.where(residual > 0, residual, residual / skew) / scale) ** 2)
    return shot, read


def _non_negative_line(
    signal: NDArray[np.float64], variance: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Weighted least squares with both coefficients at least 0."""
    total, first, second = weight.sum(), (weight * signal).sum(), (weight * signal**2).sum()
    level, product = (weight * variance).sum(), (weight * signal * variance).sum()
    determinant = total * second - first**2
    if determinant > 0:
        shot = (total * product - first * level) / determinant
        read = (second * level - first * product) / determinant
        if shot >= 0 and read >= 0:
            return float(shot), float(read)
        if shot >= 0 and second > 0:
            return float(product / second), 0.0
    return 0.0, float(level / total)
