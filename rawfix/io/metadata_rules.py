"""Which tags go from the RAW file into the picture: what describes the photograph does.

What describes the RAW file's inside (strips, filter arrays, color matrices, thumbnails) or another program's
edits stays behind.
"""

from __future__ import annotations

import re

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
        "XResolution",
        "YResolution",
        "ResolutionUnit",
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

PUBLIC_IMAGE = frozenset(
    [
        "Make",
        "Model",
        "UniqueCameraModel",
        "DateTime",
        "Artist",
        "Copyright",
        "XPAuthor",
        "Rating",
        "RatingPercent",
        "SelfTimerMode",
        "TimeCodes",
        "FrameRate",
        "TStop",
    ]
)
"""What ``--strip private`` leaves of IFD0: camera, times, author. Here and below, what is not named goes, so that
no text of the user's and nothing of an unknown meaning passes."""
PUBLIC_PHOTO = frozenset(
    [
        "ExposureTime", "FNumber", "ExposureProgram", "ISOSpeedRatings", "SensitivityType",
        "StandardOutputSensitivity", "RecommendedExposureIndex", "ISOSpeed", "ISOSpeedLatitudeyyy",
        "ISOSpeedLatitudezzz", "PhotographicSensitivity", "ExposureIndex", "ExposureMode", "ExposureBiasValue",
        "ShutterSpeedValue", "ApertureValue", "MaxApertureValue", "BrightnessValue", "SubjectDistance",
        "SubjectDistanceRange", "MeteringMode", "LightSource", "Flash", "FlashEnergy", "FocalLength",
        "FocalLengthIn35mmFilm", "DigitalZoomRatio", "SensingMethod", "FileSource", "SceneType",
        "SceneCaptureType", "CustomRendered", "WhiteBalance", "GainControl", "Contrast", "Saturation", "Sharpness",
        "DistortionCorrection", "ChromaticAberrationCorrection", "ShadingCorrection", "NoiseReduction",
        "CompositeImage", "SourceImageNumberOfCompositeImage", "SourceExposureTimesOfCompositeImage", "Gamma",
        "DateTimeOriginal", "DateTimeDigitized", "OffsetTime", "OffsetTimeOriginal", "OffsetTimeDigitized",
        "SubSecTime", "SubSecTimeOriginal", "SubSecTimeDigitized",
        "LensSpecification", "LensMake", "LensModel", "CameraFirmware", "Photographer",
        "ExifVersion", "FlashpixVersion", "PixelXDimension", "PixelYDimension", "ColorSpace",
    ]
)  # fmt: skip
"""What it leaves of the Exif IFD, and of its likeness in XMP."""
PUBLIC_XMP = {
    "exif": PUBLIC_PHOTO,
    "exifEX": PUBLIC_PHOTO,
    "aux": frozenset(
        ("Lens", "LensID", "LensInfo", "FlashCompensation", "ApproximateFocusDistance", "Firmware")
    ),
    "dc": frozenset(("creator", "rights", "date")),
    "xmp": frozenset(("CreateDate", "ModifyDate", "MetadataDate", "CreatorTool", "Rating")),
    "xmpRights": frozenset(("Marked", "UsageTerms", "WebStatement")),
    "photoshop": frozenset(("DateCreated",)),
    "iptcExt": frozenset(("DigitalSourceType",)),
}
PUBLIC_IPTC = frozenset(
    [
        "CharacterSet",
        "ModelVersion",
        "RecordVersion",
        "Byline",
        "Copyright",
        "DateCreated",
        "TimeCreated",
        "DigitizationDate",
        "DigitizationTime",
    ]
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


def is_public_exif(group: str, name: str, tag: int) -> bool:
    """Whether an EXIF tag is technical, or tells who the author is."""
    if group == "Photo":
        return name in PUBLIC_PHOTO
    if group == "Image" and (name in PUBLIC_IMAGE or MOVED.get(name) in PUBLIC_PHOTO):
        return True
    return group == "Iop" or (tag in LENS_CORRECTIONS and group.startswith(("Image", "SubImage")))


def is_public_xmp(key: str) -> bool:
    """Whether a property is; the parts of a structure are what the structure is."""
    _, group, path = key.split(".", maxsplit=2)
    return re.split(r"[\[/]", path, maxsplit=1)[0] in PUBLIC_XMP.get(group, ())
