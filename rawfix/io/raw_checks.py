"""Refusing files that open but do not hold a photograph."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import CorruptRawError, UnsupportedRawError
from rawfix.io.dng_tags import LOSSY_JPEG, VC5, RawTags
from rawfix.io.presence import is_there

_COPY_AGAIN = "copy the file again from its source"
_COMPLAINT = re.compile(r"unexpected end|premature end|corrupt|unsupported|bogus|error", re.IGNORECASE)
_SIGNATURES = (
    b"II",
    b"MM",
    b"FUJIFILM",
    b"\0MRM",
    b"FOVb",
    b"ARRI",
    b"NOKIARAW",
    b"DSC-Image",
    b"PWAD",
    b"qkt",
)
"""How RAW files begin, but for those that LibRaw knows by their size, and ISO media: Canon's CR3."""
_stderr_lock = threading.RLock()


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Collect what native code writes to file descriptor 2; the list holds it after the block.

    LibRaw and libjpeg report damaged data there and nowhere else. The redirection is process-wide, so a
    lock admits one thread at a time, and what Python itself writes meanwhile is collected too.
    """
    lines: list[str] = []
    with _stderr_lock, tempfile.TemporaryFile() as sink:
        sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:
            yield lines
            return
        try:
            os.dup2(sink.fileno(), 2)
            yield lines
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            sink.seek(0)
            lines.extend(sink.read().decode(errors="replace").splitlines())


def check_file(path: Path) -> None:
    """Refuse what is not a readable, non-empty file."""
    try:
        exists = is_there(path)
    except OSError as error:
        raise CorruptRawError(f"{path.name}: cannot be read: {error.strerror}; check the path") from None
    if not exists and path.is_symlink():
        raise CorruptRawError(f"{path.name}: is a link to a file that is not there; check what it names")
    if not exists:
        raise CorruptRawError(f"{path.name}: there is no such file; check the path")
    if not path.is_file():
        raise UnsupportedRawError(f"{path.name}: is not a file; name a RAW file")
    if not os.access(path, os.R_OK):
        raise CorruptRawError(f"{path.name}: may not be read; change its permissions")
    if path.stat().st_size == 0:
        raise CorruptRawError(f"{path.name}: is empty; {_COPY_AGAIN}")


def check_extents(path: Path, raw: RawTags | None) -> None:
    """Refuse files whose strips or tiles reach beyond their end: they were cut short."""
    size = path.stat().st_size
    end = max((offset + count for offset, count in raw.segments), default=0) if raw else 0
    if end > size:
        raise CorruptRawError(
            f"{path.name}: is cut short, its pixels end at byte {end} of a file of {size}; {_COPY_AGAIN}"
        )


def check_messages(path: Path, lines: list[str]) -> None:
    """Refuse files about which the decoder complained."""
    for line in lines:
        message = line.replace(str(path), "").strip(" :")
        if _COMPLAINT.search(message):
            raise CorruptRawError(f"{path.name}: is damaged (decoder: {message[:80]}); {_COPY_AGAIN}")


def explain_refusal(path: Path, error: Exception, raw: RawTags | None) -> Exception:
    """The refusal to raise for what LibRaw raised."""
    with path.open("rb") as file:
        head = file.read(16)
    for magic, kind in ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"\0\0\0\x0cjP", "JPEG 2000")):
        if head.startswith(magic):
            return UnsupportedRawError(f"{path.name}: is a {kind} picture, not a RAW file; give the RAW file")
    if raw is not None and raw.compression == VC5:
        return UnsupportedRawError(
            f"{path.name}: VC-5 compression (GoPro GPR) cannot be decoded; convert it to an uncompressed DNG"
        )
    cause = error.args[0] if error.args else ""
    cause = cause.decode(errors="replace") if isinstance(cause, bytes) else str(cause)
    # A cut CIFF file has lost the directory at its end, by which LibRaw knows it.
    if b"HEAPCCDR" not in head and ("nsupported" in type(error).__name__ or "nsupported" in cause):
        return UnsupportedRawError(
            f"{path.name}: not a RAW file that LibRaw can decode; convert it to DNG, or {_COPY_AGAIN}"
        )
    # A text too short for LibRaw to tell what it is, is an end of file to it.
    if "nput/output" in cause and not head.startswith(_SIGNATURES) and head[4:8] != b"ftyp":
        return UnsupportedRawError(f"{path.name}: is not a RAW file; name a RAW file, or {_COPY_AGAIN}")
    return CorruptRawError(f"{path.name}: is damaged or cut short (LibRaw: {cause}); {_COPY_AGAIN}")


def check_samples(path: Path, mosaic: NDArray[Any], black: float, white: float, raw: RawTags | None) -> None:
    """Refuse decoded samples that cannot be a photograph.

    Parameters
    ----------
    path
        For the message.
    mosaic
        ``(H, W)`` or ``(H, W, 3)`` samples as decoded.
    black, white
        Least black level and greatest saturation level, counts.
    raw
        The raw directory of a DNG, or None: enables the checks of its linearisation.

    Raises
    ------
    CorruptRawError
        Empty, non-finite, one single value, nothing above black, or mostly far beyond white.
    UnsupportedRawError
        The decoder left out the file's own linearisation.
    """
    if mosaic.size == 0:
        raise CorruptRawError(f"{path.name}: holds no pixels; {_COPY_AGAIN}")
    lowest, highest = float(mosaic.min()), float(mosaic.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise CorruptRawError(f"{path.name}: holds samples that are no numbers; {_COPY_AGAIN}")
    # A sensor is never without noise; a full-color file may be a synthetic flat patch.
    if lowest == highest and (mosaic.ndim == 2 or highest >= white):
        raise CorruptRawError(f"{path.name}: every sample is {highest:g}, there is no picture; {_COPY_AGAIN}")
    if highest <= black:
        raise CorruptRawError(f"{path.name}: nothing is brighter than black ({black:g}); {_COPY_AGAIN}")
    if not white > black:
        raise CorruptRawError(f"{path.name}: white {white:g} is not above black {black:g}; {_COPY_AGAIN}")
    # Floating-point files may hold light of any height, demosaiced ones rebuilt highlights.
    if mosaic.dtype == np.uint16 and mosaic.ndim == 2 and float(np.mean(mosaic > 2 * white)) > 0.01:
        raise CorruptRawError(f"{path.name}: samples lie far beyond white ({white:g}); {_COPY_AGAIN}")
    if raw is not None and _linearization_missing(mosaic, black, white, raw):
        raise UnsupportedRawError(
            f"{path.name}: its linearisation could not be applied while decoding; "
            "convert the original again, to an uncompressed or lossless DNG"
        )


def _linearization_missing(mosaic: NDArray[Any], black: float, white: float, raw: RawTags) -> bool:
    """Whether samples are still in the file's compact code.

    A linearised sample is always an entry of LinearizationTable. Lossy DNGs hold 8-bit codes that an
    opcode expands to 16 bits: rendered frames that stay within half a per cent of the range were not.
    """
    if raw.linearization is not None and raw.compression != LOSSY_JPEG and not raw.is_float:
        return not np.isin(np.unique(mosaic.reshape(-1)[::7]), raw.linearization).all()
    if mosaic.ndim == 3:
        return float(np.quantile(mosaic, 0.999)) - black < 0.005 * (white - black)
    return raw.compression == LOSSY_JPEG and white > 255 and float(mosaic.max()) <= 255
