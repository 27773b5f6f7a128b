"""From one sample a pixel to full colour, with defects found and repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel, with_infrared
from rawfix.physics.noise import variance

Window = Callable[[int, int, int, int], Image]
Finish = Callable[[int, int, dict[str, Image]], Mapping[str, NDArray[Any]]]

THRESHOLD = 0.5
"""Probability from which a sample counts as defective."""


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
) -> tuple[Image, NDArray[np.bool_]]:
    """Full colour from a mosaic.

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
        ``(H, W)`` bool: samples known to be worthless, or None.
    threshold
        Probability from which a sample is replaced.

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
        height, width = camera.shape[:2]
        bad = planes["bad"] >= threshold
        if known_bad is not None:
            bad |= known_bad[y : y + height, x : x + width]
        cfa.shift(y, x).place(mosaic[y : y + height, x : x + width], camera, ~bad)
        return {"camera": camera, "bad": bad}

    inputs: dict[str, Image | Window] = {
        "mosaic": mosaic,
        "sigma": sigma_window(mosaic, cfa, wb, noise),
        "known_bad": known,
    }
    found = network(inputs, keep_measured)
    return found["camera"], found["bad"]
