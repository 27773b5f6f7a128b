"""Who, when, where and with what: carried from the RAW file and its sidecars into the picture.

With its neighbors ``metadata_*`` the only module that knows exiv2. The rules stand in
`rawfix.io.metadata_rules`.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import exiv2
import imagecodecs
import numpy as np

from rawfix.io.atomic import check_space
from rawfix.io.metadata_exif import carried_iptc, carry_exif
from rawfix.io.metadata_open import open_metadata
from rawfix.io.metadata_xmp import add_iptc, encoded, gps_of_sidecars, merged_xmp
from rawfix.io.mosaic_samples import WITHOUT_METADATA
from rawfix.io.provenance import Origin

exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)

LOCK = threading.Lock()
"""Exiv2's XMP parser is not thread-safe."""
_DENSITY = ("XResolution", "YResolution", "ResolutionUnit")
_PICTURE_LAST = (".jpg", ".jpeg", ".png")
"""Files that end with the picture, whatever becomes of their metadata."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Metadata for a container that Exiv2 does not write.

    Attributes
    ----------
    exif
        A TIFF structure with the EXIF tags, without "Exif\\0\\0" before it.
    xmp
        XMP, without the wrapper and the padding of a packet.
    texts
        EXIF tags by Exiv2 key, as text.
    notes
        Sentences about what could not be carried.
    """

    exif: bytes
    xmp: bytes
    texts: dict[str, str]
    notes: tuple[str, ...]


def copy_metadata(
    origin: Origin,
    target: Path,
    *,
    orientation: int = 1,
    software: str = "rawfix",
    width: int | None = None,
    height: int | None = None,
) -> tuple[str, ...]:
    """Write the photograph's EXIF, XMP and IPTC into an existing TIFF, PNG or JPEG.

    Camera, lens, serial numbers, exposure, time with fractions and zone, place, author, rating and keywords
    are carried; maker notes too, unless the target cannot hold them. The target's pixels, structure and ICC
    profile stay as they are.

    Parameters
    ----------
    origin
        The RAW file, its sidecars, privacy and provenance. A file that Exiv2 cannot read costs its metadata,
        not the picture.
    target
        The file to write into, in place.
    orientation
        EXIF orientation of the target's pixels, 1 when they are upright.
    software
        Name and version that go into the Software tag.
    width, height
        The target's size in pixels, for the tags that repeat it.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried; empty when all was.

    References
    ----------
    CIPA DC-008 (Exif 2.32); Adobe XMP specification part 3.
    """
    with LOCK:
        image, notes = open_source(origin.source)
        ours = _ours(orientation, software, width, height)
        attempts = (
            (True, True, None),
            (False, True, "the maker notes do not fit and were left out"),
            (False, False, "maker notes and XMP do not fit and were left out"),
        )
        for maker_notes, xmp, note in attempts:
            try:
                picture = exiv2.ImageFactory.open(str(target))
                picture.readMetadata()
                said = _fill(picture, image, origin, ours, maker_notes=maker_notes, xmp=xmp)
                lost = _write(picture, target)
            except exiv2.Exiv2Error:
                check_space(target)
                continue
            notes += said
            if note:
                notes.append(note)
            if lost:
                notes.append(f"{lost} metadata tags do not fit into {target.suffix} and were left out")
            return tuple(notes)
        return (
            *notes,
            f"metadata of {origin.source.name} cannot be written into {target.suffix or 'this'} files",
        )


def metadata_blocks(origin: Origin, *, software: str, width: int, height: int) -> Blocks:
    """The same metadata as bytes, for upright pixels; IPTC is said in XMP.

    Parameters
    ----------
    origin, software, width, height
        As for `copy_metadata`.
    """
    with LOCK:
        image, notes = open_source(origin.source)
        twin = imagecodecs.png_encode(np.zeros((1, 1, 3), np.uint8))
        picture = exiv2.ImageFactory.open(twin)
        picture.readMetadata()
        notes += _fill(picture, image, origin, _ours(1, software, width, height), maker_notes=True, xmp=True)
        add_iptc(picture.xmpData(), picture.iptcData())
        texts = {datum.key(): datum.toString() for datum in picture.exifData()}
        picture.writeMetadata()
        stream = picture.io()
        stream.open()
        exif = _png_chunk(bytes(stream.mmap()), b"eXIf")
        stream.munmap()
        stream.close()
        return Blocks(exif, encoded(picture.xmpData()), texts, tuple(notes))


