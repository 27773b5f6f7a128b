"""Who, when, where and with what: carried from the RAW file into the picture.

The only module that knows exiv2. What describes the photograph goes along; what describes the RAW file's
inside (strips, filter arrays, colour matrices, thumbnails) or another program's edits stays behind.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import exiv2

exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)

_LOCK = threading.Lock()
"""Exiv2's XMP parser is not thread-safe."""

_IMAGE_TAGS = frozenset(
    [
        "ImageDescription",
        "Make",
        "Model",
        "DateTime",
        "Artist",
        "Copyright",
        "HostComputer",
        "DocumentName",
        "Rating",
        "RatingPercent",
        "XPTitle",
        "XPComment",
        "XPAuthor",
        "XPKeywords",
        "XPSubject",
    ]
)
"""What is taken from IFD0; everything else there tells how the file is built."""

_MOVED = {
    "CameraSerialNumber": "BodySerialNumber",
    "LensInfo": "LensSpecification",
    **{
        name: name
        for name in [
            "ExposureTime",
            "FNumber",
            "ExposureProgram",
            "ISOSpeedRatings",
            "DateTimeOriginal",
            "ShutterSpeedValue",
            "ApertureValue",
            "BrightnessValue",
            "ExposureBiasValue",
            "MaxApertureValue",
            "SubjectDistance",
            "MeteringMode",
            "LightSource",
            "Flash",
            "FocalLength",
            "SensingMethod",
            "SubSecTime",
            "SubSecTimeOriginal",
            "SubSecTimeDigitized",
        ]
    },
}
"""IFD0 tags of DNG and TIFF/EP → their place in the Exif IFD, unless that is taken."""

_PHOTO_DROPPED = frozenset(
    [
        "MakerNote",
        "PixelXDimension",
        "PixelYDimension",
        "ColorSpace",
        "CompressedBitsPerPixel",
        "ComponentsConfiguration",
        "InteroperabilityTag",
        "RelatedSoundFile",
        "SubjectArea",
        "SubjectLocation",
        "CFAPattern",
        "SpatialFrequencyResponse",
        "FocalPlaneXResolution",
        "FocalPlaneYResolution",
        "FocalPlaneResolutionUnit",
    ]
)
_GROUPS_DROPPED = ("Image", "SubImage", "SubThumb", "Thumbnail", "PanasonicRaw", "MakerNote", "Mpf")
_XMP_GROUPS_DROPPED = frozenset(("crs", "crd", "crss", "darktable", "xmpGImg", "tiff", "lr_process"))
"""Develop settings of other programs would be applied a second time; ``tiff`` is structure."""
_XMP_DROPPED = (
    "Xmp.exif.PixelXDimension",
    "Xmp.exif.PixelYDimension",
    "Xmp.exif.ColorSpace",
    "Xmp.photoshop.ICCProfile",
    "Xmp.photoshop.ColorMode",
    "Xmp.photoshop.SidecarForExtension",
    "Xmp.xmp.Thumbnails",
    "Xmp.dc.format",
)


def copy_metadata(
    source: Path,
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
    source
        The RAW file. One that Exiv2 cannot read costs the metadata, not the picture.
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
    with _LOCK:
        notes: list[str] = []
        try:
            origin = exiv2.ImageFactory.open(str(source))
            origin.readMetadata()
        except exiv2.Exiv2Error:
            origin = None
            notes.append(f"metadata of {source.name} cannot be read; the picture carries none of it")
        ours = {"Exif.Image.Orientation": exiv2.UShortValue(orientation)}
        ours["Exif.Image.Software"] = exiv2.AsciiValue(software)
        if width is not None and height is not None:
            ours["Exif.Photo.PixelXDimension"] = exiv2.ULongValue(width)
            ours["Exif.Photo.PixelYDimension"] = exiv2.ULongValue(height)
        attempts = (
            (True, True, None),
            (False, True, "the maker notes do not fit and were left out"),
            (False, False, "maker notes and XMP do not fit and were left out"),
        )
        for maker_notes, xmp, note in attempts:
            try:
                lost = _write(origin, target, ours, maker_notes=maker_notes, xmp=xmp)
            except exiv2.Exiv2Error:
                continue
            if note:
                notes.append(note)
            if lost:
                notes.append(f"{lost} metadata tags do not fit into {target.suffix} and were left out")
            return tuple(notes)
        return (*notes, f"metadata of {source.name} cannot be written into {target.suffix or 'this'} files")


def _write(origin: Any, target: Path, ours: dict[str, Any], *, maker_notes: bool, xmp: bool) -> int:
    """Returns how many EXIF tags Exiv2 silently dropped, as it does when a JPEG's 64 KB are full."""
    picture = exiv2.ImageFactory.open(str(target))
    picture.readMetadata()
    exif = picture.exifData()
    if origin is not None:
        _carry_exif(origin.exifData(), exif, maker_notes)
        picture.setIptcData(origin.iptcData())
        if xmp:
            picture.setXmpData(_carried_xmp(origin.xmpData(), str(ours["Exif.Image.Software"])))
    for key, value in ours.items():
        exif[key] = value
    wanted = {datum.key() for datum in exif}
    picture.writeMetadata()
    written = exiv2.ImageFactory.open(str(target))
    written.readMetadata()
    return len(wanted - {datum.key() for datum in written.exifData()})


def _carry_exif(origin: Any, exif: Any, maker_notes: bool) -> None:
    moved: dict[str, Any] = {}
    for datum in origin:
        group, name = datum.groupName(), datum.tagName()
        if datum.count() == 0:
            continue
        if group == "Image":
            if name in _IMAGE_TAGS:
                exif[datum.key()] = datum.value()
            elif name == "UniqueCameraModel":
                moved["Exif.Image.Model"] = datum.value()
            elif name in _MOVED:
                moved[f"Exif.Photo.{_MOVED[name]}"] = datum.value()
        elif group == "Photo":
            if name not in _PHOTO_DROPPED:
                exif[datum.key()] = datum.value()
        elif group == "GPSInfo" or (
            maker_notes and not group.startswith(_GROUPS_DROPPED) and "Preview" not in datum.key()
        ):
            exif[datum.key()] = datum.value()
    for key, value in moved.items():
        if exif.findKey(exiv2.ExifKey(key)) == exif.end():
            exif[key] = value


def _carried_xmp(origin: Any, software: str) -> Any:
    xmp = exiv2.XmpData()
    for datum in origin:
        key = datum.key()
        if datum.groupName() not in _XMP_GROUPS_DROPPED and not key.startswith(_XMP_DROPPED):
            xmp.add(exiv2.XmpKey(key), datum.value())
    if origin.count():
        xmp["Xmp.xmp.CreatorTool"] = software
    return xmp


def read_names(path: Path) -> tuple[str, str]:
    """Make and model of the camera as Exiv2 finds them in any container; "" where it does not.

    A DNG without both may still name its camera as UniqueCameraModel.
    """
    try:
        with _LOCK:
            image = exiv2.ImageFactory.open(str(path))
            image.readMetadata()
            exif = image.exifData()
            names = ("Make", "Model", "UniqueCameraModel")
            make, model, unique = (_text_of(exif, f"Exif.Image.{name}") for name in names)
    except exiv2.Exiv2Error:
        return "", ""
    return make, model or ("" if make else unique)


def _text_of(exif: Any, key: str) -> str:
    position = exif.findKey(exiv2.ExifKey(key))
    return "" if position == exif.end() else position.value().toString().strip("\0 ")
