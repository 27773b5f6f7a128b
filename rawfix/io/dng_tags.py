"""What a TIFF-based RAW file (DNG, NEF, CR2, KDC …) says about itself in its own tags."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

logging.getLogger("tifffile").addHandler(logging.NullHandler())

LOSSY_JPEG = 34892
VC5 = 9
ISO_OVERFLOW = 65535
_CFA, _LINEAR_RAW = 32803, 34892
_RATIONALS = (5, 10)
_BROKEN = (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, struct.error)
"""What tifffile raises on files that are no TIFF, or a damaged one."""


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
        CFA colour codes ``(period_y, period_x)`` (0 red, 1 green, 2 blue), or None.
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
    """

    bits: int
    compression: int
    is_float: bool
    size: tuple[int, int]
    active_area: tuple[int, int, int, int]
    segments: tuple[tuple[int, int], ...]
    pattern: NDArray[np.uint8] | None
    layout: int
    black: NDArray[np.float32] | None
    black_rows: NDArray[np.float32] | None
    black_columns: NDArray[np.float32] | None
    white: tuple[float, ...]
    noise: tuple[tuple[float, float], ...]
    linearization: NDArray[np.uint16] | None


@dataclass(frozen=True, slots=True, eq=False)
class FileTags:
    """Names, speed and, where one can be told from the others, the raw directory."""

    make: str = ""
    model: str = ""
    lens: str = ""
    iso: float | None = None
    is_dng: bool = False
    color_matrix: NDArray[np.float64] | None = None
    raw: RawTags | None = None


def read_tags(path: Path) -> FileTags:
    """Read a file's tags; an empty `FileTags` for files that are no TIFF."""
    try:
        with tifffile.TiffFile(path) as file:
            first = file.pages[0]
            exif = _exif(first)
            raw = raw_page(file)
            return FileTags(
                make=_text(first, 271),
                model=_text(first, 272) or _text(first, 50708),
                lens=str(exif.get("LensModel") or _text(first, 42036) or "").strip("\0 "),
                iso=_iso(first, exif),
                is_dng=50706 in first.tags,
                color_matrix=_color_matrix(first),
                raw=None if raw is None else _raw_tags(raw, first),
            )
    except _BROKEN:
        return FileTags()


def read_float_samples(path: Path) -> NDArray[np.float32] | None:
    """Samples of a floating-point DNG as stored, ``(H, W)`` or ``(H, W, C)`` float32; None if undecodable.

    LibRaw converts floats to integers scaled by the brightest sample, which loses exposure and precision.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = raw_page(file)
            return None if page is None else np.asarray(page.asarray(), np.float32)
    except (*_BROKEN, RuntimeError):
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
        if not int(_value(page, 254, 0)) & 1
    ]
    return max(pages, key=lambda page: page.imagewidth * page.imagelength, default=None)


def _raw_tags(page: Any, first: Any) -> RawTags:
    height, width = int(page.imagelength), int(page.imagewidth)
    area = _numbers(page, 50829) or [0, 0, height, width]
    black = _numbers(page, 50714)
    rows, columns = (int(n) for n in _numbers(page, 50713) or (1, 1))
    pairs = _numbers(page, 51041) or _numbers(first, 51041)
    table = page.tags.get(50712)
    return RawTags(
        bits=int(np.max(page.bitspersample)),
        compression=int(page.compression),
        is_float=3 in np.atleast_1d(np.asarray(page.sampleformat, int)),
        size=(height, width),
        active_area=(int(area[0]), int(area[1]), int(area[2]), int(area[3])),
        segments=tuple(zip(map(int, page.dataoffsets), map(int, page.databytecounts), strict=False)),
        pattern=_pattern(page),
        layout=int(_value(page, 50711, 1)),
        black=np.array(black, np.float32).reshape(rows, columns, -1) if black else None,
        black_rows=_vector(page, 50716),
        black_columns=_vector(page, 50715),
        white=tuple(_numbers(page, 50717)),
        noise=tuple(zip(pairs[0::2], pairs[1::2], strict=False)),
        linearization=None if table is None else np.atleast_1d(np.asarray(table.value, np.uint16)),
    )


def _pattern(page: Any) -> NDArray[np.uint8] | None:
    dimensions, codes = page.tags.get(33421), page.tags.get(33422)
    if dimensions is None or codes is None:
        return None
    rows, columns = dimensions.value
    return np.array(list(bytes(codes.value)), np.uint8).reshape(rows, columns)


def _color_matrix(first: Any) -> NDArray[np.float64] | None:
    """XYZ → camera under the calibration illuminant nearest to D65 (21), AnalogBalance applied."""
    preference = {21: 0, 20: 1, 22: 2, 23: 3}
    matrices = [
        (preference.get(int(_value(first, illuminant, 0)), 9), matrix)
        for illuminant, matrix in ((50779, 50722), (50778, 50721))
        if len(_numbers(first, matrix)) == 9
    ]
    if not matrices:
        return None
    matrix = np.array(_numbers(first, min(matrices)[1])).reshape(3, 3)
    balance = _numbers(first, 50727)
    return np.diag(balance) @ matrix if len(balance) == 3 else matrix


def _exif(first: Any) -> dict[str, Any]:
    tag = first.tags.get(34665)
    return tag.value if tag is not None and isinstance(tag.value, dict) else {}


def _iso(first: Any, exif: dict[str, Any]) -> float | None:
    plain = (exif.get("ISOSpeedRatings"), exif.get("PhotographicSensitivity"), _value(first, 34855, 0))
    # 65535 is where the 16-bit field ends; what stands beside it has 32 bits.
    long = (exif.get("RecommendedExposureIndex"), exif.get("ISOSpeed"))
    speeds = [float(np.max(value)) for value in (*plain, *long) if value is not None]
    known = [speed for speed in speeds if 0 < speed < 2**32 - 1]
    return next((speed for speed in known if speed != ISO_OVERFLOW), known[0] if known else None)


def _value(page: Any, code: int, default: int) -> Any:
    tag = page.tags.get(code)
    return default if tag is None else tag.value


def _text(page: Any, code: int) -> str:
    value = _value(page, code, 0)
    return str(value).strip("\0 ") if isinstance(value, str) else ""


def _numbers(page: Any, code: int) -> list[float]:
    """A tag's values as floats, rationals divided out; empty where the tag is absent."""
    tag = page.tags.get(code)
    if tag is None:
        return []
    values = np.atleast_1d(np.asarray(tag.value, np.float64))
    if int(tag.dtype) in _RATIONALS:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.nan_to_num(values[0::2] / values[1::2], nan=0.0, posinf=0.0, neginf=0.0)
    return [float(value) for value in values]


def _vector(page: Any, code: int) -> NDArray[np.float32] | None:
    values = _numbers(page, code)
    return np.array(values, np.float32) if values else None
