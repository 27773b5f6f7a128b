"""The samples of a mosaic without a RAW container: headerless words, NPY, TIFF, PNG."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class MosaicSamples:
    """Samples ``(H, W)`` uint16, counts as stored; their significant bits; and what was assumed."""

    mosaic: NDArray[np.uint16]
    bits: int
    notes: tuple[str, ...] = ()


def read_samples(path: Path, facts: MosaicFacts) -> MosaicSamples:
    """Samples and their significant bits.

    Headerless files hold nothing but samples, row by row: bytes, 16-bit words, or packed ones of 10 or 12 bits;
    which of them follows from the file's length. Packed ones follow MIPI CSI-2 or GenICam (``facts.packing``);
    where that is not said, the one that leaves neighbors alike.

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
    stored, bits = _read_picture(path)
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
    mosaic = stored.astype(np.uint16)
    notes: tuple[str, ...] = ()
    greatest = int(mosaic.max(initial=0))
    if facts.bits is None and facts.white is None and bits == 16 and greatest < _USUAL_WHITE:
        notes = (
            f"no sample exceeds {greatest}, and white is taken for 65535: where the sensor has fewer bits, "
            "--input-bits or --white says so",
        )
    return MosaicSamples(mosaic, facts.bits or bits, notes)


_USUAL_WHITE = 2**14
"""What 16-bit files of sensors with fewer bits stay below."""


def _read_picture(path: Path) -> tuple[NDArray[Any], int]:
    """What a file of another kind stores, as it stores it, and the bits of its format."""
    try:
        if path.suffix.lower() in (".npy", ".png"):
            numpy = path.suffix.lower() == ".npy"
            stored = np.asarray(
                np.load(path, allow_pickle=False) if numpy else imagecodecs.png_decode(path.read_bytes())
            )
            return stored, 8 if stored.dtype.itemsize == 1 else 16
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
            return np.asarray(page.asarray()), min(int(np.max(page.bitspersample)), 16)
    except (OSError, *MALFORMED) as error:
        cause = " ".join(str(error).split())[:80]
        raise CorruptRawError(
            f"{path.name}: is damaged or no {path.suffix[1:].upper()} file ({cause}); {_COPY_AGAIN}"
        ) from error


def _read_headerless(path: Path, facts: MosaicFacts) -> MosaicSamples:
    if facts.size is None:
        raise SettingsError(f"{path.name}: has no header; give --size WIDTHxHEIGHT, or size in its .toml")
    width, height = facts.size
    length, count = path.stat().st_size, width * height
    layouts = {count: 8, 2 * count: 16}
    layouts |= {count * bits // 8: bits for bits, group in _GROUPS.items() if width % group == 0}
    stored = layouts.get(length)
    if stored is None or facts.bits not in ((None, *range(8, 17)) if stored == 16 else (None, stored)):
        known = ", ".join(
            f"{size} ({'16-bit words' if bits == 16 else 'bytes' if bits == 8 else f'packed {bits} bits'})"
            for size, bits in sorted(layouts.items())
        )
        said = f" of {facts.bits} bits" if facts.bits else ""
        raise CorruptRawError(
            f"{path.name}: has {length} bytes; {width}x{height} samples{said} would be one of {known}; "
            "check --size and --input-bits"
        )
    bits = facts.bits or stored
    notes: tuple[str, ...] = ()
    if stored == 16 and facts.bits is None and facts.white is None:
        raise SettingsError(
            f"{path.name}: holds 16-bit words; give --input-bits or --white, or bits in its .toml"
        )
    if stored == 16:
        samples = np.fromfile(path, ">u2" if facts.byte_order == "big" else "<u2").astype(np.uint16)
    elif stored == 8:
        samples = np.fromfile(path, np.uint8).astype(np.uint16)
    else:
        samples, notes = _unpack(np.fromfile(path, np.uint8), stored, width, facts)
    beyond = float(np.mean(samples > 2**bits - 1))
    if beyond > 0.01:
        raise CorruptRawError(
            f"{path.name}: {100 * beyond:.0f} % of its samples exceed {bits} bits; "
            "check --bits, --size and --byte-order"
        )
    return MosaicSamples(samples.reshape(height, width), bits, notes)


_GROUPS = {10: 4, 12: 2}
"""Bits of a packed sample → samples that share whole bytes."""
_FOREIGN = 2.0
"""So much rougher is what was unpacked by the wrong rule; its noise is thousands of counts."""


def _unpack(
    stream: NDArray[np.uint8], bits: int, width: int, facts: MosaicFacts
) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """Packed samples by the rule that is said, or by the one that leaves samples two columns apart alike."""
    if facts.packing is not None:
        return _PACKINGS[facts.packing](stream, bits), ()
    mipi, genicam = unpack_mipi(stream, bits), unpack_genicam(stream, bits)
    if _FOREIGN * _roughness(genicam, width) < _roughness(mipi, width):
        return genicam, (
            f"its samples are packed as by GenICam ({bits}p), by their looks; --packing says it",
        )
    return mipi, ()


def _roughness(samples: NDArray[np.uint16], width: int) -> float:
    """Mean step between samples of one color, over at most a few million of them."""
    rows = samples.reshape(-1, width)
    shown = rows[:: max(1, rows.size // 4_000_000)].astype(np.int32)
    return float(np.abs(shown[:, 2:] - shown[:, :-2]).mean())


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


def unpack_genicam(stream: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """Samples of the pixel formats ``10p`` and ``12p``: one string of bits, the lowest of the first sample first.

    References
    ----------
    EMVA, "GenICam Pixel Format Naming Convention", 2.4, lsb packed.
    """
    group = _GROUPS[bits]
    packed = stream.reshape(-1, group * bits // 8)
    samples = np.empty((len(packed), group), np.uint16)
    for place in range(group):
        first, shift = divmod(place * bits, 8)
        word = packed[:, first].astype(np.uint16) | packed[:, first + 1].astype(np.uint16) << np.uint16(8)
        samples[:, place] = word >> np.uint16(shift) & np.uint16(2**bits - 1)
    return samples.reshape(-1)


_PACKINGS = {"mipi": unpack_mipi, "genicam": unpack_genicam}
