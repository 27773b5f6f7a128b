"""Arrays and facts in one TIFF: what was computed once, kept for later.

A page an array, in 256 × 256 tiles, compressed by Zstandard, which libtiff reads from 4.0.10 on: lossless, of the size
that deflate after TIFF's floating-point predictor comes to, and read several times as fast. The first page's
ImageDescription is JSON: version of this layout, the arrays' names, shapes, types and SHA-256, facts of the caller, and
the SHA-256 of that all. Its private tag 65000 holds a one-pixel TIFF that carries EXIF, XMP and IPTC.

References
----------
TIFF 6.0, section 15 (tiles); Adobe Photoshop TIFF Technical Note 3 (16-bit floats); RFC 8878 (Zstandard).
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock, local
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from rawfix import __version__
from rawfix.errors import CorruptRawError, UnsupportedRawError
from rawfix.io.atomic import replacing

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # damage is told once, by a refusal

FORMAT, VERSION = "rawfix-maps", 2
_CARRIER = 65000
_TILE = (256, 256)
_ZSTD = 50000
_CLASSIC_LIMIT = (1 << 32) - (1 << 26)
_UNREADABLE = (
    tifffile.TiffFileError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
    struct.error,
)
"""What tifffile and its decoders raise at damage."""
Plane = NDArray[np.float16] | NDArray[np.float32]


def write_planes(
    path: Path,
    planes: Mapping[str, Plane],
    facts: Mapping[str, Any],
    carrier: bytes,
    *,
    overwrite: bool,
    threads: int,
) -> None:
    """Write arrays ``(H, W, 3)`` float16 or float32, whole or not at all; raises `OutputError`.

    Parameters
    ----------
    path
        The file to write.
    planes
        By name.
    facts
        Plain values.
    carrier
        A small TIFF with the photograph's metadata, or nothing.
    overwrite
        Whether an existing file may be replaced.
    threads
        Tiles that are compressed at a time.
    """
    described = [
        {"name": name, "shape": plane.shape, "dtype": plane.dtype.name, "sha256": _digest(plane)}
        for name, plane in planes.items()
    ]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "rawfix": __version__,
        "planes": described,
        "carrier": hashlib.sha256(carrier).hexdigest(),
        "facts": dict(facts),
    }
    text = json.dumps({**content, "sha256": _digest_of(content)})
    size = sum(plane.nbytes for plane in planes.values())
    with (
        replacing(path, overwrite) as temporary,
        tifffile.TiffWriter(temporary, bigtiff=size > _CLASSIC_LIMIT, byteorder="<") as file,
    ):
        for index, plane in enumerate(planes.values()):
            first = {
                "description": text,
                "software": f"rawfix {__version__}",
                "extratags": [(_CARRIER, 7, len(carrier), carrier, True)] if carrier else [],
            }
            file.write(
                plane,
                tile=_TILE,
                photometric="rgb",
                compression="zstd",
                compressionargs={"level": 1},
                metadata=None,
                maxworkers=threads,
                **({"description": "", **first} if index == 0 else {}),
            )


def read_facts(path: Path) -> dict[str, Any]:
    """The facts alone, without the arrays; raises as `read_planes`."""
    with _opened(path) as file:
        facts: dict[str, Any] = _content(file, path.name)["facts"]
        return facts


def read_planes(path: Path, threads: int) -> tuple[dict[str, Any], dict[str, Plane], bytes]:
    """Facts, arrays and carrier of a file, each as its checksum says.

    Raises
    ------
    UnsupportedRawError
        Another kind of file, or of a newer version.
    CorruptRawError
        It cannot be read, is cut short or damaged.
    """
    with _opened(path) as file:
        content = _content(file, path.name)
        planes: dict[str, Plane] = {}
        try:
            tag = file.pages.first.tags.get(_CARRIER)
            carrier = b"" if tag is None else bytes(tag.value)
            for page, plane in zip(file.pages, content["planes"], strict=True):
                if [*page.shape] != plane["shape"] or page.dtype != np.dtype(plane["dtype"]):
                    raise _damaged(path.name)
                planes[plane["name"]] = _decoded(path, page, threads)
                if _digest(planes[plane["name"]]) != plane["sha256"]:
                    raise _damaged(path.name)
        except (*_UNREADABLE, OSError):
            raise _damaged(path.name) from None
        if hashlib.sha256(carrier).hexdigest() != content["carrier"]:
            raise _damaged(path.name)
        return content["facts"], planes, carrier


def _decoded(path: Path, page: Any, threads: int) -> Plane:
    """The array of a page, tile by tile: tifffile's own way takes as long again for its copies."""
    height, width, channels = page.shape
    dtype = np.dtype(page.dtype).newbyteorder("<")
    size = _TILE[0] * _TILE[1] * channels * dtype.itemsize
    corners = [(y, x) for y in range(0, height, _TILE[0]) for x in range(0, width, _TILE[1])]
    if page.tile != _TILE or page.compression != _ZSTD:
        raise _damaged(path.name)
    plane: Plane = np.empty(page.shape, dtype.newbyteorder("="))
    mutex, buffers = Lock(), local()

    def fill(corner: tuple[int, int], offset: int, length: int) -> None:
        if not hasattr(buffers, "tile"):
            buffers.tile, buffers.packed = bytearray(size), memoryview(bytearray(2 * size))
        packed = buffers.packed[:length]
        with mutex:
            file.seek(offset)
            whole = file.readinto(packed) == length
        found = imagecodecs.zstd_decode(packed, out=buffers.tile) if whole else b""
        if len(found) != size:
            raise ValueError("a tile is cut short")
        y, x = corner
        tile = np.frombuffer(buffers.tile, dtype).reshape(*_TILE, channels)
        part = plane[y : y + _TILE[0], x : x + _TILE[1]]
        part[...] = tile[: part.shape[0], : part.shape[1]]

    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(threads) as pool:
        places = zip(corners, page.dataoffsets, page.databytecounts, strict=True)
        for _ in pool.map(lambda place: fill(*place), places):
            pass
    return plane


def _opened(path: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except OSError as error:
        raise CorruptRawError(
            f"{path.name}: cannot be read: {error.strerror or error}; check the path"
        ) from None
    except _UNREADABLE:
        raise UnsupportedRawError(f"{path.name}: is no maps file; give one that --save-maps wrote") from None


def _content(file: tifffile.TiffFile, name: str) -> dict[str, Any]:
    try:
        content = json.loads(file.pages.first.description)
    except (*_UNREADABLE, OSError):
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UnsupportedRawError(f"{name}: is no maps file; give one that --save-maps wrote")
    if content.get("version") != VERSION:
        version = content.get("version")
        update = "update rawfix, or " if isinstance(version, int) and version > VERSION else ""
        raise UnsupportedRawError(
            f"{name}: is of version {version} and this rawfix reads {VERSION}; {update}make it again with rawfix "
            "develop --save-maps"
        )
    given = content.pop("sha256", None)
    if given != _digest_of(content):
        raise _damaged(name)
    return content


def _damaged(name: str) -> CorruptRawError:
    return CorruptRawError(f"{name}: is damaged or cut short; make it again with rawfix develop --save-maps")


def _digest(plane: Plane) -> str:
    return hashlib.sha256(np.ascontiguousarray(plane, plane.dtype.newbyteorder("<")).data).hexdigest()


def _digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
