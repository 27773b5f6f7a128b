"""Minimal CR2 and NEF files, made of a given mosaic."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FORMATS = {"s": 2, "H": 3, "I": 4, "B": 1}


def _directory(tags: dict[int, tuple[str, Any]], start: int, following: int = 0) -> bytes:
    """One little-endian image file directory beginning at byte ``start``."""
    base = start + 2 + 12 * len(tags) + 4
    head, behind = struct.pack("<H", len(tags)), b""
    for code, (kind, value) in sorted(tags.items()):
        if kind == "s":
            payload, count = value.encode() + b"\0", len(value) + 1
        else:
            values = value if isinstance(value, (tuple, list, bytes)) else (value,)
            payload, count = struct.pack(f"<{len(values)}{kind}", *values), len(values)
        if len(payload) > 4:
            field = struct.pack("<I", base + len(behind))
            behind += payload + b"\0" * (len(payload) % 2)
        else:
            field = payload.ljust(4, b"\0")
        head += struct.pack("<HHI", code, _FORMATS[kind], count) + field
    return head + struct.pack("<I", following) + behind


def encode_lossless_jpeg(mosaic: NDArray[np.uint16], bits: int) -> bytes:
    """Two-component lossless JPEG (ITU-T T.81, process 14, predictor 1), as Canon and DNG use it.

    Columns alternate between the components. The Huffman code is flat: four bits for each of 15 categories.
    """
    height, width = mosaic.shape
    samples = mosaic.astype(np.int64).reshape(height, width // 2, 2)
    predicted = np.empty_like(samples)
    predicted[:, 1:] = samples[:, :-1]
    predicted[1:, 0] = samples[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    stream = []
    for difference in (samples - predicted).ravel().tolist():
        category = abs(difference).bit_length()
        extra = difference if difference >= 0 else difference + (1 << category) - 1
        stream.append(f"{category:04b}" + (f"{extra:0{category}b}" if category else ""))
    text = "".join(stream)
    text += "1" * (-len(text) % 8)
    coded = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    table = bytes([0, 0, 0, 15, *[0] * 12, *range(15)])
    frame = struct.pack(">BHHB", bits, height, width // 2, 2) + bytes([1, 0x11, 0, 2, 0x11, 0])
    scan = bytes([2, 1, 0, 2, 0, 1, 0, 0])
    segments = ((b"\xff\xc4", b"\0" + table), (b"\xff\xc3", frame), (b"\xff\xda", scan))
    head = b"".join(marker + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return b"\xff\xd8" + head + coded + b"\xff\xd9"


def write_cr2(path: Path, mosaic: NDArray[np.uint16]) -> None:
    """A CR2 whose fourth directory holds the mosaic as one two-component lossless JPEG strip."""
    width = mosaic.shape[1]
    strip = encode_lossless_jpeg(mosaic, 14)
    strip_at = 4096
    names = {271: ("s", "Canon"), 272: ("s", "Canon EOS 5D Mark II"), 274: ("H", 1), 34855: ("H", 400)}
    raw = {
        259: ("H", 6),
        273: ("I", strip_at),
        279: ("I", len(strip)),
        50752: ("H", (0, 0, width)),
    }
    offsets = (16, 512, 1024, 1536)
    preview = {256: ("H", 1), 257: ("H", 1), 259: ("H", 6), 273: ("I", 3072), 279: ("I", 4)}
    parts = (names | preview, {513: ("I", 3072), 514: ("I", 4)}, preview, raw)
    data = bytearray(strip_at)
    data[:16] = b"II*\0" + struct.pack("<I", 16) + b"CR\x02\0" + struct.pack("<I", offsets[3])
    for tags, start, following in zip(parts, offsets, (*offsets[1:], 0), strict=True):
        block = _directory(tags, start, following)
        data[start : start + len(block)] = block
    path.write_bytes(bytes(data) + strip)


def write_nef(path: Path, mosaic: NDArray[np.uint16]) -> None:
    """A NEF with uncompressed 14-bit samples in 16-bit words."""
    height, width = mosaic.shape
    strip_at, sub_at = 2048, 1024
    first = {
        254: ("I", 1),
        271: ("s", "NIKON CORPORATION"),
        272: ("s", "NIKON D700"),
        274: ("H", 1),
        330: ("I", sub_at),
        34855: ("H", 800),
    }
    raw = {
        254: ("I", 0),
        256: ("I", width),
        257: ("I", height),
        258: ("H", 14),
        259: ("H", 1),
        262: ("H", 32803),
        273: ("I", strip_at),
        277: ("H", 1),
        278: ("I", height),
        279: ("I", 2 * mosaic.size),
        33421: ("H", (2, 2)),
        33422: ("B", b"\0\1\1\2"),
    }
    data = bytearray(strip_at)
    data[:8] = b"II*\0" + struct.pack("<I", 8)
    for tags, start in ((first, 8), (raw, sub_at)):
        block = _directory(tags, start)
        data[start : start + len(block)] = block
    path.write_bytes(bytes(data) + mosaic.astype("<u2").tobytes())
