"""Reading single tags of a TIFF, so that a malformed one costs only itself."""

from __future__ import annotations

import logging
import re
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
_RATIONALS = (5, 10)
MALFORMED = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, EOFError, MemoryError,
    AssertionError, struct.error,
)  # fmt: skip
"""What comes of a value of another type, count or meaning than its tag has; tifffile checks few of them."""

NAMES = {
    271: "Make", 272: "Model", 330: "SubIFDs", 33421: "CFARepeatPatternDim", 33422: "CFAPattern", 34665: "ExifIFD",
    34855: "ISOSpeedRatings", 42036: "LensModel", 50708: "UniqueCameraModel", 50710: "CFAPlaneColor",
    50711: "CFALayout", 50712: "LinearizationTable", 50713: "BlackLevelRepeatDim", 50714: "BlackLevel",
    50715: "BlackLevelDeltaH", 50716: "BlackLevelDeltaV", 50717: "WhiteLevel", 50721: "ColorMatrix1",
    50722: "ColorMatrix2", 50727: "AnalogBalance", 50728: "AsShotNeutral", 50778: "CalibrationIlluminant1",
    50779: "CalibrationIlluminant2", 50829: "ActiveArea",
    51008: "OpcodeList1", 51009: "OpcodeList2", 51022: "OpcodeList3", 51041: "NoiseProfile",
}  # fmt: skip
"""Tags that are looked at, by code."""

_logger = logging.getLogger("tifffile")
_logger.addHandler(logging.NullHandler())
_CODE = re.compile(r"TiffTag (\d+)")


class TagNotes:
    """What was malformed: one sentence a tag, in the order met."""

    def __init__(self) -> None:
        self.codes: dict[int, None] = {}

    def add(self, code: int) -> None:
        """A tag that had to be left out."""
        self.codes[code] = None

    def sentences(self) -> tuple[str, ...]:
        """As a frame's notes."""
        return tuple(f"its {NAMES[code]} tag is malformed and was left out" for code in self.codes)

    def attempt(self, code: int, read: Callable[[], T], default: T) -> T:
        """What ``read`` makes of a tag, or ``default`` where the tag has no such value, which is noted."""
        try:
            return read()
        except MALFORMED:
            self.add(code)
            return default


@contextmanager
def dropped_tags(notes: TagNotes) -> Iterator[None]:
    """Note the tags that tifffile leaves out while the body runs; it tells of them in its log alone."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found = _CODE.search(record.getMessage())
            if record.thread == thread and found and int(found[1]) in NAMES:
                notes.add(int(found[1]))

    thread = threading.get_ident()
    handler = Handler()
    _logger.addHandler(handler)
    try:
        yield
    finally:
        _logger.removeHandler(handler)


def value_of(page: Any, code: int, default: Any) -> Any:
    """A tag's value as tifffile has it."""
    tag = page.tags.get(code)
    return default if tag is None else tag.value


def text_of(page: Any, code: int) -> str:
    """A tag's text; "" where it is absent or no text."""
    value = value_of(page, code, "")
    return value.strip("\0 ") if isinstance(value, str) else ""


def numbers_of(page: Any, code: int) -> list[float]:
    """A tag's values as floats, rationals divided out; empty where the tag is absent."""
    tag = page.tags.get(code)
    if tag is None:
        return []
    values = np.atleast_1d(np.asarray(tag.value, np.float64))
    if int(tag.dtype) in _RATIONALS:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.nan_to_num(values[0::2] / values[1::2], nan=0.0, posinf=0.0, neginf=0.0)
    return [float(value) for value in values]


def vector_of(page: Any, code: int) -> NDArray[np.float32] | None:
    """`numbers_of` as an array, None where the tag is absent."""
    values = numbers_of(page, code)
    return np.array(values, np.float32) if values else None
