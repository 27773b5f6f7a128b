"""Damaged RAW files by number: the same seed and number make the same bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

Mutation = Callable[[bytearray, "list[bytes]", np.random.Generator], None]
_HEAD = 4096
"""Bytes at both ends where containers keep their directories."""
_TELLING = (0, 1, 2, 3, 7, 8, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


def mutant(sources: list[Path], seed: int, number: int) -> tuple[bytes, str]:
    """A damaged file and its name, which tells what was done to which source.

    Smaller sources are drawn more often: they cost less time.
    """
    rng = np.random.default_rng((seed, number))
    weights = np.array([1 / np.sqrt(path.stat().st_size) for path in sources])
    source = sources[rng.choice(len(sources), p=weights / weights.sum())]
    data = bytearray(source.read_bytes())
    names = list(MUTATIONS)
    chosen = [names[rng.integers(len(names))] for _ in range(rng.choice((1, 2, 3), p=(0.7, 0.2, 0.1)))]
    for name in chosen:
        other = sources[rng.integers(len(sources))]
        MUTATIONS[name](data, [other.read_bytes()] if name == "splice" else [], rng)
    return bytes(data), f"m{number:05}-{'-'.join(chosen)}-{source.stem}{source.suffix}"


def _flip(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    """Single bits anywhere."""
    for at in rng.integers(0, len(data), rng.integers(1, 65)):
        data[at] ^= 1 << int(rng.integers(8))


def _flip_head(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    """Single bits of the directories."""
    for _time in range(rng.integers(1, 33)):
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _truncate(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    del data[int(len(data) * rng.uniform() ** 0.5) :]
    data += b"" if data else b"\0"


def _zero(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    """A block as a bad sector leaves it: zeros, or ones."""
    size = int(2 ** rng.uniform(3, 17))
    start = _place(data, rng) if rng.uniform() < 0.3 else int(rng.integers(len(data)))
    end = min(start + size, len(data))
    data[start:end] = bytes([int(rng.choice((0, 255)))]) * (end - start)


def _insert(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    """Bytes too many: everything behind moves."""
    at = int(rng.integers(len(data)))
    data[at:at] = rng.bytes(int(rng.integers(1, 4096)))


def _splice(data: bytearray, others: list[bytes], rng: np.random.Generator) -> None:
    """The beginning of one file and the end of another."""
    other = others[0]
    cut = int(len(data) * rng.uniform()) if rng.uniform() < 0.5 else _place(data, rng)
    data[cut:] = other[min(int(len(other) * rng.uniform()), len(other) - 1) :]


def _number(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    """Lengths and offsets: a telling number in place of two or four bytes of a directory."""
    for _time in range(rng.integers(1, 5)):
        size = int(rng.choice((2, 4)))
        at = min(_place(data, rng) & ~1, max(len(data) - size, 0))
        _put(data, at, _telling(data, rng), size, "<" if rng.uniform() < 0.7 else ">")


def _tag(data: bytearray, _: list[bytes], rng: np.random.Generator) -> None:
    """Type, count, value or number of TIFF entries; numbers elsewhere where the file is no TIFF."""
    entries, order = _entries(data)
    if not entries:
        _number(data, [], rng)
        return
    for _time in range(rng.integers(1, 4)):
        at = entries[int(rng.integers(len(entries)))]
        field, size = ((0, 2), (2, 2), (4, 4), (8, 4))[int(rng.choice(4, p=(0.1, 0.2, 0.3, 0.4)))]
        kind, count = struct.unpack_from(f"{order}HI", data, at + 2)
        where = at + field
        if field == 8 and _SIZES.get(kind, 1) * count > 4:
            (far,) = struct.unpack_from(f"{order}I", data, at + 8)
            where = far if rng.uniform() < 0.6 and far + 4 <= len(data) else where
        value = int(rng.integers(0, 14)) if field == 2 else _telling(data, rng)
        _put(data, where, value, size, order)


def _put(data: bytearray, at: int, value: int, size: int, order: str) -> None:
    if at >= 0 and at + size <= len(data):
        struct.pack_into(f"{order}{'H' if size == 2 else 'I'}", data, at, value % (1 << 8 * size))


def _telling(data: bytearray, rng: np.random.Generator) -> int:
    near = (
        len(data),
        len(data) - 1,
        len(data) + 1,
        len(data) // 2,
        int(rng.integers(1 << 32)),
        int(rng.integers(1 << 14)),
    )
    return int(rng.choice(np.array((*_TELLING, *near), np.int64)))


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Somewhere in the first or last few thousand bytes."""
    near = int(rng.integers(min(_HEAD, len(data))))
    return near if rng.uniform() < 0.75 else len(data) - 1 - near


def _entries(data: bytearray) -> tuple[list[int], str]:
    """Offsets of all entries of a TIFF's directories, sub-directories and Exif included, and its byte order."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    if not order or len(data) < 8 or struct.unpack_from(f"{order}H", data, 2)[0] != 42:
        return [], order
    found: list[int] = []
    todo, seen = [struct.unpack_from(f"{order}I", data, 4)[0]], set[int]()
    while todo and len(seen) < 32:
        start = todo.pop()
        if start in seen or start + 2 > len(data):
            continue
        seen.add(start)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 12), 12):
            found.append(at)
            tag, _kind, number, value = struct.unpack_from(f"{order}HHII", data, at)
            if tag in (330, 34665):
                places = [value] if number == 1 else [value + 4 * n for n in range(min(number, 8))]
                for place in places:
                    if number == 1:
                        todo.append(place)
                    elif place + 4 <= len(data):
                        todo.append(struct.unpack_from(f"{order}I", data, place)[0])
    return found, order


MUTATIONS: dict[str, Mutation] = {
    "flip": _flip,
    "fliphead": _flip_head,
    "truncate": _truncate,
    "zero": _zero,
    "insert": _insert,
    "splice": _splice,
    "number": _number,
    "tag": _tag,
}
"""By the word that stands in a mutant's name."""
