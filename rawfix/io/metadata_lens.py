"""What a RAW file's metadata say about the lens and how it was set."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import exiv2

from rawfix.frame import LensFacts
from rawfix.io.dng_tags import RawTags
from rawfix.io.metadata import LOCK
from rawfix.io.metadata_open import open_metadata

_NAMES = ("Exif.Photo.LensModel", "Exif.OlympusEq.LensModel", "Exif.Panasonic.LensType", "Exif.Canon.LensModel",
          "Exif.NikonLd1.LensIDNumber", "Exif.NikonLd2.LensIDNumber", "Exif.NikonLd3.LensIDNumber",
          "Exif.CanonCs.LensType", "Exif.Nikon3.Lens", "Exif.Sony2.LensID", "Exif.SonyMinolta.LensID",
          "Exif.Pentax.LensType", "Exif.OlympusEq.LensType", "Exif.Samsung2.LensType")  # fmt: skip
"""Where lenses are named, in words or by a number that Exiv2 knows; plain names first."""
_FOCAL_LENGTH = ("Exif.Photo.FocalLength", "Exif.Image.FocalLength")
_F_NUMBER = ("Exif.Photo.FNumber", "Exif.Image.FNumber")
_DISTANCE = ("Exif.Photo.SubjectDistance", "Exif.Image.SubjectDistance")
_FILM_FOCAL_LENGTH = "Exif.Photo.FocalLengthIn35mmFilm"
_CROP_FACTORS = (0.4, 15.0)
"""Of sensors from 100 mm along the diagonal to 3 mm: what is beyond is a mistake."""
_CANON_DISTANCE = "Exif.CanonSi.SubjectDistance"
_NO_NAME = re.compile(r"\s*(n/a|none|unknown.*|[\d.\s()-]*|manual lens.*)\s*", re.IGNORECASE)
_FARTHEST = 655.0
"""Canon's centimeters in 16 bits end there: infinity."""


def read_lens_facts(path: Path, lens: str, raw: RawTags | None, origin: tuple[int, int]) -> LensFacts:
    """Facts of a RAW file of any container; what cannot be read is unknown.

    Parameters
    ----------
    path
        The file.
    lens
        Its lens, where that is known already.
    raw
        The raw directory of a DNG, or None.
    origin
        Row and column of ``mosaic[0, 0]`` in the active area.
    """
    opcodes_2, opcodes_3, area = b"", b"", None
    if raw is not None and (raw.opcodes or raw.opcodes_3):
        top, left, bottom, right = raw.active_area
        opcodes_2, opcodes_3 = raw.opcodes, raw.opcodes_3
        area = (-origin[0], -origin[1], bottom - top, right - left)
    try:
        with LOCK:
            image = open_metadata(path)
            exif = image.exifData()
            canon = _positive([_text(exif, _CANON_DISTANCE)])
            focal_length = _positive([_text(exif, key) for key in _FOCAL_LENGTH])
            return LensFacts(
                make=_text(exif, "Exif.Image.Make"),
                model=_text(exif, "Exif.Image.Model"),
                lens=lens or _lens(exif),
                focal_length=focal_length,
                f_number=_positive([_text(exif, key) for key in _F_NUMBER]),
                distance=_positive([_text(exif, key) for key in _DISTANCE])
                or (None if canon is None or canon / 100 > _FARTHEST else canon / 100),
                crop_factor=_crop_factor(exif, focal_length),
                opcodes_2=opcodes_2,
                opcodes_3=opcodes_3,
                area=area,
            )
    except exiv2.Exiv2Error:
        return LensFacts(lens=lens, opcodes_2=opcodes_2, opcodes_3=opcodes_3, area=area)


def _crop_factor(exif: Any, focal_length: float | None) -> float | None:
    """By the focal length of the same view on film: how large the sensor is."""
    on_film = _positive([_text(exif, _FILM_FOCAL_LENGTH)])
    if on_film is None or focal_length is None:
        return None
    low, high = _CROP_FACTORS
    return factor if low < (factor := on_film / focal_length) < high else None


def _lens(exif: Any) -> str:
    for key in _NAMES:
        position = exif.findKey(exiv2.ExifKey(key))
        if position != exif.end():
            name = str(position.print(exif)).strip("\0 ")
            if not _NO_NAME.fullmatch(name):
                return name
    return ""


def _text(exif: Any, key: str) -> str:
    position = exif.findKey(exiv2.ExifKey(key))
    return "" if position == exif.end() else str(position.value().toString()).strip("\0 ")


def _positive(texts: list[str]) -> float | None:
    """The first that is a positive number."""
    for text in texts:
        try:
            number = float(Fraction(text))
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if number > 0 and math.isfinite(number):
            return number
    return None
