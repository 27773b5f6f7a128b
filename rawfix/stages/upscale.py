"""Raise the resolution with a network, and hold the result against what was seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rawfix.frame import Image
from rawfix.physics.detail_noise import detail_noise

Window = Callable[[int, int, int, int], Image]
"""``(y0, y1, x0, x1)`` → that part of a plane, ``(y1 − y0, x1 − x0)``."""
UpscaleNetwork = Callable[[Image, Window], Image]
"""``image (H, W, 3)`` and windows of its noise plane → ``(s·H, s·W, 3)``, a new array."""


def upscale(
    image: Image, network: UpscaleNetwork, detail: float, seed: int, origin: tuple[int, int] = (0, 0)
) -> Image:
    """Enlarge an image.

    Parameters
    ----------
    image
        ``(H, W, 3)`` or, of gray, ``(H, W, 1)`` float32, linear; not mutated. A network sees gray three times, and the
        mean of what it makes is taken.
    network
        Contract ``upscale-x2-v1`` or ``upscale-x4-v1``.
    detail
        Amplitude of the noise, 0 (least error) to 1 (most natural detail).
    seed, origin
        Of the noise: which plane, and at which of its pixels the image begins, so that a part of a picture is given
        the detail that the whole has there.

    Returns
    -------
    ndarray
        ``(s·H, s·W, C)`` float32, linear, unbounded.
    """

    def noise(y0: int, y1: int, x0: int, x1: int) -> Image:
        if not detail:
            return np.zeros((y1 - y0, x1 - x0), np.float32)
        y, x = origin
        return np.float32(detail) * detail_noise(seed, y + y0, y + y1, x + x0, x + x1)

    if image.shape[2] == 3:
        return network(image, noise)
    fine = network(np.broadcast_to(image, (*image.shape[:2], 3)), noise)
    return np.asarray(fine.mean(2, dtype=np.float32)[..., None])
