"""What a TIFF-based RAW file (DNG, NEF, CR2, KDC …) says about itself in its own tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from rawfix.io.color_tags import color_matrix
from rawfix.io.tag_reader import MALFORMED, TagNotes, dropped_tags, numbers_of, text_of, value_of, vector_of

LOSSY_JPEG = 34892
VC5 = 9
ISO_OVERFLOW = 65535
_CFA, _LINEAR_RAW = 32803, 34892
_RGB = (0, 1, 2)
_NO_TIFF = (tifffile.TiffFileError, OSError)
"""What tifffile raises on a file that is no TIFF."""
_BROKEN = "its directories are malformed: only what LibRaw reads of them counts"


@dataclass(frozen=True, slots=True, eq=False)
class RawTags:
    """The image file directory that holds the sensor's samples.

    Levels and pattern are phased to the top left of ``active_area``, not of the stored array.

    Attributes
    ----------
    bits, compression, is_float, size
        BitsPerSample, Compression, whether samples are floating point, stored ``(height, width)``.
    active_area
        ``(top, left, bottom, right)`` in stored pixels.
    segments
        ``(offset, byte count)`` of every strip or tile.
    pattern
        CFA color codes ``(period_y, period_x)`` (0 red, 1 green, 2 blue, others by TIFF/EP), or None.
    planes
        CFAPlaneColor: the color code of each plane, in the order in which the file speaks of planes.
    layout
        CFALayout; 1 is rectangular.
    black
        ``(period_y, period_x, samples)`` counts, or None.
    black_rows, black_columns
        BlackLevelDeltaV and BlackLevelDeltaH, counts, or None.
    white
        One level per sample, or empty.
    noise
        ``((S, O), …)`` of NoiseProfile, or empty.
    linearization
        LinearizationTable, or None.
    opcodes
        OpcodeList2 as stored, or empty.
    opcodes_1, opcodes_3
        OpcodeList1 and OpcodeList3 as stored, or empty.
    """

    bits: int
    compression: int
    is_float: bool
    size: tuple[int, int]
    active_area: tuple[int, int, int, int]
    segments: tuple[tuple[int, int], ...]
    pattern: NDArray[np.uint8] | None
    planes: tuple[int, ...]
    layout: int
    black: NDArray[np.float32] | None
    black_rows: NDArray[np.float32] | None
    black_columns: NDArray[np.float32] | None
    white: tuple[float, ...]
    noise: tuple[tuple[float, float], ...]
    linearization: NDArray[np.uint16] | None
    opcodes: bytes = b""
    opcodes_1: bytes = b""
    opcodes_3: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class FileTags:
    """Names, speed and, where one can be told from the others, the raw directory.

    ``color_matrix`` is XYZ → camera, ``(planes, 3)``; ``neutral`` what the planes answer to the light of the picture
    (AsShotNeutral), or empty; ``notes`` tell of tags that were malformed.
    """

    make: str = ""
    model: str = ""
    lens: str = ""
    iso: float | None = None
    is_dng: bool = False
    color_matrix: NDArray[np.float64] | None = None
    neutral: tuple[float, ...] = ()
    raw: RawTags | None = None
    notes: tuple[str, ...] = ()


def read_tags(path: Path) -> FileTags:
    """Read a file's tags; an empty `FileTags` for files that are no TIFF.

    A malformed tag is left out and told of in ``notes``; the others count.
    """
    notes = TagNotes()
    with dropped_tags(notes):
        try:
            file = tifffile.TiffFile(path)
        except _NO_TIFF:
            return FileTags()
        except MALFORMED:
            return FileTags(notes=(_BROKEN,))
        with file:
            try:
                first = file.pages[0]
                page = raw_page(file)
            except (OSError, IndexError):
                return FileTags()
            except MALFORMED:
                return FileTags(notes=(_BROKEN,))
            exif: dict[str, Any] = notes.attempt(34665, lambda: _exif(first), {})
            tags = FileTags(
                make=text_of(first, 271),
                model=text_of(first, 272) or text_of(first, 50708),
                lens=str(exif.get("LensModel") or text_of(first, 42036) or "").strip("\0 "),
                iso=notes.attempt(34855, lambda: _iso(first, exif), None),
                is_dng=50706 in first.tags,
                color_matrix=color_matrix(first, notes),
                neutral=notes.attempt(50728, lambda: tuple(numbers_of(first, 50728)), ()),
                raw=notes.attempt(330, lambda: None if page is None else _raw_tags(page, first, notes), None),
            )
    return replace(tags, notes=notes.sentences())


def read_float_samples(path: Path) -> NDArray[np.float32] | None:
    """Samples of a floating-point DNG as stored, ``(H, W)`` or ``(H, W, C)`` float32; None if undecodable.

    LibRaw converts floats to integers scaled by the brightest sample, which loses exposure and precision.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = raw_page(file)
            return None if page is None else np.asarray(page.asarray(), np.float32)
    except (OSError, *MALFORMED):
        return None


