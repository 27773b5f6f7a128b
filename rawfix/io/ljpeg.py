"""Lossless JPEG as DNG uses it: process 14 with the predictor that every reader knows.

libjpeg-turbo's lossless mode and liblj92 choose what some readers refuse (predictor 6, restart intervals, one
component a mosaic): hence our own encoder, a page of numpy.

Reference: ITU-T T.81 (1992), annexes C, F.1.2 and H.
"""

from __future__ import annotations

import heapq
import struct

import numpy as np
from numpy.typing import NDArray

_CATEGORIES = 17
_RAREST = 1 << 11
"""No category is taken for rarer than this: so no code is longer than 15 bits, of the 16 that are allowed."""


def encode(samples: NDArray[np.uint16]) -> bytes:
    """A complete JPEG stream of 16-bit samples.

    Parameters
    ----------
    samples
        ``(H, W, C)``, C components of one to four. Each sample is predicted by the one to its left, the first
        of a row by the one above, the very first by half of full scale.

    Returns
    -------
    bytes
        From SOI to EOI, with one Huffman table made for these samples.
    """
    height, width, components = samples.shape
    difference = _differences(samples).ravel().astype(np.int32)
    category = _bit_length(np.abs(difference))
    lengths, codes = huffman(np.bincount(category, minlength=_CATEGORIES))
    # Below zero, the difference less one stands in two's complement; 32768 needs no further bits (H.1.2.2).
    extra = np.where(difference < 0, difference - 1, difference) & ((1 << category) - 1)
    bits = np.where(category == 16, 0, category)
    extra[category == 16] = 0
    values = (codes[category].astype(np.uint64) << bits.astype(np.uint64)) | extra.astype(np.uint64)
    scan = _pack(values, lengths[category] + bits)
    frame = struct.pack(">BHHB", 16, height, width, components)
    frame += b"".join(bytes((component, 0x11, 0)) for component in range(components))
    start = bytes((components,)) + b"".join(bytes((component, 0)) for component in range(components))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xC3, frame),
            _segment(0xC4, b"\0" + _table(lengths)),
            _segment(0xDA, start + b"\x01\0\0"),
            scan,
            b"\xff\xd9",
        )
    )


def huffman(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths and canonical codes of the categories, none of them all ones (annex C, K.2).

    A category that does not occur gets a code too, since a table of all is short.
    """
    floor = max(1, int(counts.sum()) // _RAREST)
    heap: list[tuple[int, tuple[int, ...]]] = [
        (max(int(count), floor), (symbol,)) for symbol, count in enumerate(counts)
    ]
    # One more symbol, the rarest, takes the code of all ones.
    heap.append((0, (len(counts),)))
    heapq.heapify(heap)
    lengths = np.zeros(len(counts) + 1, np.int64)
    while len(heap) > 1:
        (first, left), (second, right) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[list(left + right)] += 1
        heapq.heappush(heap, (first + second, left + right))
    codes = np.zeros_like(lengths)
    code, before = 0, 0
    for symbol in np.lexsort((np.arange(lengths.size), lengths)):
        code <<= int(lengths[symbol]) - before
        before = int(lengths[symbol])
        codes[symbol] = code
        code += 1
    return lengths[:-1], codes[:-1]


def _differences(samples: NDArray[np.uint16]) -> NDArray[np.int16]:
    """Samples less their predictions, modulo 65536."""
    predicted = np.empty_like(samples)
    predicted[:, 1:] = samples[:, :-1]
    predicted[1:, 0] = samples[:-1, 0]
    predicted[0, 0] = 1 << 15
    return (samples - predicted).view(np.int16)


def _bit_length(values: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bits that the numbers 0…32768 need."""
    table = np.zeros((1 << 15) + 1, np.int64)
    for length in range(1, _CATEGORIES):
        table[1 << (length - 1) :] = length
    return table[values]


def _pack(values: NDArray[np.uint64], lengths: NDArray[np.int64]) -> bytes:
    """Values of up to 32 bits, one behind the other, filled up with ones; a zero after each byte of ones."""
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    word, within = np.divmod(ends - lengths, 32)
    window = values << (64 - within - lengths).astype(np.uint64)
    words = np.bincount(word, weights=(window >> np.uint64(32)).astype(np.float64), minlength=total // 32 + 2)
    behind = np.bincount(word + 1, weights=(window & np.uint64(0xFFFFFFFF)).astype(np.float64))
    words[: behind.size] += behind[: words.size]
    data = words.astype(np.uint32).astype(">u4").view(np.uint8)[: -(-total // 8)].copy()
    data[-1] |= (1 << (-total % 8)) - 1
    return np.insert(data, np.nonzero(data == 0xFF)[0] + 1, 0).tobytes()


def _table(lengths: NDArray[np.int64]) -> bytes:
    """Number of codes of each length, then the categories in the order of their codes."""
    order = np.lexsort((np.arange(lengths.size), lengths))
    return (
        np.bincount(lengths, minlength=17)[1:17].astype(np.uint8).tobytes() + order.astype(np.uint8).tobytes()
    )


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
