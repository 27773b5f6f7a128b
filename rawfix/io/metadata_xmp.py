"""XMP: the RAW file's own, its sidecars', and rawfix's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import exiv2

from rawfix.io.metadata_open import open_metadata
from rawfix.io.metadata_rules import IPTC_IN_XMP, is_carried_from_sidecar, is_carried_xmp, is_public_xmp
from rawfix.io.provenance import NAMESPACE, PREFIX, Origin

exiv2.XmpProperties.registerNs(NAMESPACE, PREFIX)

_SOURCE_TYPE = "Xmp.iptcExt.DigitalSourceType"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype"
_SYNTHETIC = ("AlgorithmicMedia", "algorithmicMedia", "Synthetic", "virtualRecording")
"""What names of IPTC's digital source types hold where more of the picture is made up than enhancement makes up."""


def merged_xmp(own: Any | None, origin: Origin, software: str) -> tuple[Any, tuple[str, ...]]:
    """The picture's XMP and sentences about what could not be read.

    A property that a sidecar names replaces the RAW file's whole property.

    Parameters
    ----------
    own
        exiv2's XmpData of the RAW file, or None.
    origin
        Sidecars, privacy and provenance.
    software
        For CreatorTool.
    """
    notes: list[str] = []
    merged: dict[str, list[tuple[str, Any]]] = {}
    if own is not None:
        _take(merged, own, is_carried_xmp)
    used: list[str] = []
    for path in origin.sidecars:
        data = _sidecar(path)
        if data is None:
            notes.append(f"sidecar {path.name} cannot be read and was left out")
        elif _is_for(data, origin.told):
            found: dict[str, list[tuple[str, Any]]] = {}
            _take(found, data, is_carried_from_sidecar)
            merged.update(found)
            used.append(_told_name(path, origin))
    xmp = exiv2.XmpData()
    for entries in merged.values():
        for key, value in entries:
            if not origin.strip_private or is_public_xmp(key):
                xmp.add(exiv2.XmpKey(key), value)
    if (provenance := origin.told_provenance) is not None:
        for name, content in _continued(own, provenance.properties()).items():
            _put(xmp, f"Xmp.{PREFIX}.{name}", content)
        if provenance.is_enhanced and not _is_synthetic(xmp):
            xmp[_SOURCE_TYPE] = f"{_SOURCE_TYPES}/algorithmicallyEnhanced"
        if not origin.strip_private:
            _put(xmp, f"Xmp.{PREFIX}.Source", origin.told.name)
            _put(xmp, f"Xmp.{PREFIX}.Sidecars", tuple(used))
    if xmp.count():
        xmp["Xmp.xmp.CreatorTool"] = software
    return xmp, tuple(notes)


