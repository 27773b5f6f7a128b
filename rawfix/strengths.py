"""How much of what was found is taken away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rawfix.errors import SettingsError

Auto = Literal["auto"]


@dataclass(frozen=True, slots=True)
class Strengths:
    """How much of each component is taken away: 0 leaves, 1 removes, −1…2.

    ``defringe`` is for color fringes, ``dehaze`` for what the air scatters. ``denoise_luma`` and ``denoise_chroma``,
    where given, take the place of ``denoise`` for brightness and for color. ``auto`` is for the picture to decide
    (`rawfix.auto_strengths`); what it came to is a number again.
    """

    denoise: float | Auto = 0.0
    deblur: float | Auto = 0.0
    denoise_luma: float | None = None
    denoise_chroma: float | None = None
    defringe: float = 0.0
    dehaze: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is None or (value == "auto" and name in ("denoise", "deblur")):
                continue
            if isinstance(value, str) or not (math.isfinite(value) and -1 <= value <= 2):
                raise SettingsError(f"--{name.replace('_', '-')} {value}: strengths run from -1 to 2")

    @property
    def noise(self) -> tuple[float, float]:
        """Strengths of the noise map's brightness and of its color, decided."""
        luma = self.denoise if self.denoise_luma is None else self.denoise_luma
        chroma = self.denoise if self.denoise_chroma is None else self.denoise_chroma
        return _decided(luma), _decided(chroma)

    @property
    def blur(self) -> float:
        """Strength of the blur map, decided."""
        return _decided(self.deblur)

    @property
    def active(self) -> bool:
        """Whether anything is to be taken away, or added; ``auto`` may be."""
        return self.learned or any((self.defringe, self.dehaze))

    @property
    def learned(self) -> bool:
        """Whether noise or blur is to be taken away, or added; ``auto`` may be."""
        luma = self.denoise if self.denoise_luma is None else self.denoise_luma
        chroma = self.denoise if self.denoise_chroma is None else self.denoise_chroma
        return any((luma, chroma, self.deblur))


def _decided(strength: float | Auto) -> float:
    if strength == "auto":
        raise ValueError("auto is not decided yet: see rawfix.auto_strengths")
    return strength


STRENGTHS = tuple(Strengths.__dataclass_fields__)
"""Names of the strengths, as options and in presets."""
