"""Writing a frame as it is: an uncompressed CFA DNG 1.4 with nothing but what the frame knows.

References: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0; CIPA DC-008 (Exif 2.32).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from rawfix.errors import OutputError
from rawfix.frame import RawFrame
from rawfix.io.atomic import replacing
from rawfix.io.dng_color import matrix_entries, neutral_entry
from rawfix.io.dng_ifd import (
    Directory,
    append,
    append_directories,
    ascii,
    byte,
    encode,
    fraction,
    long,
    rational,
    short,
    undefined,
)
from rawfix.io.dng_infrared import with_infrared_plane
from rawfix.io.dng_raw import cfa_directory, white_span
from rawfix.io.dng_samples import append_samples


@dataclass(frozen=True, slots=True)
class DngExif:
    """What a DNG can say about the exposure beyond the frame; empty or None is left out.

    Attributes
    ----------
    make, model, serial
        The camera's; ``model`` defaults to the frame's camera name.
    lens
        Defaults to the frame's.
    datetime
        ``"YYYY:MM:DD HH:MM:SS"``, when the picture was taken.
    exposure_time, f_number, focal_length
        Seconds, the aperture number, millimeters.
    """

    make: str = ""
    model: str = ""
    serial: str = ""
    lens: str = ""
    datetime: str = ""
    exposure_time: float | None = None
    f_number: float | None = None
    focal_length: float | None = None


def write_cfa_dng(
    path: Path, frame: RawFrame, exif: DngExif | None = None, *, overwrite: bool = False
) -> None:
    """Write the mosaic with all that developing it needs; `read_raw` gives the same frame back.

    Pixels, filter array of any period, black per site and per row and column, white, white balance,
    orientation, speed, pixel aspect and noise model are kept; see `rawfix.io.dng_raw.cfa_directory` for
    levels and `rawfix.io.dng_color.matrix_entries` for color.

    Parameters
    ----------
    path
        The target, usually ``*.dng``; written beside it, then renamed.
    frame
        With a ``(H, W)`` uint16 mosaic.
    exif
        Exposure data to add.
    overwrite
        Whether an existing target may be replaced.

    Raises
    ------
    OutputError
        The frame has no mosaic, or the target cannot be written.
    """
    if frame.cfa is None or frame.mosaic.dtype != np.uint16 or frame.mosaic.ndim != 2:
        raise OutputError(f"{path.name}: the picture is already full color; a CFA DNG needs a mosaic")
    exif = exif or DngExif()
    with replacing(path, overwrite) as temporary, temporary.open("w+b") as file:
        file.write(b"II*\0\0\0\0\0")
        stored, _ = append_samples(file, frame.mosaic, "none")
        directory = cfa_directory(frame) | stored | camera_entries(frame, exif)
        if frame.cfa.period != (1, 1):
            span = white_span(frame)
            directory |= neutral_entry(frame.wb, span) | matrix_entries(frame, span)
        if frame.cfa.has_infrared:
            directory = with_infrared_plane(directory)
        start = append(file, b"")
        append(file, encode(exif_directory(frame, exif), start))
        append_directories(file, directory | {34665: long(start)}, ())


def camera_entries(frame: RawFrame, exif: DngExif) -> Directory:
    """Versions, names and orientation."""
    model = exif.model or frame.camera or "Unknown"
    make = exif.make or model.split()[0]
    name = model if model.lower().startswith(make.split()[0].lower()) else f"{make} {model}"
    entries: Directory = {
        271: ascii(make),
        272: ascii(model),
        274: short(frame.orientation),
        305: ascii("rawfix"),
        50706: byte(b"\x01\x04\x00\x00"),
        50707: byte(b"\x01\x01\x00\x00"),
        50708: ascii(name),
        50730: rational(0.0, signed=True),
    }
    if exif.serial:
        entries[50735] = ascii(exif.serial)
    if exif.datetime:
        entries[306] = ascii(exif.datetime)
    return entries


def exif_directory(frame: RawFrame, exif: DngExif) -> Directory:
    """The exposure."""
    entries: Directory = {36864: undefined(b"0230")}
    if frame.iso is not None:
        iso = max(round(frame.iso), 1)
        entries[34855] = short(min(iso, 65535))
        if iso > 65535:
            # Exif 2.3: the 16-bit field saturates, RecommendedExposureIndex (SensitivityType 2) holds it.
            entries |= {34864: short(2), 34866: long(iso)}
    for tag, text in ((36867, exif.datetime), (42036, exif.lens or frame.lens)):
        if text:
            entries[tag] = ascii(text)
    for tag, number in ((33434, exif.exposure_time), (33437, exif.f_number), (37386, exif.focal_length)):
        if number is not None:
            entries[tag] = fraction(Fraction(number))
    return entries