def _continued(own: Any | None, told: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
    """What is told of a development, after what the file tells of those before: all ``Models``, settings ``Before``."""
    models, before, settings = (_items(own, name) for name in ("Models", "Before", "Settings"))
    if not settings:
        return told
    return told | {"Models": (*models, *told.get("Models", ())), "Before": (*before, *settings)}


def _items(xmp: Any | None, name: str) -> tuple[str, ...]:
    """The texts of one of our own properties, none where it is absent."""
    if xmp is None:
        return ()
    position = xmp.findKey(exiv2.XmpKey(f"Xmp.{PREFIX}.{name}"))
    if position == xmp.end():
        return ()
    value = position.value()
    if value.typeId() == exiv2.TypeId.xmpText:  # its count is that of its letters
        return (value.toString(),)
    return tuple(value.toString(index) for index in range(value.count()))


def gps_of_sidecars(xmp: Any) -> Iterator[tuple[str, Any]]:
    """EXIF's spelling of an XMP position: a reader that meets both believes EXIF.

    Yields
    ------
    str, value
        Keys of the GPS directory and exiv2 values.

    References
    ----------
    Adobe XMP specification part 2, section 1.2.7.4 ("DDD,MM.mmk" or "DDD,MM,SSk").
    """
    texts = {datum.key(): datum.toString() for datum in xmp if datum.key().startswith("Xmp.exif.GPS")}
    places = [(name, _degrees(texts.get(f"Xmp.exif.GPS{name}", ""))) for name in ("Latitude", "Longitude")]
    if not all(place for _, place in places):
        return
    yield "Exif.GPSInfo.GPSVersionID", _bytes("2 3 0 0")
    for name, place in places:
        if place is not None:
            yield f"Exif.GPSInfo.GPS{name}", exiv2.URationalValue(place[0])
            yield f"Exif.GPSInfo.GPS{name}Ref", exiv2.AsciiValue(place[1])
    if match := re.fullmatch(r"(\d+)/([1-9]\d*)", texts.get("Xmp.exif.GPSAltitude", "")):
        yield "Exif.GPSInfo.GPSAltitude", exiv2.URationalValue([(int(match[1]), int(match[2]))])
        yield "Exif.GPSInfo.GPSAltitudeRef", _bytes(texts.get("Xmp.exif.GPSAltitudeRef", "0"))


def encoded(xmp: Any) -> bytes:
    """XMP as RDF in XML, UTF-8."""
    flags = exiv2.XmpParser.XmpFormatFlags
    _, text = exiv2.XmpParser.encode(xmp, int(flags.omitPacketWrapper | flags.useCompactFormat))
    return str(text).encode()


def add_iptc(xmp: Any, iptc: Any) -> None:
    """Say in XMP what IPTC says, where XMP does not."""
    for field, key in IPTC_IN_XMP.items():
        position = xmp.findKey(exiv2.XmpKey(key))
        if position != xmp.end():
            continue
        texts = tuple(datum.toString() for datum in iptc if datum.tagName() == field)
        if not texts:
            continue
        if key in ("Xmp.dc.title", "Xmp.dc.description", "Xmp.dc.rights"):
            xmp[key] = exiv2.LangAltValue(texts[0])
        elif key in ("Xmp.dc.subject", "Xmp.dc.creator"):
            kind = exiv2.TypeId.xmpBag if key.endswith("subject") else exiv2.TypeId.xmpSeq
            _put(xmp, key, texts, kind)
        else:
            xmp[key] = texts[0]


def _take(into: dict[str, list[tuple[str, Any]]], data: Any, wanted: Callable[[str], bool]) -> None:
    """Sort exiv2's flat list by property; the parts of a structure stay with it."""
    for datum in data:
        key = datum.key()
        if wanted(key):
            into.setdefault(re.split(r"[\[/]", key, maxsplit=1)[0], []).append((key, datum.value()))


def _sidecar(path: Path) -> Any | None:
    try:
        return open_metadata(path).xmpData()
    except exiv2.Exiv2Error:
        return None


def _is_for(xmp: Any, source: Path) -> bool:
    """Adobe's ``STEM.xmp`` may belong to another file of that stem; then it names the suffix."""
    key = exiv2.XmpKey("Xmp.photoshop.SidecarForExtension")
    position = xmp.findKey(key)
    said = "" if position == xmp.end() else position.toString()
    return not said or said.casefold() == source.suffix.lstrip(".").casefold()


def _is_synthetic(xmp: Any) -> bool:
    """Whether the picture is said to be made up already: that is not softened to enhanced."""
    position = xmp.findKey(exiv2.XmpKey(_SOURCE_TYPE))
    return position != xmp.end() and any(word in position.toString() for word in _SYNTHETIC)


def _told_name(sidecar: Path, origin: Origin) -> str:
    """A sidecar's name, which follows the RAW file's where that has another name on this disk."""
    if origin.named is None:
        return sidecar.name
    return origin.named.stem + sidecar.name.removeprefix(origin.source.stem)


def _put(xmp: Any, key: str, content: str | tuple[str, ...], kind: Any = None) -> None:
    if isinstance(content, str):
        xmp[key] = exiv2.XmpTextValue(content)
    elif content:
        array = exiv2.XmpArrayValue(exiv2.TypeId.xmpBag if kind is None else kind)
        for text in content:
            array.read(text)
        xmp[key] = array


def _bytes(text: str) -> Any:
    value = exiv2.DataValue(exiv2.TypeId.unsignedByte)
    value.read(text)
    return value


def _degrees(text: str) -> tuple[list[tuple[int, int]], str] | None:
    match = re.fullmatch(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])", text)
    if match is None:
        return None
    minutes = Fraction(match[2]).limit_denominator(1_000_000)
    seconds = Fraction(match[3] or 0).limit_denominator(10_000)
    parts = (Fraction(match[1]), minutes, seconds)
    return [(part.numerator, part.denominator) for part in parts], match[4]
