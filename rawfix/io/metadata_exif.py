"""EXIF and IPTC: what goes from the RAW file into the picture."""

from __future__ import annotations

from typing import Any

import exiv2

from rawfix.io import metadata_rules as rules

_ADOBE = " ".join(map(str, b"Adobe\0"))
"""How Adobe's converter begins a DNGPrivateData that holds the camera's maker notes."""


def carry_exif(
    origin: Any, exif: Any, maker_notes: bool, strip_private: bool, *, is_corrected: bool = False
) -> None:
    """Copy what describes the photograph from one exiv2 ExifData into another.

    ``is_corrected``: the lens was, and what it takes to correct it stays behind.
    """
    moved: dict[str, Any] = {}
    for datum in origin:
        group, name = datum.groupName(), datum.tagName()
        if datum.count() == 0 or (strip_private and not rules.is_public_exif(group, name, datum.tag())):
            continue
        if datum.tag() in rules.LENS_CORRECTIONS and group.startswith(("Image", "SubImage")):
            if not is_corrected:
                moved[exiv2.ExifKey(datum.tag(), "Image").key()] = datum.value()
        elif group == "Image":
            if name in rules.IMAGE_TAGS:
                exif[datum.key()] = datum.value()
            elif name == "UniqueCameraModel":
                moved["Exif.Image.Model"] = datum.value()
            elif name == "DNGPrivateData" and maker_notes and datum.toString().startswith(_ADOBE):
                exif[datum.key()] = datum.value()
            elif name in rules.MOVED:
                moved[f"Exif.Photo.{rules.MOVED[name]}"] = datum.value()
        elif group == "Photo":
            if name not in rules.PHOTO_DROPPED:
                exif[datum.key()] = datum.value()
        elif group == "GPSInfo" or (
            maker_notes and not group.startswith(rules.GROUPS_DROPPED) and "Preview" not in datum.key()
        ):
            exif[datum.key()] = datum.value()
    for key, value in moved.items():
        if exif.findKey(exiv2.ExifKey(key)) == exif.end():
            exif[key] = value


def carried_iptc(origin: Any, strip_private: bool) -> Any:
    """The exiv2 IptcData to carry: ``origin`` itself, or a copy with author, rights and times."""
    if not strip_private:
        return origin
    kept = exiv2.IptcData()
    for datum in origin:
        if datum.tagName() in rules.PUBLIC_IPTC:
            kept.add(exiv2.IptcKey(datum.key()), datum.value())
    return kept
