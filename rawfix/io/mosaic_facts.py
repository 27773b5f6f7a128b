"""What a mosaic without a RAW container does not say about itself: options, or a ``NAME.toml`` beside it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import SettingsError

LONGEST_NAME = 100
"""Letters of a camera's name or serial number; they become a file's name."""


@dataclass(frozen=True, slots=True)
class MosaicFacts:
    """A description of a headerless mosaic; None is not said.

    The same keys stand in ``NAME.toml`` beside ``NAME.raw`` (or ``.bin``, ``.npy``, ``.tif``, ``.png``); an
    option given wins over the file, key by key. ``camera`` and ``serial`` stand in the file alone::

        cfa = "RGGB"                 # or a family (xtrans), or rows: "GIRI/GGRR/BIGI/BBGG", or a list of rows
        size = [768, 512]            # or "768x512": width, height; only .raw and .bin need it
        bits = 14                    # of a sample: 8 to 16
        black = 600                  # or one level a channel: red, green, blue[, infrared]
        white = 16383
        byte_order = "little"        # or "big": of 16-bit words in .raw and .bin
        packing = "mipi"             # or "genicam": of packed samples in .raw and .bin
        wb = [2.0, 1.0, 1.5]         # multipliers of red, green, blue
        matrix = [[1.6, -0.4, -0.2], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]]   # white-balanced camera to sRGB
        camera = "Basler acA2440"    # whose map of bad pixels and calibration are the picture's
        serial = "23456789"          # of that camera

    Attributes
    ----------
    cfa
        Filter array from the first sample, rows from the top.
    size
        Width and height.
    bits
        Significant bits of a sample; white is their greatest value unless said.
    black, white
        Levels in counts: one, or one a channel; one.
    byte_order
        ``little`` or ``big``.
    packing
        ``mipi`` (CSI-2 RAW10, RAW12) or ``genicam`` (10p, 12p).
    wb
        Multipliers, green = 1.
    matrix
        Nine numbers, row by row: white-balanced camera → linear sRGB. Rows are scaled to the sum 1, so that
        white stays white.
    camera, serial
        Name and serial number of the body.
    """

    cfa: Cfa | None = None
    size: tuple[int, int] | None = None
    bits: int | None = None
    black: tuple[float, ...] | None = None
    white: float | None = None
    byte_order: str | None = None
    packing: str | None = None
    wb: tuple[float, float, float] | None = None
    matrix: tuple[float, ...] | None = None
    camera: str | None = None
    serial: str | None = None

    @classmethod
    def from_values(cls, values: Mapping[str, Any], file: str = "") -> MosaicFacts:
        """From options as typed, or from the keys of a file of that name; None and "" are not said.

        Raises
        ------
        SettingsError
            An unknown key, or a value without meaning; names the option, or the file and its key.
        """
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise SettingsError(
                f"{file}: unknown keys {', '.join(sorted(unknown))}; there are "
                + ", ".join(field.name for field in fields(cls))
            )
        said = {key: value for key, value in values.items() if value is not None and value != ""}
        found: dict[str, Any] = {}
        for key, value in said.items():
            try:
                found[key] = _READERS[key](value)
            except (ValueError, TypeError) as error:
                label = (
                    f"{file}: {key} ="
                    if file
                    else "--input-bits"
                    if key == "bits"
                    else f"--{key.replace('_', '-')}"
                )
                shown = value if str(value).isprintable() else repr(value)
                raise SettingsError(f"{label} {shown}: {error}") from None
        return cls(**found)

    def to_values(self) -> dict[str, Any]:
        """What is said, as plain values; inverse of `from_values`."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {
            key: [*value] if isinstance(value, tuple) else value
            for key, value in said.items()
            if value is not None
        }
        if self.cfa is not None:
            values["cfa"] = self.cfa.name if CANONICAL.get(self.cfa.name) == self.cfa else self.cfa.letters
        return values

    def over(self, other: MosaicFacts) -> MosaicFacts:
        """These facts, and the other's where these say nothing."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(other, **{key: value for key, value in own.items() if value is not None})


def facts_beside(path: Path) -> MosaicFacts:
    """What ``NAME.toml`` beside the file says; nothing where there is none.

    Raises
    ------
    SettingsError
        It cannot be read, is no TOML, or holds an unknown key or a value without meaning.
    """
    sidecar = path.with_suffix(".toml")
    try:
        with sidecar.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError:
        return MosaicFacts()
    except OSError as error:
        raise SettingsError(f"{sidecar.name}: {error.strerror}; make it readable or remove it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{sidecar.name}: not TOML: {error}") from None
    return MosaicFacts.from_values(values, sidecar.name)


def _cfa(value: Any) -> Cfa:
    return Cfa.from_text("/".join(value) if isinstance(value, list) else str(value))


def _numbers(value: Any, counts: Sequence[int], what: str) -> tuple[float, ...]:
    """Finite numbers from text with commas, one number, or a list, which may be nested."""
    if isinstance(value, str):
        parts: list[Any] = value.split(",")
    elif isinstance(value, list):
        parts = [number for part in value for number in (part if isinstance(part, list) else [part])]
    else:
        parts = [value]
    try:
        numbers = tuple(float(part) for part in parts if not isinstance(part, bool))
    except (ValueError, TypeError):
        numbers = ()
    if len(numbers) not in counts or len(numbers) != len(parts) or not all(map(math.isfinite, numbers)):
        raise ValueError(f"give {what}")
    return numbers


def _size(value: Any) -> tuple[int, int]:
    parts = value.lower().split("x") if isinstance(value, str) else value
    if (
        isinstance(parts, list)
        and len(parts) == 2
        and not any(isinstance(part, float | bool) for part in parts)
    ):
        try:
            width, height = int(parts[0]), int(parts[1])
        except (ValueError, TypeError):
            width = height = 0
        if 0 < width <= 65535 and 0 < height <= 65535:
            return width, height
    raise ValueError("give WIDTHxHEIGHT, such as 768x512, each 1 to 65535")


def _bits(value: Any) -> int:
    (number,) = _numbers(value, (1,), "8 to 16")
    if number not in range(8, 17):
        raise ValueError("give 8 to 16, the significant bits of a sample")
    return int(number)


def _level(value: Any, counts: Sequence[int], what: str) -> tuple[float, ...]:
    numbers = _numbers(value, counts, what)
    if min(numbers) < 0 or max(numbers) > 65535:
        raise ValueError("give counts, 0 to 65535")
    return numbers


def _one_of(first: str, second: str, value: Any) -> str:
    if value not in (first, second):
        raise ValueError(f"give {first} or {second}")
    return str(value)


def _wb(value: Any) -> tuple[float, float, float]:
    red, green, blue = _numbers(value, (3,), "three multipliers R,G,B")
    if min(red, green, blue) <= 0:
        raise ValueError("multipliers are above 0")
    return red / green, 1.0, blue / green


def _matrix(value: Any) -> tuple[float, ...]:
    what = "nine numbers, row by row: white-balanced camera to linear sRGB"
    m = _numbers(value, (9,), what)
    determinant = (
        m[0] * (m[4] * m[8] - m[5] * m[7])
        - m[1] * (m[3] * m[8] - m[5] * m[6])
        + m[2] * (m[3] * m[7] - m[4] * m[6])
    )
    if abs(determinant) < 1e-6 or any(sum(m[row : row + 3]) <= 0 for row in (0, 3, 6)):
        raise ValueError("its rows must have sums above 0, and it must have an inverse")
    return m


def _name(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not value.strip()
        or not value.isprintable()
        or len(value) > LONGEST_NAME
    ):
        raise ValueError(f"give text in quotes, one line of at most {LONGEST_NAME} letters")
    return value.strip()


_READERS: dict[str, Callable[[Any], Any]] = {
    "cfa": _cfa,
    "size": _size,
    "bits": _bits,
    "black": lambda value: _level(
        value, (1, 3, 4), "one level, or one each for red, green, blue[, infrared]"
    ),
    "white": lambda value: _level(value, (1,), "one level in counts")[0],
    "byte_order": partial(_one_of, "little", "big"),
    "packing": partial(_one_of, "mipi", "genicam"),
    "wb": _wb,
    "matrix": _matrix,
    "camera": _name,
    "serial": _name,
}
