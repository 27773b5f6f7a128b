"""The photograph's Exif, GPS, maker notes, XMP and IPTC, put into a DNG as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exiv2
import numpy as np
import tifffile

from rawfix import __version__
from rawfix.io import metadata_rules as rules
from rawfix.io.metadata import LOCK, open_source
from rawfix.io.metadata_exif import carried_iptc
from rawfix.io.metadata_xmp import gps_of_sidecars, merged_xmp
from rawfix.io.provenance import Origin

_CAMERA = ("Make", "Model")
_ISO_KEYS = ("Exif.Photo.ISOSpeedRatings", "Exif.Photo.RecommendedExposureIndex", "Exif.Photo.ISOSpeed")
_ISO_OVERFLOW = 65535
_GROUPS = ("Photo", "GPSInfo", "Iop")


def write_skeleton(
    path: Path, origin: Origin, *, with_image: bool, iso: float | None = None
) -> tuple[str, ...]:
    """Write a TIFF of one pixel that holds the metadata of a RAW file, for a DNG to be built behind it.

    Maker notes that Exiv2 knows are written anew, so that offsets within them stay right; unknown ones are
    copied as they are. XMP is that of every picture.

    Parameters
    ----------
    path
        The file to write: classic, little-endian.
    origin
        The RAW file, its sidecars, privacy and provenance. A file that Exiv2 cannot read costs its metadata,
        not the picture.
    with_image
        Take camera names, date and author too: for sources whose first directory nobody else copies.
    iso
        Speed to state where the source does not state it in Exif; readers choose noise profiles by it.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.
    """
    source = origin.source
    with LOCK:
        image, unread = open_source(source)
        for maker_notes in (True, False):
            _write_pixel(path)
            try:
                notes = _write(path, image, origin, with_image, iso, maker_notes and not origin.strip_private)
            except exiv2.Exiv2Error:
                continue
            lost = () if maker_notes else ("the maker notes cannot be written and were left out",)
            return (*unread, *notes, *lost)
        _write_pixel(path)
    return (f"metadata of {source.name} cannot be written into a DNG and was left out",)


def _write_pixel(path: Path) -> None:
    path.unlink(missing_ok=True)
    tifffile.imwrite(path, np.zeros((1, 1, 3), np.uint8), photometric="rgb", metadata=None, byteorder="<")


def _write(
    path: Path, image: Any | None, origin: Origin, with_image: bool, iso: float | None, maker_notes: bool
) -> tuple[str, ...]:
    skeleton = exiv2.ImageFactory.open(str(path))
    skeleton.readMetadata()
    exif, source = skeleton.exifData(), () if image is None else image.exifData()
    makers = {group for datum in source if _is_maker(group := datum.groupName())} if maker_notes else set()
    for datum in source:
        group, name = datum.groupName(), datum.tagName()
        if (datum.count() == 0 and group not in makers) or (
            origin.strip_private and not rules.is_public_exif(group, name, datum.tag())
        ):
            continue
        if group == "Image":
            wanted = name in (rules.IMAGE_TAGS if with_image else _CAMERA)
        elif group in _GROUPS:
            wanted = name != "MakerNote" or (maker_notes and not makers)
        else:
            wanted = group in makers
        if wanted:
            exif[datum.key()] = datum.value()
    if iso is not None and 0 < round(iso) < _ISO_OVERFLOW and not any(key in exif for key in _ISO_KEYS):
        exif[_ISO_KEYS[0]] = exiv2.UShortValue(round(iso))
    own = None if image is None else image.xmpData()
    xmp, notes = merged_xmp(own, origin, f"rawfix {__version__}")
    if origin.sidecars:
        for key, value in gps_of_sidecars(xmp):
            exif[key] = value
    skeleton.setXmpData(xmp)
    if image is not None:
        skeleton.setIptcData(carried_iptc(image.iptcData(), origin.strip_private))
    skeleton.writeMetadata()
    return notes


def _is_maker(group: str) -> bool:
    return group not in _GROUPS and not group.startswith(rules.GROUPS_DROPPED)
