"""Light in full color as 16-bit samples of a LinearRaw picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

_WHITE = 60000
_LEAST_WHITE = 16384
_LARGEST = 65535
_STRIP = 256


@dataclass(frozen=True, slots=True)
class Levels:
    """How light becomes samples: ``sample = light / gain · white``, black at 0.

    Attributes
    ----------
    white
        The sample that stands for the sensor's white: the WhiteLevel.
    gain
        By how much the samples are darker than the light; log2 of it belongs into BaselineExposure.
    """

    white: int
    gain: float = 1.0

    @property
    def stops(self) -> float:
        """Stops to add to BaselineExposure."""
        return math.log2(self.gain)


def choose_levels(light: Image) -> Levels:
    """Levels that hold the brightest sample.

    Light above the sensor's white (rebuilt highlights) is stored above WhiteLevel: the picture's exposure is
    the same in every reader, those that go on above white keep it (RawTherapee, darktable), and those that
    clip there, as the DNG specification has it, see what the sensor saw. A lower exposure made up for by
    BaselineExposure would be darker in LibRaw, RawTherapee and darktable, which ignore that tag; it is left to
    light of more than four times white, which only floating-point files have.
    """
    peak = max((float(light[y : y + _STRIP].max()) for y in range(0, len(light), _STRIP)), default=0.0)
    white = min(_WHITE, math.floor(_LARGEST / max(peak, 1e-6)))
    if white >= _LEAST_WHITE:
        return Levels(white)
    return Levels(_LEAST_WHITE, peak * _LEAST_WHITE / _LARGEST)


def quantize(light: Image, levels: Levels) -> NDArray[np.uint16]:
    """Samples, rounded to nearest; what lies below black is lost, as LinearRaw has to have its black at 0."""
    samples = np.empty(light.shape, np.uint16)
    scale = np.float32(levels.white / levels.gain)
    for y in range(0, len(light), _STRIP):
        samples[y : y + _STRIP] = np.clip(np.rint(light[y : y + _STRIP] * scale), 0, _LARGEST)
    return samples