def _walk(pages: Any) -> Iterator[Any]:
    for page in pages or ():
        if page is not None:
            page = page.aspage()
            yield page
            yield from _walk(page.pages)


def raw_page(file: Any) -> Any | None:
    """The largest full-resolution directory with a raw photometric interpretation, or Canon's sliced one."""
    pages = [
        page
        for page in _walk(file.pages)
        if int(page.photometric or 0) in (_CFA, _LINEAR_RAW) or 50752 in page.tags
        if not int(value_of(page, 254, 0)) & 1
    ]
    return max(pages, key=lambda page: page.imagewidth * page.imagelength, default=None)


def _raw_tags(page: Any, first: Any, notes: TagNotes) -> RawTags:
    height, width = int(page.imagelength), int(page.imagewidth)
    whole = (0, 0, height, width)
    return RawTags(
        bits=int(np.max(page.bitspersample)),
        compression=int(page.compression),
        is_float=3 in np.atleast_1d(np.asarray(page.sampleformat, int)),
        size=(height, width),
        active_area=notes.attempt(50829, lambda: _active_area(page, whole), whole),
        segments=tuple(zip(map(int, page.dataoffsets), map(int, page.databytecounts), strict=False)),
        pattern=notes.attempt(33422, lambda: _pattern(page), None),
        planes=notes.attempt(50710, lambda: _planes(page), _RGB),
        layout=notes.attempt(50711, lambda: int(value_of(page, 50711, 1)), 1),
        black=notes.attempt(50714, lambda: _black(page), None),
        black_rows=notes.attempt(50716, lambda: vector_of(page, 50716), None),
        black_columns=notes.attempt(50715, lambda: vector_of(page, 50715), None),
        white=notes.attempt(50717, lambda: tuple(numbers_of(page, 50717)), ()),
        noise=notes.attempt(51041, lambda: _noise(page, first), ()),
        opcodes=notes.attempt(51009, lambda: bytes(value_of(page, 51009, b"")), b""),
        opcodes_1=notes.attempt(51008, lambda: bytes(value_of(page, 51008, b"")), b""),
        opcodes_3=notes.attempt(51022, lambda: bytes(value_of(page, 51022, b"")), b""),
        linearization=notes.attempt(50712, lambda: _linearization(page), None),
    )


def _active_area(page: Any, whole: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    top, left, bottom, right = (int(number) for number in numbers_of(page, 50829) or whole)
    if not (0 <= top < bottom <= whole[2] and 0 <= left < right <= whole[3]):
        raise ValueError("an area beyond the picture")
    return top, left, bottom, right


def _pattern(page: Any) -> NDArray[np.uint8] | None:
    dimensions, codes = page.tags.get(33421), page.tags.get(33422)
    if dimensions is None or codes is None:
        return None
    rows, columns = dimensions.value
    values = np.atleast_1d(
        np.frombuffer(codes.value, np.uint8) if isinstance(codes.value, bytes) else codes.value
    )
    if not values.size or not rows or not columns:
        raise ValueError("an empty pattern")
    return np.asarray(values, np.uint8).reshape(rows, columns)


def _planes(page: Any) -> tuple[int, ...]:
    stated = value_of(page, 50710, bytes(_RGB))
    planes = tuple(stated) if isinstance(stated, bytes | tuple) else (int(stated),)
    if len(set(planes)) != len(planes):
        raise ValueError("two planes of one color")
    return planes


def _black(page: Any) -> NDArray[np.float32] | None:
    levels = numbers_of(page, 50714)
    rows, columns = (int(number) for number in numbers_of(page, 50713) or (1, 1))
    return np.array(levels, np.float32).reshape(rows, columns, -1) if levels else None


def _noise(page: Any, first: Any) -> tuple[tuple[float, float], ...]:
    pairs = numbers_of(page, 51041) or numbers_of(first, 51041)
    return tuple(zip(pairs[0::2], pairs[1::2], strict=True))


def _linearization(page: Any) -> NDArray[np.uint16] | None:
    table = page.tags.get(50712)
    return None if table is None else np.atleast_1d(np.asarray(table.value, np.uint16))


def _exif(first: Any) -> dict[str, Any]:
    value = value_of(first, 34665, {})
    return value if isinstance(value, dict) else {}


def _iso(first: Any, exif: dict[str, Any]) -> float | None:
    plain = (exif.get("ISOSpeedRatings"), exif.get("PhotographicSensitivity"), value_of(first, 34855, 0))
    # 65535 is where the 16-bit field ends; what stands beside it has 32 bits.
    long = (exif.get("RecommendedExposureIndex"), exif.get("ISOSpeed"))
    speeds = [float(np.max(value)) for value in (*plain, *long) if value is not None]
    known = [speed for speed in speeds if 0 < speed < 2**32 - 1]
    return next((speed for speed in known if speed != ISO_OVERFLOW), known[0] if known else None)
