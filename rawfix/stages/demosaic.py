"""From one sample a pixel to full color, with defects found and repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel, with_infrared
from rawfix.physics.lift_blown import lifted
from rawfix.physics.neighbors import same_color_offsets, samples_at
from rawfix.physics.noise import variance
from rawfix.physics.point_sources import Sites, are_point_sources

Window = Callable[[int, int, int, int], Image]
Finish = Callable[[int, int, dict[str, Image]], Mapping[str, NDArray[Any]]]

THRESHOLD = 0.5
"""Probability from which a sample counts as defective."""
_NEAREST = 8
_RIM = 4
"""Pixels along the border that the network, which sees them on one side only, may get wrong."""
_SLACK = 2
"""How far such a pixel may leave the range of the samples around it, in times that range: there, light has a trend."""
_AT_ONCE = 1 << 18
"""Sites looked at together: a frame that is bad throughout must not take many times its memory."""
_AROUND = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


class DemosaicNetwork(Protocol):
    """Contract ``demosaic-v1`` over a whole frame, tiled by whoever provides it."""

    def __call__(self, inputs: dict[str, Image | Window], finish: Finish) -> dict[str, NDArray[Any]]:
        """``finish`` turns the outputs of one tile, at ``(y, x)`` of the frame, into what is kept of it."""
        ...


def sigma_window(mosaic: Image, cfa: Cfa, wb: tuple[float, float, float], noise: NoiseModel) -> Window:
    """The noise model's deviation at the observed values, computed for any window of the mosaic."""
    gain = with_infrared(wb)
    shot = with_infrared(noise.shot) * gain
    read = with_infrared(noise.read) * gain**2

    def sigma(y0: int, y1: int, x0: int, x1: int) -> Image:
        index = cfa.shift(y0, x0).channels((y1 - y0, x1 - x0))
        return np.sqrt(variance(mosaic[y0:y1, x0:x1], shot[index], read[index]))

    return sigma


def demosaic(
    mosaic: Image,
    cfa: Cfa,
    wb: tuple[float, float, float],
    noise: NoiseModel,
    network: DemosaicNetwork,
    known_bad: NDArray[np.bool_] | None = None,
    threshold: float = THRESHOLD,
    *,
    clip: tuple[float, float, float] | None = None,
) -> tuple[Image, NDArray[np.bool_]]:
    """Full color from a mosaic.

    Where the network distrusts a sample that is a point of light (`are_point_sources`), its verdict is withdrawn:
    the sample is kept, and the light that its repair had taken from its neighbours is given back. A pixel whose
    sample is replaced lies within the range of the good samples nearby.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, white-balanced, signed, unclipped.
    cfa
        Phased to ``mosaic[0, 0]``.
    wb
        The multipliers that ``mosaic`` carries.
    noise
        Noise model before white balance.
    network
        Runs contract ``demosaic-v1`` over the frame.
    known_bad
        ``(H, W)`` bool: samples known to be worthless, or None. Their values reach the network, and the noise
        model, as they are: fill them first (`rawfix.physics.neighbors.fill`).
    threshold
        Probability from which a sample is replaced.
    clip
        Where the channels of ``mosaic`` saturate, if they do: the network sees blown samples lifted to the light around
        them (`rawfix.physics.lift_blown`), and what it fills in is cut there.

    Returns
    -------
    camera, bad
        ``(H, W, 3)`` float32, ``(H, W, 4)`` with infrared, same light as ``mosaic``; and the ``(H, W)``
        bool map of replaced samples.
        Where ``bad`` is False, the measured channel is the mosaic's own sample, bit for bit.
    """

    def known(y0: int, y1: int, x0: int, x1: int) -> Image:
        if known_bad is None:
            return np.zeros((y1 - y0, x1 - x0), np.float32)
        return known_bad[y0:y1, x0:x1].astype(np.float32)

    def keep_measured(y: int, x: int, planes: dict[str, Image]) -> dict[str, NDArray[Any]]:
        camera = np.ascontiguousarray(planes["camera"])
        if seen is not mosaic:
            np.minimum(camera, ends[: camera.shape[2]], out=camera)
        height, width = camera.shape[:2]
        bad = planes["bad"] >= threshold
        if known_bad is not None:
            bad |= known_bad[y : y + height, x : x + width]
        cfa.shift(y, x).place(mosaic[y : y + height, x : x + width], camera, ~bad)
        return {"camera": camera, "bad": bad}

    seen = (lifted(mosaic, cfa, clip) if clip is not None else None) or mosaic
    ends = with_infrared(clip or wb)
    inputs: dict[str, Image | Window] = {
        "mosaic": seen,
        "sigma": sigma_window(mosaic, cfa, wb, noise),
        "known_bad": known,
    }
    found = network(inputs, keep_measured)
    camera, bad = found["camera"], found["bad"]
    rows, columns = np.nonzero(bad if known_bad is None else bad & ~known_bad)
    bright = mosaic[rows, columns] > camera[rows, columns, _channels_at(cfa, rows, columns)]
    sites = rows[bright], columns[bright]
    points = are_point_sources(mosaic, sites, cfa, wb, noise, known_bad)
    _give_back(camera, bad, mosaic, cfa, (sites[0][points], sites[1][points]))
    _bring_within(camera, bad | _rim(bad.shape), bad, mosaic, cfa)
    return camera, bad


