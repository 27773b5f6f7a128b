"""Reading finished pictures: TIFF, PNG and JPEG of 8 or 16 bits, gray or RGB."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from rawfix.errors import CorruptRawError, UnsupportedRawError
from rawfix.io.icc_curve import profile_space
from rawfix.io.metadata import read_exif
from rawfix.settings import Format

SUFFIXES = frozenset((".tif", ".tiff", ".png", ".jpg", ".jpeg"))
"""What a folder is searched for."""
_COPY_AGAIN = "copy the file again from its source"
_BROKEN = (
    ValueError, KeyError, IndexError, TypeError, OSError, EOFError, RuntimeError, SyntaxError, struct.error,
)  # fmt: skip
"""What Pillow, tifffile and imagecodecs raise on damaged files."""
_ICC, _DNG_VERSION, _SUB_IFDS, _REDUCED = 34675, 50706, 330, 1
_MOSAICS = (32803, 34892)
"""Photometric interpretations of color filter arrays and of light before any rendering."""
_DEVELOP = "rawfix develop --upscale"
Pillow.MAX_IMAGE_PIXELS = None  # photographs are larger; what there is of memory is for the system to say


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A finished picture as its file holds it.

    Attributes
    ----------
    samples
        ``(H, W, C)`` uint8 or uint16, full range, as stored; C is 3, or 1 for gray.
    icc
        Embedded profile, or None.
    format
        Of the file.
    orientation
        EXIF's: where the first row and column belong.
    notes
        Sentences about what was left out.
    """

    samples: NDArray[Any]
    icc: bytes | None
    format: Format
    orientation: int = 1
    notes: tuple[str, ...] = ()


def read_picture(path: Path) -> Picture:
    """Read a picture, whatever its suffix says.

    Raises
    ------
    CorruptRawError
        There is no such file, or it is damaged.
    UnsupportedRawError
        It is of another kind, or holds what would be lost: transparency, floating point, ink.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(8)
    except FileNotFoundError:
        raise CorruptRawError(f"{path.name}: there is no such file; check the path") from None
    except OSError as error:
        raise CorruptRawError(f"{path.name}: cannot be read: {error.strerror}") from None
    try:
        if magic.startswith(b"\x89PNG"):
            found = _read_png(path)
        elif magic.startswith(b"\xff\xd8"):
            found = _read_jpeg(path)
        elif magic[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            found = _read_tiff(path)
        else:
            raise UnsupportedRawError(
                f"{path.name}: is no TIFF, PNG or JPEG; RAW files are enlarged by {_DEVELOP}"
            )
    except _BROKEN as error:
        raise CorruptRawError(f"{path.name}: is damaged ({_first_line(error)}); {_COPY_AGAIN}") from None
    samples, icc, format, notes = found
    samples, more = _without_opaque(path, samples)
    notes += more
    if icc and profile_space(icc) != ("GRAY" if samples.shape[2] == 1 else "RGB"):
        icc, notes = None, (*notes, "its color profile is of another kind of picture and was left out")
    turned = read_exif(path, ("Exif.Image.Orientation",))[0]
    return Picture(samples, icc, format, int(turned) if turned in tuple("12345678") else 1, notes)


_Found = tuple[NDArray[Any], bytes | None, Format, tuple[str, ...]]


def _read_png(path: Path) -> _Found:
    with Pillow.open(path) as header:
        icc, mode, gamma = header.info.get("icc_profile"), header.mode, header.info.get("gamma")
        notes: tuple[str, ...] = ()
        if not icc and "srgb" not in header.info and gamma and not 0.43 < gamma < 0.48:
            notes = (
                f"its gAMA of {gamma:g} is not heeded: light is decoded, and encoded again, by sRGB's curve",
            )
        if mode in ("P", "1"):
            wanted = "RGBA" if "transparency" in header.info else "L" if mode == "1" else "RGB"
            return np.asarray(header.convert(wanted)), icc, "png", notes
    return np.asarray(imagecodecs.png_decode(path.read_bytes())), icc, "png", notes


def _read_jpeg(path: Path) -> _Found:
    with Pillow.open(path) as file:
        if file.mode not in ("L", "RGB"):
            raise UnsupportedRawError(f"{path.name}: its colors are {file.mode}; convert it to RGB first")
        return np.asarray(file), file.info.get("icc_profile"), "jpeg", ()


def _read_tiff(path: Path) -> _Found:
    with tifffile.TiffFile(path) as file:
        if _is_raw(file):
            raise UnsupportedRawError(f"{path.name}: is a RAW file; enlarge it with {_DEVELOP}")
        page: Any = next((page for page in file.pages if not page.subfiletype & _REDUCED), file.pages[0])
        kind = tifffile.PHOTOMETRIC(page.photometric).name
        if kind not in ("MINISBLACK", "RGB") and not (kind == "YCBCR" and page.compression in (6, 7)):
            raise UnsupportedRawError(f"{path.name}: its colors are {kind}; convert it to RGB or gray first")
        if page.dtype not in (np.uint8, np.uint16):
            raise UnsupportedRawError(
                f"{path.name}: holds {page.dtype or 'unknown'} samples; save it with 8 or 16 bits"
            )
        icc = page.tags[_ICC].value if _ICC in page.tags else None
        samples, full = page.asarray(), np.iinfo(page.dtype).max
        if (most := (1 << page.bitspersample) - 1) < full:  # 4 or 12 bits, say
            samples = ((samples.astype(np.uint32) * full + most // 2) // most).astype(page.dtype)
        if page.planarconfig == 2 and samples.ndim == 3:
            samples = np.moveaxis(samples, 0, 2)
        pages = sum(1 for each in file.pages if each.shape[:2] == page.shape[:2])
    notes = () if pages == 1 else (f"holds {pages} pages of this size: the first is enlarged",)
    return samples, icc, "tiff", notes


def _is_raw(file: tifffile.TiffFile) -> bool:
    """Whether a TIFF is a camera's: a DNG, a mosaic, or a preview ahead of what it is one of."""
    first: Any = file.pages[0]
    file.filehandle.seek(8)
    is_canon = file.filehandle.read(2) == b"CR"
    is_preview = bool(first.subfiletype & _REDUCED) and _SUB_IFDS in first.tags
    return is_canon or is_preview or _DNG_VERSION in first.tags or first.photometric in _MOSAICS


def _without_opaque(path: Path, samples: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """``(H, W, C)`` without an alpha that hides nothing; raises `UnsupportedRawError` for one that does."""
    samples = samples[..., None] if samples.ndim == 2 else samples
    if samples.dtype not in (np.uint8, np.uint16) or samples.ndim != 3 or samples.shape[2] > 4:
        raise UnsupportedRawError(f"{path.name}: is neither gray nor RGB of 8 or 16 bits; convert it first")
    if samples.shape[2] in (1, 3):
        return samples, ()
    if (samples[..., -1] != np.iinfo(samples.dtype).max).any():
        raise UnsupportedRawError(f"{path.name}: is transparent in parts; flatten it first")
    return samples[..., :-1], ("its alpha hides nothing and was left out",)


def _first_line(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it cannot be decoded"
    return (str(error).splitlines() or [type(error).__name__])[0]
