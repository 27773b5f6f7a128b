"""The first directory of a DNG: versions, camera, color, origin.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapters 4 and 6.
"""

from __future__ import annotations

from rawfix import __version__
from rawfix.frame import RawFrame
from rawfix.io.dng_carry import POINTERS, STRUCTURE, Carried
from rawfix.io.dng_color import COLOR_MATRIX_1, matrix_entries, neutral_entry
from rawfix.io.dng_digest import file_digest
from rawfix.io.dng_ifd import Directory, ascii, byte, long, numbers, rational, short, utf8
from rawfix.io.provenance import Origin

_MAKE, _MODEL, _ORIENTATION, _SOFTWARE = 271, 272, 274, 305
_VERSION, _BACKWARD_VERSION, _UNIQUE_MODEL = 50706, 50707, 50708
_BASELINE_EXPOSURE, _RESPONSE_LIMIT, _BLACK_RENDER = 50730, 50734, 51110
_RAW_ID, _ORIGINAL_NAME, _ORIGINAL_DIGEST, _RAW_DIGEST = 50781, 50827, 50973, 51111
_RESOLUTION = (282, 283, 296)
_BLACK_RENDER_NONE = 1


def main_directory(
    frame: RawFrame,
    wb: tuple[float, float, float],
    skeleton: Directory,
    carried: Carried,
    origin: Origin,
    digest: bytes,
    *,
    stops: float,
    span: tuple[float, float, float],
    is_linear: bool,
    is_jpeg_xl: bool,
    has_opcodes: bool,
) -> Directory:
    """Everything of the first directory but the thumbnail.

    Parameters
    ----------
    frame, wb
        What was developed, and the balance to state as shot.
    skeleton
        First directory of the file so far, which points to Exif, GPS, XMP and IPTC.
    carried
        What the source says.
    origin
        The RAW file is named and its digest given, although the file itself is not embedded; neither where
        private facts are to be left out.
    digest
        NewRawImageDigest.
    stops
        To add to the source's BaselineExposure.
    span
        See `rawfix.io.dng_raw.white_span`.
    is_linear
        LinearRaw: black is 0 and stays there, so a reader needs no black point of its own.
    is_jpeg_xl, has_opcodes
        What readers understand from DNG 1.7.1 and 1.3 on.
    """
    entries = {
        tag: entry
        for tag, entry in skeleton.items()
        if tag in POINTERS or (tag not in STRUCTURE and tag not in _RESOLUTION and not carried.is_tiff)
    }
    entries |= carried.main
    needed = b"\1\7\1\0" if is_jpeg_xl else b"\1\3\0\0" if has_opcodes else b"\1\1\0\0"
    entries |= {
        _ORIENTATION: short(frame.orientation),
        _SOFTWARE: ascii(f"rawfix {__version__}"),
        _VERSION: byte(max(entries[_VERSION].data if _VERSION in entries else b"", b"\1\4\0\0", needed)),
        _BACKWARD_VERSION: byte(needed),
        _RAW_ID: byte(digest),
        _RAW_DIGEST: byte(digest),
        **_names(frame, entries),
    }
    if not origin.strip_private:
        name = origin.told.name
        entries[_ORIGINAL_NAME] = ascii(name) if name.isascii() else utf8(name)
        entries[_ORIGINAL_DIGEST] = byte(file_digest(origin.source))
    if stops or _BASELINE_EXPOSURE not in entries:
        before = numbers(entries[_BASELINE_EXPOSURE])[0] if _BASELINE_EXPOSURE in entries else 0.0
        entries[_BASELINE_EXPOSURE] = rational(before + stops, signed=True)
    entries.setdefault(_RESPONSE_LIMIT, rational(1.0))
    if is_linear:
        entries[_BLACK_RENDER] = long(_BLACK_RENDER_NONE)
    if frame.cfa is None or frame.cfa.name != "mono":
        entries |= neutral_entry(wb, span)
        if COLOR_MATRIX_1 not in entries:
            entries |= matrix_entries(frame, span)
    return entries


def _names(frame: RawFrame, found: Directory) -> Directory:
    """Make, model and unique model: the source's own, or else the frame's."""
    make, model = (
        found[t].data.decode("ascii", "replace").strip("\0 ") if t in found else "" for t in (_MAKE, _MODEL)
    )
    name = frame.camera or f"{make} {model}".strip() or "Unknown"
    return {
        _MAKE: found.get(_MAKE) or ascii(name.split()[0]),
        _MODEL: found.get(_MODEL) or ascii(name),
        _UNIQUE_MODEL: found.get(_UNIQUE_MODEL) or ascii(name),
    }
