"""The samples of a mosaic without a RAW container: headerless words, NPY, TIFF, PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from rawfix.errors import CorruptRawError, SettingsError, UnsupportedRawError
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.tag_reader import MALFORMED

HEADERLESS = frozenset((".raw", ".bin"))
PICTURES = frozenset((".npy", ".tif", ".tiff", ".png"))
WITHOUT_METADATA = HEADERLESS | {".npy"}
_COPY_AGAIN = "copy the file again from its source"


def read_samples(path: Path, facts: MosaicFacts) -> tuple[NDArray[np.uint16], int]:
    """Samples and their significant bits.

    Headerless files hold nothing but samples, row by row: bytes, 16-bit words, or MIPI CSI-2 RAW10 or RAW12;
    which of them follows from the file's length.

    Returns
    -------
    mosaic, bits
        ``(H, W)`` uint16 counts as stored.

    Raises
    ------
    SettingsError
        A fact is missing or contradicts the file.
    CorruptRawError
        The file cannot be decoded, or its length is not that of the size stated.
    UnsupportedRawError
        It holds no mosaic: color, several pictures, other than whole numbers of 16 bits.
    """
    if path.suffix.lower() in HEADERLESS:
        return _read_headerless(path, facts)
    stored = _read_picture(path)
    if stored.ndim == 3 and 1 in (stored.shape[0], stored.shape[2]):
        stored = stored.reshape([side for side in stored.shape if side != 1])
    if stored.ndim != 2:
        raise UnsupportedRawError(
            f"{path.name}: its shape is {'×'.join(map(str, stored.shape))}, a mosaic has one sample a pixel; "
            "give the sensor's own samples"
        )
    if stored.dtype.kind not in "ui" or (stored.size and (stored.min() < 0 or stored.max() > 65535)):
        raise UnsupportedRawError(
            f"{path.name}: holds {stored.dtype} samples; save them as whole numbers of 8 or 16 bits"
        )
    height, width = stored.shape
    if facts.size is not None and facts.size != (width, height):
        raise SettingsError(f"{path.name}: is {width}x{height}, not --size {facts.size[0]}x{facts.size[1]}")
    return stored.astype(np.uint16), facts.bits or (8 if stored.dtype.itemsize == 1 else 16)


def _read_picture(path: Path) -> NDArray[Any]:
    """What a file of another kind stores, as it stores it."""
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix.lower() == ".png":
            return np.asarray(imagecodecs.png_decode(path.read_bytes()))
        with tifffile.TiffFile(path) as file:
            page: Any = file.pages[0]
            end = max(
                offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
            )
            if end > path.stat().st_size:
                raise CorruptRawError(
                    f"{path.name}: is cut short, its pixels end at byte {end} of "
                    f"{path.stat().st_size}; {_COPY_AGAIN}"
                )
            return np.asarray(page.asarray())
    except (OSError, *MALFORMED) as error:
        cause = " ".join(str(error).split())[:80]
        raise CorruptRawError(
            f"{path.name}: is damaged or no {path.suffix[1:].upper()} file ({cause}); {_COPY_AGAIN}"
        ) from error


def _read_headerless(path: Path, facts: MosaicFacts) -> tuple[NDArray[np.uint16], int]:
    if facts.size is None:
        raise SettingsError(f"{path.name}: has no header; give --size WIDTHxHEIGHT, or size in its .toml")
    width, height = facts.size
    length, count = path.stat().st_size, width * height
    layouts = {count: 8, 2 * count: 16}
    layouts |= {count * bits // 8: bits for bits, group in _GROUPS.items() if width % group == 0}
    stored = layouts.get(length)
    if stored is None or facts.bits not in ((None, *range(8, 17)) if stored == 16 else (None, stored)):
        known = ", ".join(
            f"{size} ({'16-bit words' if bits == 16 else 'bytes' if bits == 8 else f'MIPI RAW{bits}'})"
            for size, bits in sorted(layouts.items())
        )
        said = f" of {facts.bits} bits" if facts.bits else ""
        raise CorruptRawError(
            f"{path.name}: has {length} bytes; {width}x{height} samples{said} would be one of {known}; "
            "check --size and --input-bits"
        )
    bits = facts.bits or stored
    if stored == 16 and facts.bits is None and facts.white is None:
        raise SettingsError(
            f"{path.name}: holds 16-bit words; give --input-bits or --white, or bits in its .toml"
        )
    if stored == 16:
        samples = np.fromfile(path, ">u2" if facts.byte_order == "big" else "<u2").astype(np.uint16)
    elif stored == 8:
        samples = np.fromfile(path, np.uint8).astype(np.uint16)
    else:
        samples = unpack_mipi(np.fromfile(path, np.uint8), stored)
    beyond = float(np.mean(samples > 2**bits - 1))
    if beyond > 0.01:
        raise CorruptRawError(
            f"{path.name}: {100 * beyond:.0f} % of its samples exceed {bits} bits; "
            "check --bits, --size and --byte-order"
        )
    return samples.reshape(height, width), bits


_GROUPS = {10: 4, 12: 2}
"""Bits of a packed sample → samples that share one byte of least significant bits."""


def unpack_mipi(stream: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """Samples of MIPI CSI-2 RAW10 or RAW12.

    The eight upper bits of 4 (2) samples stand first, a byte each; one more byte holds their lower 2 (4) bits,
    the first sample's lowest.

    References
    ----------
    MIPI Alliance, "Specification for Camera Serial Interface 2", 11.4 RAW Image Data.
    """
    group, lower = _GROUPS[bits], bits - 8
    packed = stream.reshape(-1, group + 1)
    shifts = np.arange(group, dtype=np.uint8) * np.uint8(lower)
    rest = (packed[:, group:] >> shifts) & np.uint8(2**lower - 1)
    return (packed[:, :group].astype(np.uint16) << np.uint16(lower) | rest).reshape(-1)
