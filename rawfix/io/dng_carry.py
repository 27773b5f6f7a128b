"""What of a source's own directories stays true in a DNG made of it, copied value for value.

The first directory of a DNG describes camera, color and the photograph: nearly all of it stays true. Of its raw
directory, what describes pixels that are now others is left out. Of other TIFF-like RAW files only the tags
that TIFF and Exif define are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tifffile

from rawfix.io.dng_ifd import SIZES, Directory, Entry, numbers, swapped
from rawfix.io.dng_tags import LOSSY_JPEG, raw_page
from rawfix.io.tag_reader import MALFORMED

OPCODES_1, OPCODES_2, OPCODES_3 = 51008, 51009, 51022
_ACTIVE_AREA = 50829
_ASCII = 2
_FIRST_PRIVATE = 50000
"""From here on, only a DNG's tags have a meaning that all makers share."""

STRUCTURE = frozenset(
    [
        *range(254, 270),  # subfile type, size, depth, compression, photometric interpretation, thresholds
        273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 301, 317, 318, 319, 320, 322, 323, 324, 325,
        330, 338, 339, 340, 341, 347, *range(512, 533), 700, 33421, 33422, 33424, 33723, 34016, 34377, 34665,
        34675, 34853, 37387, 40965, 45056, 46275, 50215, 50648, 50649,
    ]
)  # fmt: skip
"""How the source is built, and pointers into it. XMP, IPTC, Exif and GPS come by `rawfix.io.dng_metadata`."""

POINTERS = (700, 33723, 34377, 34665, 34853)
"""XMP, IPTC, Photoshop's resources, Exif, GPS: how a first directory leads to them."""

_SAMPLES = frozenset(
    [
        50707,  # backward version: ours
        50733, 50737, 50738,  # strengths of a reader's filters: the raw directory's
        *range(50710, 50721), 50829, 50830,  # pattern, levels, scale, crop, areas: the raw directory's own
        50728, 50729,  # as-shot white: ours
        50780, 50781, 50972,  # unique id and digest of samples that are now others
        50827, 50828, 50973,  # the original's name, data and digest: ours
        50933,  # extra profiles: directories of their own
        50935, 51041,  # noise: ours
        *range(50966, 50972), 51111, 51112,  # preview, digest: ours
        51008, 51009, 51022, 50974, 50975, 51114, 52547,  # opcodes, interleaving, cache: the raw directory's
        52526, 52528, 52536, 52550, 52553, 52554, 52555,  # masks, statistics, how JPEG XL was made
    ]
)  # fmt: skip
_PUBLIC = frozenset(
    [
        271, 272, 306, 315, 33432, 18246, 18249, 40093,  # camera, time, author, rights, rating
        33434, 33437, 34850, 34855, 34859, 36867, *range(37377, 37387), 37399, 37520, 37521, 37522,  # exposure
        *range(28720, 28728), 42034, 42035, 42036, 50736,  # lens
        *range(50706, 50735), 50738, 50739, 50741, 50778, 50779, *range(50831, 50835), 50879,  # camera's color
        50931, 50932, 50934, *range(50936, 50943), 50964, 50965, 50981, 50982, 51107, *range(51108, 51111),
        51043, 51044, 51058, 51125,  # time codes, frame rate, T-stop, crop
        *range(52529, 52536), 52537, 52538, 52543, 52544, 52551,  # third illuminant, gain map, dynamic range
    ]
)  # fmt: skip
"""What is technical, or tells who the author is; a tag without a meaning that is known is neither."""
_RAW_CARRIED = frozenset([50719, 50720, 50733, 50737, 50738, 50780, 50935, OPCODES_1, OPCODES_2, OPCODES_3])


@dataclass(frozen=True, slots=True)
class Carried:
    """What was found in a source.

    Attributes
    ----------
    main
        For the first directory of the DNG.
    raw
        Of the source's raw directory: opcode lists, crop, filter strength and such, as found; empty for files
        that are no DNG.
    area
        Top, left, height and width of a DNG's active area in its stored samples, or None.
    is_lossy
        Whether its samples are lossy JPEG.
    is_tiff
        Whether the source's first directory could be read at all.
    """

    main: Directory = field(default_factory=dict)
    raw: Directory = field(default_factory=dict)
    area: tuple[int, int, int, int] | None = None
    is_lossy: bool = False
    is_tiff: bool = False


def read_carried(source: Path, *, strip_private: bool = False) -> Carried:
    """Read what can be carried; nothing, for a file that is no TIFF."""
    dropped = STRUCTURE | _SAMPLES
    try:
        with tifffile.TiffFile(source) as file:
            first, raw = file.pages[0], raw_page(file)
            is_dng = 50706 in first.tags
            main = {
                tag: entry
                for tag, entry in _entries(file, first).items()
                if tag not in dropped
                and (is_dng or tag < _FIRST_PRIVATE)
                and (tag in _PUBLIC or not strip_private)
            }
            if not is_dng or raw is None:
                return Carried(main, is_tiff=True)
            found = _entries(file, raw)
            area = [0, 0, int(raw.imagelength), int(raw.imagewidth)]
            if _ACTIVE_AREA in found:
                area = [int(value) for value in numbers(found[_ACTIVE_AREA])]
            return Carried(
                main,
                {tag: entry for tag, entry in found.items() if tag in _RAW_CARRIED},
                area=(area[0], area[1], area[2] - area[0], area[3] - area[1]),
                is_lossy=int(raw.compression) == LOSSY_JPEG,
                is_tiff=True,
            )
    except (OSError, *MALFORMED):
        return Carried()


def _entries(file: Any, page: Any) -> Directory:
    """A page's tags with their bytes, little-endian; what has a size that cannot be is left out."""
    entries: Directory = {}
    for tag in page.tags:
        kind, count = int(tag.dtype), int(tag.count)
        if kind not in SIZES or kind == 13:
            continue
        file.filehandle.seek(tag.valueoffset)
        data = file.filehandle.read(SIZES[kind] * count)
        if kind == _ASCII and not data.endswith(b"\0"):
            data, count = data + b"\0", count + 1
        if len(data) == SIZES[kind] * count and tag.code not in entries:
            entries[tag.code] = Entry(kind, count, data if file.byteorder == "<" else swapped(kind, data))
    return entries