def _rim(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outermost pixels: beyond them nothing was measured."""
    rim = np.ones(shape, bool)
    rim[_RIM:-_RIM, _RIM:-_RIM] = False
    return rim


def _bring_within(
    camera: Image, where: NDArray[np.bool_], bad: NDArray[np.bool_], mosaic: Image, cfa: Cfa
) -> None:
    """Hold pixels, in place, between the least and the most of the good samples around them, by channel.

    Where nothing was measured, nothing speaks for an extreme, and a network that half believes a defect leaves some
    of it; with less than two good samples among the eight nearest of a color, what the network found stands. Pixels
    that are not bad may leave that range by `_SLACK` times its width, and what was measured there stays.
    """
    every = np.nonzero(where)
    for start in range(0, every[0].size, _AT_ONCE):
        rows, columns = (index[start : start + _AT_ONCE] for index in every)
        for channel in np.unique(cfa.unit()):
            near = same_color_offsets(cfa, _NEAREST, int(channel))
            offsets = near[rows % cfa.period[0], columns % cfa.period[1]]
            values, good = samples_at(mosaic, bad, (rows, columns), offsets)
            is_bad = bad[rows, columns]
            stands = good.sum(1) < np.where(is_bad, 2, 1)
            stands |= ~is_bad & (_channels_at(cfa, rows, columns) == channel)
            least = np.where(good, values, np.inf).min(1)
            most = np.where(good, values, -np.inf).max(1)
            slack = np.where(is_bad | stands, 0, _SLACK * (most - least))
            least, most = (
                np.where(stands, end, x) for end, x in ((-np.inf, least - slack), (np.inf, most + slack))
            )
            camera[rows, columns, channel] = np.clip(camera[rows, columns, channel], least, most)


def _channels_at(cfa: Cfa, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.uint8]:
    return cfa.unit()[rows % cfa.period[0], columns % cfa.period[1]]


def _give_back(camera: Image, bad: NDArray[np.bool_], mosaic: Image, cfa: Cfa, sites: Sites) -> None:
    """Withdraw the verdict on some sites, in place.

    What the repair took away is spread over the touching sites that lack the channel, as bilinear interpolation
    would spread it: each has the mean of the measured samples that touch it.
    """
    rows, columns = sites
    channels = _channels_at(cfa, rows, columns)
    missing = mosaic[rows, columns] - camera[rows, columns, channels]
    camera[rows, columns] += missing[:, None]
    camera[rows, columns, channels] = mosaic[rows, columns]
    bad[rows, columns] = False
    height, width = mosaic.shape
    for dy, dx in _AROUND:
        y, x = rows + dy, columns + dx
        lacks = (y >= 0) & (y < height) & (x >= 0) & (x < width) & (_channels_at(cfa, y, x) != channels)
        measured = sum((_channels_at(cfa, y + v, x + u) == channels).astype(np.float32) for v, u in _AROUND)
        np.add.at(camera, (y[lacks], x[lacks], channels[lacks]), (missing / np.maximum(measured, 1))[lacks])
