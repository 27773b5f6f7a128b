"""The color filter array: which channel each photosite measures, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rawfix.symmetry import Symmetry

RED, GREEN, BLUE, INFRARED = range(4)
_LETTERS = "RGBI"


@dataclass(frozen=True, slots=True)
class Cfa:
    """A periodic color filter array, phased to the first pixel of its mosaic.

    Parameters
    ----------
    pattern
        One repeating unit, rows from the top, as channel indices: 0 red, 1 green, 2 blue, 3 infrared.
        The second green of a Bayer unit is green (1), not a fourth channel.
    """

    pattern: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.pattern}
        if len(widths) != 1 or 0 in widths or not all(c in range(4) for row in self.pattern for c in row):
            raise ValueError(f"not a color filter array: {self.pattern!r}")

    @classmethod
    def from_rows(cls, *rows: str) -> Cfa:
        """``Cfa.from_rows("RG", "GB")``; letters R, G, B, I (infrared)."""
        return cls(tuple(tuple(_LETTERS.index(letter) for letter in row) for row in rows))

    @classmethod
    def from_text(cls, text: str) -> Cfa:
        """A family's name (its canonical phase), a Bayer phase such as ``RGGB``, or rows: ``GB/RI``.

        Case does not matter; raises ValueError for anything else.
        """
        plain = text.strip().upper()
        if plain.lower() in CANONICAL:
            return CANONICAL[plain.lower()]
        rows = plain.split("/") if "/" in plain else [plain[:2], plain[2:]]
        is_spelt = any(rows) if "/" in plain else len(plain) == 4 and sorted(plain) == list("BGGR")
        if not is_spelt or set(plain) - set("RGBI/"):
            raise ValueError(
                f"{text!r} is no filter array; give one of {', '.join(CANONICAL)}, a Bayer phase (RGGB), "
                "or rows of R, G, B, I joined by slashes (GB/RI)"
            )
        if len({len(row) for row in rows}) > 1:
            lengths = ", ".join(str(len(row)) for row in rows)
            raise ValueError(
                f"{text!r} is no filter array: its rows have {lengths} letters; "
                "give one repeating unit, rows of one length (GB/RI)"
            )
        whole = cls.from_rows(*rows)
        return cls.from_array(np.array(whole.pattern))

    @classmethod
    def from_array(cls, unit: NDArray[np.integer]) -> Cfa:
        """From a 2-D array of channel indices, reduced to its smallest period."""
        rows = np.asarray(unit)
        height, width = rows.shape
        for period_y in (d for d in range(1, height + 1) if height % d == 0):
            if (rows == np.roll(rows, period_y, 0)).all():
                break
        for period_x in (d for d in range(1, width + 1) if width % d == 0):
            if (rows == np.roll(rows, period_x, 1)).all():
                break
        return cls(tuple(tuple(int(c) for c in row[:period_x]) for row in rows[:period_y]))

    @property
    def period(self) -> tuple[int, int]:
        """Height and width of the repeating unit."""
        return len(self.pattern), len(self.pattern[0])

    @property
    def letters(self) -> str:
        """The unit as text, rows joined by a slash: ``RG/GB``."""
        return "/".join("".join(_LETTERS[c] for c in row) for row in self.pattern)

    @property
    def name(self) -> str:
        """Family: ``bayer``, ``quad``, ``nona``, ``xtrans``, ``rgbir2``, ``rgbir4``, ``mono`` or ``unknown``.

        Any phase, turned and mirrored in any way, is of the family.
        """
        found = _recognize(self)
        return "unknown" if found is None else found[0]

    @property
    def has_infrared(self) -> bool:
        """Whether some photosite measures infrared."""
        return any(INFRARED in row for row in self.pattern)

    def unit(self) -> NDArray[np.uint8]:
        """The repeating unit as a ``(period_y, period_x)`` uint8 array."""
        return np.array(self.pattern, np.uint8)

    def shift(self, y: int, x: int) -> Cfa:
        """The array as seen from pixel ``(y, x)``: what a crop that starts there has."""
        return Cfa(tuple(tuple(int(c) for c in row) for row in np.roll(self.unit(), (-y, -x), (0, 1))))

    def moved(self, symmetry: Symmetry, shape: tuple[int, int]) -> Cfa:
        """The array of ``symmetry.apply(mosaic)``, for a mosaic ``(height, width)`` that has this one."""
        unit = symmetry.apply(self.unit())
        height, width = symmetry.shape(shape)
        period_y, period_x = unit.shape
        # A mirrored unit ends where the mosaic ends, not where a unit does.
        start = (-height % period_y if symmetry.flip_y else 0, -width % period_x if symmetry.flip_x else 0)
        return Cfa(tuple(tuple(int(c) for c in row) for row in unit)).shift(*start)

    def to_canonical(self, shape: tuple[int, int]) -> tuple[str, Symmetry, tuple[int, int]] | None:
        """How a mosaic ``(height, width)`` of this array is seen in its family's canonical phase.

        Returns
        -------
        family, symmetry, origin
            A key of `CANONICAL`; what to apply to the mosaic, the identity wherever a crop alone leads there;
            and the pixel ``(y, x)`` of the moved mosaic at which the canonical phase begins. None for an
            array of no family.
        """
        found = _recognize(self)
        if found is None:
            return None
        family, symmetry = found
        origin = self.moved(symmetry, shape).offset_to(CANONICAL[family])
        assert origin is not None
        return family, symmetry, origin

    def offset_to(self, canonical: Cfa) -> tuple[int, int] | None:
        """The least ``(y, x)`` with ``self.shift(y, x) == canonical``; None where no crop leads there."""
        if self.period != canonical.period:
            return None
        for y in range(self.period[0]):
            for x in range(self.period[1]):
                if self.shift(y, x) == canonical:
                    return y, x
        return None

    def channels(self, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """Channel index of every photosite of a ``(height, width)`` mosaic, uint8."""
        height, width = shape
        period_y, period_x = self.period
        repeats = (-(-height // period_y), -(-width // period_x))
        return np.tile(self.unit(), repeats)[:height, :width]

    def mosaic(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sample an ``(H, W, C)`` image through the array: ``(H, W)``, same dtype."""
        index = self.channels((image.shape[0], image.shape[1]))
        return np.take_along_axis(image, index[..., None].astype(np.intp), axis=2)[..., 0]

    def place(
        self, mosaic: NDArray[np.float32], image: NDArray[np.float32], where: NDArray[np.bool_] | None = None
    ) -> None:
        """Write measured samples into their channels of ``image (H, W, C)``, in place; only at ``where``, if given."""
        for y, row in enumerate(self.pattern):
            for x, channel in enumerate(row):
                sites = np.s_[y :: self.period[0], x :: self.period[1]]
                np.copyto(
                    image[sites][..., channel], mosaic[sites], where=True if where is None else where[sites]
                )


CANONICAL: dict[str, Cfa] = {
    "bayer": Cfa.from_rows("GR", "BG"),
    "quad": Cfa.from_rows("GGRR", "GGRR", "BBGG", "BBGG"),
    "nona": Cfa.from_rows("GGGRRR", "GGGRRR", "GGGRRR", "BBBGGG", "BBBGGG", "BBBGGG"),
    "xtrans": Cfa.from_rows("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG"),
    "rgbir2": Cfa.from_rows("GB", "RI"),
    "rgbir4": Cfa.from_rows("GIRI", "GGRR", "BIGI", "BBGG"),
    "mono": Cfa.from_rows("G"),
}
"""The phase in which each family's networks see their mosaic."""


@lru_cache(maxsize=256)
def _recognize(cfa: Cfa) -> tuple[str, Symmetry] | None:
    """The family, and the first symmetry after which a crop leads to its canonical phase."""
    for symmetry in Symmetry.all():
        moved = cfa.moved(symmetry, cfa.period)
        for name, canonical in CANONICAL.items():
            if moved.offset_to(canonical) is not None:
                return name, symmetry
    return None
