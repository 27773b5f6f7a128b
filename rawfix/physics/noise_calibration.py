"""A camera's noise over its speeds, from frames of anything: better than any one frame can tell.

Frames of one speed are pooled before a line is put through what they show, so flat fields of different brightness
and ordinary pictures serve alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import NoiseModel
from rawfix.physics.noise_estimation import least_variance, line_through, signal_variance, spans

Float = NDArray[np.float64]
Three = tuple[float, float, float]

_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class FrameNoise:
    """What one frame shows of its noise.

    Attributes
    ----------
    points
        For red, green and blue ``(n, 3)``: signal, variance, number of samples.
    row, column
        Deviation of offsets that whole rows, whole columns share, of white.
    floor
        Least variance that is believed: that of the counts' rounding.
    """

    points: tuple[Float, Float, Float]
    row: float
    column: float
    floor: float


@dataclass(frozen=True, slots=True)
class SpeedNoise:
    """Noise at one speed, for signals of 0…1 before white balance.

    Attributes
    ----------
    iso
        The speed.
    shot, read
        Variances by channel, as in `NoiseModel`.
    row, column
        Deviations of offsets that rows, columns share.
    frames
        How many frames it was measured on.
    is_measured
        False where the frames showed too little range of signal: shot and read are then the law's.
    """

    iso: float
    shot: Three
    read: Three
    row: float
    column: float
    frames: int
    is_measured: bool = True


@dataclass(frozen=True, slots=True)
class NoiseCalibration:
    """Noise over speeds, and the law through it: shot = k·gain, read = a + b·gain², gain = ISO / 100.

    Attributes
    ----------
    speeds
        By rising ISO.
    shot_per_gain, read_constant, read_per_gain
        The law's k, a and b by channel.
    residual
        Root mean square of the measured variances' relative deviation from the law.
    """

    speeds: tuple[SpeedNoise, ...]
    shot_per_gain: Three
    read_constant: Three
    read_per_gain: Three
    residual: float

    def law(self, iso: float) -> NoiseModel:
        """Noise by the law, at any speed."""
        gain = iso / 100
        red, green, blue = (k * gain for k in self.shot_per_gain)
        dark = [a + b * gain * gain for a, b in zip(self.read_constant, self.read_per_gain, strict=True)]
        return NoiseModel((red, green, blue), (dark[0], dark[1], dark[2]), "calibrated")

    def at(self, iso: float) -> NoiseModel:
        """Noise at a speed: as measured; between two speeds interpolated; beyond them carried on by the law.

        Sensors that switch their gain leave the law; interpolation follows them.
        """
        speeds = np.log([speed.iso for speed in self.speeds])
        nearest = min(max(iso, self.speeds[0].iso), self.speeds[-1].iso)
        beyond, edge = self.law(iso), self.law(nearest)
        shot: list[float] = []
        read: list[float] = []
        for channel in range(3):
            for found, kind in ((shot, "shot"), (read, "read")):
                values = np.log([getattr(speed, kind)[channel] for speed in self.speeds])
                inside = float(np.exp(np.interp(np.log(nearest), speeds, values)))
                found.append(inside * getattr(beyond, kind)[channel] / getattr(edge, kind)[channel])
        return NoiseModel((shot[0], shot[1], shot[2]), (read[0], read[1], read[2]), "calibrated")


def measure_frame(
    samples: NDArray[np.float32], channels: NDArray[np.integer] | None, *, step: float = 1 / 65535
) -> FrameNoise:
    """What a frame shows of its noise; parameters as of `rawfix.physics.noise_estimation.estimate_noise`."""
    red, green, blue = signal_variance(samples, channels, step=step)
    gray = samples.mean(2) if samples.ndim == 3 else samples
    period = (1, 1) if channels is None else (channels.shape[0], channels.shape[1])
    return FrameNoise(
        (red, green, blue), _lines(gray, period), _lines(gray.T, (period[1], period[0])), least_variance(step)
    )


def calibrate(
    frames: Sequence[tuple[float, FrameNoise]], before: Sequence[SpeedNoise] = ()
) -> NoiseCalibration:
    """Pool frames by speed and put the law through them.

    Parameters
    ----------
    frames
        ``(ISO, what the frame shows)``.
    before
        Speeds that were measured earlier: those of which there is no new frame are kept.

    Raises
    ------
    ValueError
        No speed's frames show enough range of signal to tell shot from read noise.
    """
    shown = sorted({iso for iso, _ in frames})
    speeds = [_speed(iso, [found for speed, found in frames if speed == iso]) for iso in shown]
    speeds = sorted([*speeds, *(known for known in before if known.iso not in shown)], key=lambda s: s.iso)
    known = [speed for speed in speeds if speed.is_measured]
    if not known:
        raise ValueError("the frames show too little range of brightness to tell shot noise from read noise")
    gains = np.array([speed.iso / 100 for speed in known])
    slopes, constants, growths = [], [], []
    for channel in range(3):
        shot = np.array([speed.shot[channel] for speed in known])
        read = np.array([speed.read[channel] for speed in known])
        slopes.append(float(np.median(shot / gains)))
        growth, constant = _quadratic(gains, read)
        constants.append(constant)
        growths.append(growth)
    law = NoiseCalibration(
        (), (slopes[0], slopes[1], slopes[2]), (constants[0], constants[1], constants[2]),
        (growths[0], growths[1], growths[2]), 0.0,
    )  # fmt: skip
    deviations = [
        getattr(speed, kind)[channel] / getattr(law.law(speed.iso), kind)[channel] - 1
        for speed in known
        for kind in ("shot", "read")
        for channel in range(3)
    ]
    filled = tuple(speed if speed.is_measured else _by_law(speed, law) for speed in speeds)
    return NoiseCalibration(
        filled, law.shot_per_gain, law.read_constant, law.read_per_gain,
        float(np.sqrt(np.mean(np.square(deviations)))),
    )  # fmt: skip


def _speed(iso: float, frames: list[FrameNoise]) -> SpeedNoise:
    """One line through everything that the frames of a speed show."""
    floor = min(frame.floor for frame in frames)
    shot, read = [], []
    pooled = [np.concatenate([frame.points[channel] for frame in frames]) for channel in range(3)]
    every = np.concatenate(pooled)
    is_measured = _tells(every)
    for points in pooled:
        slope, dark = line_through(points if _tells(points) else every, floor, skew=1.0)
        shot.append(max(slope, 1e-9))
        read.append(max(dark, floor))
    row, column = (float(np.median([getattr(frame, name) for frame in frames])) for name in ("row", "column"))
    return SpeedNoise(
        iso, (shot[0], shot[1], shot[2]), (read[0], read[1], read[2]),
        row, column, len(frames), is_measured,
    )  # fmt: skip


def _tells(points: Float) -> bool:
    """Whether signals reach from one to its threefold: less leaves shot and read noise in doubt."""
    if not spans(points):
        return False
    low, high = np.quantile(points[:, 0], (0.02, 0.98))
    return bool(high > 3 * max(low, 0.0))


def _by_law(speed: SpeedNoise, law: NoiseCalibration) -> SpeedNoise:
    model = law.law(speed.iso)
    return SpeedNoise(speed.iso, model.shot, model.read, speed.row, speed.column, speed.frames, False)


def _quadratic(gains: Float, read: Float) -> tuple[float, float]:
    """``(b, a)`` of ``read = a + b·gain²``, relative least squares, both at least 0, not both."""
    square, weight = gains**2, 1 / read**2
    total, first, second = weight.sum(), (weight * square).sum(), (weight * square**2).sum()
    level, product = (weight * read).sum(), (weight * square * read).sum()
    determinant = total * second - first**2
    if determinant > 1e-9 * total * second:
        growth, constant = (
            (total * product - first * level) / determinant,
            (second * level - first * product) / (determinant),
        )
        if growth >= 0 and constant >= 0:
            return float(growth), float(constant)
        if constant > 0:
            return 0.0, float(level / total)
    return float(product / second), 0.0


def _lines(plane: NDArray[np.float32], period: tuple[int, int]) -> float:
    """Deviation of offsets that whole rows share, by second differences of the rows' medians.

    What white noise leaves in a median of ``n`` samples, ``π/2 · variance / n``, is taken off.
    """
    estimates = []
    for y in range(period[0]):
        for x in range(period[1]):
            part = np.asarray(plane[y :: period[0], x :: period[1]], np.float64)
            if min(part.shape) < 16:
                continue
            second = part[1:-1] - (part[:-2] + part[2:]) / 2
            shared = np.median(second, axis=1)
            spread = _MAD_TO_SIGMA * float(np.median(np.abs(shared)))
            white = _MAD_TO_SIGMA * float(np.median(np.abs(second - shared[:, None])))
            estimates.append((spread**2 - np.pi / 2 * white**2 / part.shape[1]) / 1.5)
    return float(np.sqrt(max(np.median(estimates), 0.0))) if estimates else 0.0
