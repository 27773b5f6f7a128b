"""Light to measure and to test with: drawn, but with the statistics of photographs."""

from __future__ import annotations

import numpy as np

from rawfix.frame import Image

_MEDIAN = 0.12
_LIGHTNESS, _EDGES, _COLOR = 0.9, 0.4, 0.2
"""Standard deviations of the logarithm: of what varies at all scales, of steps, and of each channel's own part."""


def draw_light(height: int, width: int, rng: np.random.Generator, channels: int = 3) -> Image:
    """A scene of no object but with every scale: one draw.

    The logarithm of light has an amplitude that falls with frequency as 1/f, sharp edges, and little color of
    its own, as in photographs; one to two pixels in a hundred are brighter than white.

    Returns
    -------
    Image
        ``(height, width, channels)`` float32, linear, white-balanced, positive; median 0.12.

    References
    ----------
    Field 1987, "Relations between the statistics of natural images and the response properties of cortical
    cells", JOSA A 4(12).
    """
    common = _LIGHTNESS * _pink(height, width, rng) + _EDGES * np.sign(_pink(height, width, rng))
    light = np.empty((height, width, channels), np.float32)
    for channel in range(channels):
        np.exp(common + _COLOR * _pink(height, width, rng), out=light[..., channel])
    light *= np.float32(_MEDIAN)
    return light


def _pink(height: int, width: int, rng: np.random.Generator) -> Image:
    """Noise of amplitude 1/f, mean 0 and deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((height, width), np.float32)) / frequency
    field = np.fft.irfft2(spectrum, (height, width))
    return np.asarray(field / max(float(field.std()), 1e-12), np.float32)
