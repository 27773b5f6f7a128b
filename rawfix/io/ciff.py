"""Camera name from Canon's CIFF container (CRW).

Reference: "CIFF Specification on Image Data File", Canon 1997, version 1.0 revision 4.
"""

from __future__ import annotations

import struct
from pathlib import Path

_MAKE_AND_MODEL = 0x080A
_HEAPS = (0x2800, 0x3000)


def read_names(path: Path) -> tuple[str, str]:
    """Make and model; empty where the file is no CIFF or says nothing."""
    data = path.read_bytes()
    if data[:2] not in (b"II", b"MM") or data[6:14] != b"HEAPCCDR":
        return "", ""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 2)
    try:
        record = _find(data, start, len(data), order, depth=0)
    except struct.error:
        record = None
    if record is None:
        return "", ""
    make, model, *_ = [part.decode("ascii", "replace") for part in record.split(b"\0")] + ["", ""]
    return make.strip(), model.strip()


def _find(data: bytes, start: int, end: int, order: str, depth: int) -> bytes | None:
    """The make-and-model record of the heap ``data[start:end]``, searched depth first."""
    (directory,) = struct.unpack_from(order + "I", data, end - 4)
    directory += start
    (count,) = struct.unpack_from(order + "H", data, directory)
    for index in range(count):
        kind, size, offset = struct.unpack_from(order + "HII", data, directory + 2 + 10 * index)
        first = start + offset
        if kind & 0x3FFF == _MAKE_AND_MODEL:
            return data[first : first + size]
        if kind & 0x3800 in _HEAPS and not kind & 0xC000 and depth < 5:
            found = _find(data, first, first + size, order, depth + 1)
            if found is not None:
                return found
    return None