def read_exif(path: Path, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Values of Exiv2 keys (``Exif.Image.Model``) as text, from any container; "" for those it does not find."""
    try:
        with LOCK:
            image = open_metadata(path)
            exif = image.exifData()
            return tuple(_text_of(exif, key) for key in keys)
    except exiv2.Exiv2Error:
        return ("",) * len(keys)


def read_density(path: Path) -> tuple[tuple[float, float], int] | None:
    """Pixels to the unit along both axes, and the unit (2 inch, 3 centimeter); None where that is not told."""
    *sides, unit = read_exif(path, tuple(f"Exif.Image.{name}" for name in _DENSITY))
    try:
        across, down = (float(Fraction(text)) for text in sides)
    except (ValueError, ZeroDivisionError):
        return None
    return ((across, down), int(unit)) if min(across, down) > 0 and unit in ("2", "3") else None


def read_names(path: Path) -> tuple[str, str]:
    """Make and model of the camera as Exiv2 finds them in any container; "" where it does not.

    A DNG without both may still name its camera as UniqueCameraModel.
    """
    names = ("Make", "Model", "UniqueCameraModel")
    make, model, unique = read_exif(path, tuple(f"Exif.Image.{name}" for name in names))
    return make, model or ("" if make else unique)


def open_source(source: Path) -> tuple[Any | None, list[str]]:
    """What Exiv2 opens of a source, or None; and a note where it should have."""
    try:
        image = open_metadata(source)
    except exiv2.Exiv2Error:
        if source.suffix.lower() in WITHOUT_METADATA:
            return None, []
        return None, [f"metadata of {source.name} cannot be read; the picture carries none of it"]
    return image, []


def _ours(orientation: int, software: str, width: int | None, height: int | None) -> dict[str, Any]:
    ours = {
        "Exif.Image.Orientation": exiv2.UShortValue(orientation),
        "Exif.Image.Software": exiv2.AsciiValue(software),
    }
    if width is not None and height is not None:
        ours["Exif.Photo.PixelXDimension"] = exiv2.ULongValue(width)
        ours["Exif.Photo.PixelYDimension"] = exiv2.ULongValue(height)
    return ours


def _fill(
    picture: Any, image: Any | None, origin: Origin, ours: dict[str, Any], *, maker_notes: bool, xmp: bool
) -> list[str]:
    """Give an opened picture its metadata, in memory; returns notes."""
    exif = picture.exifData()
    if image is not None:
        is_corrected = origin.provenance is not None and bool(origin.provenance.lens)
        carried = maker_notes and not origin.strip_private
        carry_exif(image.exifData(), exif, carried, origin.strip_private, is_corrected=is_corrected)
        picture.setIptcData(carried_iptc(image.iptcData(), origin.strip_private))
    notes: tuple[str, ...] = ()
    if xmp:
        own = None if image is None else image.xmpData()
        merged, notes = merged_xmp(own, origin, str(ours["Exif.Image.Software"]))
        picture.setXmpData(merged)
        if origin.sidecars:
            for key, value in gps_of_sidecars(merged):
                exif[key] = value
    for key, value in ours.items():
        exif[key] = value
    return list(notes)


def _write(picture: Any, target: Path) -> int:
    """Returns how many EXIF tags Exiv2 silently dropped, as it does when a JPEG's 64 KB are full.

    It is as silent where the disk fills up while it rewrites the file: what follows metadata must then be what it was.
    """
    wanted = {datum.key() for datum in picture.exifData()}
    tail = _tail(target)
    picture.writeMetadata()
    if target.suffix.lower() in _PICTURE_LAST and _tail(target) != tail:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    written = exiv2.ImageFactory.open(str(target))
    written.readMetadata()
    return len(wanted - {datum.key() for datum in written.exifData()})


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 32))
        return file.read()


def _png_chunk(file: bytes, wanted: bytes) -> bytes:
    position = 8
    while position < len(file):
        size, kind = struct.unpack_from(">I4s", file, position)
        if kind == wanted:
            return file[position + 8 : position + 8 + size]
        position += 12 + size
    return b""


def _text_of(exif: Any, key: str) -> str:
    position = exif.findKey(exiv2.ExifKey(key))
    return "" if position == exif.end() else position.value().toString().strip("\0 ")
