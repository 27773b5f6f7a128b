"""Which camera body took a picture, when, and how long it exposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from rawfix.errors import SettingsError
from rawfix.io.metadata import read_exif
from rawfix.io.mosaic_facts import facts_beside
from rawfix.io.mosaic_samples import HEADERLESS, PICTURES

_SERIALS = (
    "Exif.Photo.BodySerialNumber",
    "Exif.Image.CameraSerialNumber",
    "Exif.Nikon3.SerialNumber",
    "Exif.Fujifilm.SerialNumber",
    "Exif.OlympusEq.SerialNumber",
    "Exif.Pentax.SerialNumber",
    "Exif.Panasonic.InternalSerialNumber",
    "Exif.Canon.SerialNumber",
)
"""Where makers write a body's number, the common places first."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a file's metadata say about body and exposure.

    Attributes
    ----------
    serial
        Of the body; "" where the file tells none.
    seconds
        Exposure time, or None.
    taken
        Local time of the exposure, or None.
    """

    serial: str = ""
    seconds: float | None = None
    taken: datetime | None = None


def read_exposure(path: Path) -> Exposure:
    """Body and exposure of a RAW file of any container, or of a mosaic without one.

    The serial number that a mosaic's ``NAME.toml`` states goes before its own metadata's. PowerShots write a number
    that changes from picture to picture where other Canons have their serial number: it is not taken.
    """
    keys = (
        "Exif.Photo.ExposureTime", "Exif.Image.ExposureTime", "Exif.Photo.DateTimeOriginal",
        "Exif.Image.DateTimeOriginal", "Exif.Image.DateTime", "Exif.Image.Model", *_SERIALS,
    )  # fmt: skip
    seconds, also_seconds, taken, also_taken, changed, model, *serials = read_exif(path, keys)
    if "powershot" in model.lower():
        serials = serials[:-1]
    found = (serial.strip() for serial in serials)
    return Exposure(
        serial=_stated_serial(path) or next((serial for serial in found if serial.strip("0 ")), ""),
        seconds=_seconds(seconds or also_seconds),
        taken=_time(taken or also_taken or changed),
    )


def _stated_serial(path: Path) -> str:
    """By a mosaic's description; one that is malformed states none: `read_frame` refuses the file."""
    if path.suffix.lower() not in HEADERLESS | PICTURES:
        return ""
    try:
        return facts_beside(path).serial or ""
    except SettingsError:
        return ""


def _seconds(text: str) -> float | None:
    try:
        value = float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return None
    return value if value > 0 else None


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
