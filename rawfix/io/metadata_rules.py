"""Which tags go from the RAW file into the picture: what describes the photograph does.

What describes the RAW file's inside (strips, filter arrays, color matrices, thumbnails) or another program's
edits stays behind.
"""

from __future__ import annotations

IMAGE_TAGS = frozenset(
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
        "BatteryLevel",
        "SelfTimerMode",
        "ImageNumber",
        "TimeCodes",
        "FrameRate",
        "TStop",
        "ReelName",
        "CameraLabel",
    ]
)
"""What is taken from IFD0; everything else there tells how the file is built."""

MOVED = {
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

LENS_CORRECTIONS = range(0x7030, 0x7038)
"""Sony's vignetting, chromatic aberration and distortion parameters in an image directory. They are functions of
the distance from the centre, so an upright picture may carry them as they are."""

PHOTO_DROPPED = frozenset(
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
GROUPS_DROPPED = ("Image", "SubImage", "SubThumb", "Thumbnail", "PanasonicRaw", "MakerNote", "Mpf")

XMP_GROUPS_DROPPED = frozenset(("crs", "crd", "crss", "darktable", "xmpGImg", "tiff", "lr_process", "rawfix"))
"""Develop settings of other programs would be applied a second time; ``tiff`` is structure."""
XMP_DROPPED = (
    "Xmp.exif.PixelXDimension",
    "Xmp.exif.PixelYDimension",
    "Xmp.exif.ColorSpace",
    "Xmp.photoshop.ICCProfile",
    "Xmp.photoshop.ColorMode",
    "Xmp.photoshop.SidecarForExtension",
    "Xmp.xmp.Thumbnails",
    "Xmp.dc.format",
)

SIDECAR_CARRIED = (
    "Xmp.dc.",
    "Xmp.xmpRights.",
    "Xmp.xmp.Rating",
    "Xmp.xmp.Label",
    "Xmp.lr.",
    "Xmp.digiKam.TagsList",
    "Xmp.photoshop.",
    "Xmp.iptc.",
    "Xmp.iptcExt.",
    "Xmp.plus.",
    "Xmp.exif.GPS",
)
"""What a sidecar says about the photograph rather than about a program's rendering of it."""

PRIVATE_EXIF = frozenset(
    [
        "BodySerialNumber",
        "LensSerialNumber",
        "CameraOwnerName",
        "ImageUniqueID",
        "HostComputer",
    ]
)
PRIVATE_XMP = (
    "Xmp.exif.GPS",
    "Xmp.exif.ImageUniqueID",
    "Xmp.exifEX.BodySerialNumber",
    "Xmp.exifEX.LensSerialNumber",
    "Xmp.exifEX.CameraOwnerName",
    "Xmp.aux.SerialNumber",
    "Xmp.aux.LensSerialNumber",
    "Xmp.aux.OwnerName",
    "Xmp.xmpMM.",
    "Xmp.mwg-rs.",
    "Xmp.MP.",
    "Xmp.iptc.Location",
    "Xmp.iptc.CountryCode",
    "Xmp.iptcExt.Location",
    "Xmp.iptcExt.PersonInImage",
    "Xmp.photoshop.City",
    "Xmp.photoshop.State",
    "Xmp.photoshop.Country",
    "Xmp.photoshop.DocumentAncestors",
    "Xmp.rawfix.Source",
)
PRIVATE_IPTC = frozenset(
    ["City", "SubLocation", "ProvinceState", "CountryCode", "CountryName", "LocationCode", "LocationName"]
)

IPTC_IN_XMP = {
    "ObjectName": "Xmp.dc.title",
    "Caption": "Xmp.dc.description",
    "Keywords": "Xmp.dc.subject",
    "Byline": "Xmp.dc.creator",
    "Copyright": "Xmp.dc.rights",
    "Headline": "Xmp.photoshop.Headline",
    "Credit": "Xmp.photoshop.Credit",
    "City": "Xmp.photoshop.City",
    "ProvinceState": "Xmp.photoshop.State",
    "CountryName": "Xmp.photoshop.Country",
    "SubLocation": "Xmp.iptc.Location",
}
"""Where IPTC-IIM fields live in XMP, for containers without a place for IPTC (IPTC Photo Metadata 2022)."""


def is_carried_xmp(key: str) -> bool:
    """Whether a property of the RAW file's own XMP describes the photograph."""
    return key.split(".")[1] not in XMP_GROUPS_DROPPED and not key.startswith(XMP_DROPPED)


def is_carried_from_sidecar(key: str) -> bool:
    """Whether a property of a sidecar does."""
    return key.startswith(SIDECAR_CARRIED) and is_carried_xmp(key)
