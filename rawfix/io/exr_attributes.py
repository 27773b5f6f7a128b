"""EXIF said in OpenEXR's standard attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import OpenEXR

from rawfix.io.sequence import reel_and_frame

_TEXTS = {
    "cameraMake": "Exif.Image.Make",
    "cameraModel": "Exif.Image.Model",
    "cameraSerialNumber": "Exif.Photo.BodySerialNumber",
    "cameraLabel": "Exif.Image.CameraLabel",
    "lensMake": "Exif.Photo.LensMake",
    "lensModel": "Exif.Photo.LensModel",
    "lensSerialNumber": "Exif.Photo.LensSerialNumber",
    "comments": "Exif.Image.ImageDescription",
    "owner": "Exif.Image.Copyright",
}
_NUMBERS = {
    "expTime": "Exif.Photo.ExposureTime",
    "aperture": "Exif.Photo.FNumber",
    "tStop": "Exif.Image.TStop",
    "nominalFocalLength": "Exif.Photo.FocalLength",
    "focus": "Exif.Photo.SubjectDistance",
}
"""Seconds, f-number, T-number, millimeters, meters."""


def attributes_of(exif: Mapping[str, str], source: Path) -> dict[str, Any]:
    """Header attributes for what EXIF and the file's name tell; what they do not tell is absent.

    Parameters
    ----------
    exif
        EXIF tags by Exiv2 key, as text.
    source
        The RAW file: its name gives ``reelName`` and ``imageCounter``, its name alone.

    References
    ----------
    OpenEXR, "Standard Attributes" (ImfStandardAttributes.h): units, sign of ``utcOffset`` (UTC = local time +
    offset), degrees east and north. SMPTE 12M time address as in DNG's TimeCodes.
    """
    found: dict[str, Any] = {}
    for name, key in _TEXTS.items():
        if text := exif.get(key, "").strip("\0 "):
            found[name] = text
    for name, key in _NUMBERS.items():
        value = _fraction(exif.get(key, ""))
        if value is not None and value > 0:
            found[name] = float(value)
    speed = exif.get("Exif.Photo.RecommendedExposureIndex") or exif.get("Exif.Photo.ISOSpeedRatings", "")
    if (iso := _fraction(speed.split(" ")[0])) is not None and iso > 0:
        found["isoSpeed"] = float(iso)
    if re.fullmatch(r"\d{4}(:\d\d){2} \d\d(:\d\d){2}", date := exif.get("Exif.Photo.DateTimeOriginal", "")):
        found["capDate"] = date
    if zone := re.fullmatch(r"([+-])(\d\d):(\d\d)", exif.get("Exif.Photo.OffsetTimeOriginal", "")):
        seconds = 3600.0 * int(zone[2]) + 60.0 * int(zone[3])
        found["utcOffset"] = -seconds if zone[1] == "+" else seconds
    found |= _place(exif) | _film(exif)
    if (named := reel_and_frame(source)) is not None:
        found["reelName"], found["imageCounter"] = named
    return found


def _place(exif: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, negative in (("Latitude", "S"), ("Longitude", "W")):
        parts = [_fraction(text) for text in exif.get(f"Exif.GPSInfo.GPS{name}", "").split()]
        if len(parts) == 3 and None not in parts:
            degrees = sum(float(part) / 60**i for i, part in enumerate(parts) if part is not None)
            sign = -1 if exif.get(f"Exif.GPSInfo.GPS{name}Ref") == negative else 1
            found[name.lower()] = sign * degrees
    if (height := _fraction(exif.get("Exif.GPSInfo.GPSAltitude", ""))) is not None:
        found["altitude"] = float(-height if exif.get("Exif.GPSInfo.GPSAltitudeRef") == "1" else height)
    return found


def _film(exif: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rate = _fraction(exif.get("Exif.Image.FrameRate", ""))
    if rate is not None and rate > 0:
        found["framesPerSecond"] = rate
    codes = exif.get("Exif.Image.TimeCodes", "").split()
    if len(codes) >= 8:
        frame, second, minute, hour = (int(code) for code in codes[:4])
        address = (hour & 0x3F, minute & 0x7F, second & 0x7F, frame & 0x3F)
        # Behind the address: drop-frame flag; color frame, field phase and 11 groups of user bits, all unset.
        flags = (int(bool(frame & 0x40)), *(0,) * 13)
        found["timeCode"] = OpenEXR.TimeCode(*map(_decimal, address), *flags)
    return found


def _decimal(coded: int) -> int:
    """Two decimal digits of four bits each."""
    return 10 * (coded >> 4) + (coded & 15)


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
