"""Truth from a burst: what many frames of one still scene agree on, defects, flicker and clipping put right.

The steps are those of US 12,394,023 B2: average of dark frames, removal of defects by a threshold on the departure
from it, intensity alignment with rejection by a confidence interval, clipped values replaced by their mode over the
frames, average. Each is a function of arrays; `make_truth` reads the frames one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import CorruptRawError
from rawfix.frame import Image
from rawfix.physics.defects import Bool
from rawfix.training.burst_bundle import Bundle
from rawfix.training.burst_defects import average_frames, find_deaf, find_defects, replace_bilinear

CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a burst tells of its scene.

    Attributes
    ----------
    signal
        ``(H, W)`` float32: linear mosaic, black 0, white 1, before white balance; not below what noise leaves.
    bad
        ``(H, W)`` bool: defective sites, whose signal is interpolated.
    kept
        ``(N,)`` bool: frames that agree in brightness.
    scales
        ``(N,)`` float64: factor that brings each frame to the common brightness.
    """

    signal: Image
    bad: Bool
    kept: NDArray[np.bool_]
    scales: NDArray[np.float64]


def align_intensity(
    means: NDArray[np.float64], confidence: float = CONFIDENCE
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Frames whose mean brightness lies in the confidence interval, and factors that make them equally bright.

    The interval is that of a normal distribution with the means' median and robust deviation (1.4826 MAD): of ten
    frames, one outlier widens the plain deviation so far that it could never be rejected.

    Parameters
    ----------
    means
        ``(N,)``: mean signal of each frame, positive.

    Returns
    -------
    kept, scales
        ``(N,)`` bool; ``(N,)`` float64, mean of the kept over each mean.
    """
    center = float(np.median(means))
    deviation = 1.4826 * float(np.median(np.abs(means - center)))
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * deviation
    kept = np.abs(means - center) <= reach + 1e-9 * abs(center)
    return kept, float(means[kept].mean()) / means


def find_mode(values: Image) -> Image:
    """Mode of each column of ``(N, K)`` → ``(K,)`` float32, by the half-sample method.

    Counts of noisy frames hardly repeat: the densest half is sought, and its densest half, until three are left.

    References
    ----------
    Bickel and Frühwirth 2006, doi:10.1016/j.csda.2005.07.011.
    """
    ordered = np.sort(np.asarray(values, np.float64), axis=0)
    columns = np.arange(ordered.shape[1])
    while (count := ordered.shape[0]) > 3:
        half = -(-count // 2)
        start = np.argmin(ordered[half - 1 :] - ordered[: count - half + 1], axis=0)
        ordered = ordered[start + np.arange(half)[:, None], columns]
    if ordered.shape[0] < 3:
        return np.asarray(ordered.mean(0), np.float32)
    low, middle, high = ordered
    lower, upper = (low + middle) / 2, (middle + high) / 2
    gaps = np.sign((middle - low) - (high - middle))
    return np.asarray(np.where(gaps < 0, lower, np.where(gaps > 0, upper, middle)), np.float32)


def average_unclipped(
    frames: Callable[[], Iterator[tuple[Image, Bool]]], scales: NDArray[np.float64]
) -> tuple[Image, int]:
    """Average of frames in which clipped values gave way to the mode of their site over all frames.

    A stray clipped value (a particle, a telegraph jump) becomes what the site mostly shows; where clipping is what it
    mostly shows, the mode is white. In between, within about two deviations of white, truth stays as low as a plain
    average is: no noise is to be measured there.

    Parameters
    ----------
    frames
        Gives, anew each time, the frames' signals ``(H, W)`` and where they are clipped.
    scales
        Factor of each frame; clipped values and their modes are not scaled, white is white.

    Returns
    -------
    average, sites
        ``(H, W)`` float32, and at how many sites some frame clipped.
    """
    some = None
    for _, clipped in frames():
        some = clipped.copy() if some is None else some | clipped
    if some is None:
        raise ValueError("no frames to average")
    if some.any():
        modes = find_mode(np.stack([signal[some] for signal, _ in frames()]))
    total = np.zeros(some.shape, np.float64)
    for (signal, clipped), scale in zip(frames(), scales, strict=True):
        scaled = signal * scale
        if some.any():
            scaled[some] = np.where(clipped[some], modes, scaled[some])
        total += scaled
    return np.asarray(total / len(scales), np.float32), int(some.sum())


def make_truth(bundle: Bundle, *, threshold: float | None = None, confidence: float = CONFIDENCE) -> Truth:
    """Truth of a bundle; reads its frames several times, never holds them all.

    Without dark frames the black level stands for their average, and no defect but deaf sites is found.

    Raises
    ------
    CorruptRawError
        Fewer than two frames, or a burst without light.
    """
    if bundle.frames < 2:
        raise CorruptRawError(
            f"{bundle.path}: {bundle.frames} frame is no burst; give two or more, better thirty"
        )
    levels, period = bundle.levels, bundle.levels.cfa.period
    black, white = levels.black_plane(bundle.shape), levels.white_plane(bundle.shape)
    dark = average_frames(bundle.darks()) if bundle.dark_frames else black
    bad, limit = find_defects(bundle.darks(), dark, period, threshold)
    span = white - black

    def frames() -> Iterator[tuple[Image, Bool]]:
        for frame in bundle.mosaics():
            clipped = (frame >= white) | (frame == 0)
            signal = np.where(frame >= white, np.float32(1), (frame - dark) / span)
            yield np.asarray(replace_bilinear(signal, bad, period), np.float32), clipped & ~bad

    bright = sum(signal for signal, _ in frames()) / bundle.frames
    bad |= find_deaf(bright * span, period, max(limit, 0.005 * float(span.mean())))
    clips = np.zeros(bundle.shape, np.int64)
    for _, clipped in frames():
        clips += clipped
    if (clips[~bad] == bundle.frames).all():
        raise CorruptRawError(f"{bundle.path}: every site clips in every frame; expose less")
    steady = ~bad & (clips == clips[~bad].min())
    means = np.array([float(signal[steady].mean(dtype=np.float64)) for signal, _ in frames()])
    if np.median(means) <= 0:
        raise CorruptRawError(
            f"{bundle.path}: its frames are no brighter than the dark; dark frames go in as darks"
        )
    kept, scales = align_intensity(means, confidence)

    def agreeing() -> Iterator[tuple[Image, Bool]]:
        return (item for item, keep in zip(frames(), kept, strict=True) if keep)

    signal, _ = average_unclipped(agreeing, scales[kept])
    return Truth(signal, bad, kept, scales)
