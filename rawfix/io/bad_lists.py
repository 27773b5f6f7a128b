"""Lists of bad pixels as other programs keep them: text, one pixel a line.

===============  ===================  =============================================================================
format           a line               coordinates, from 0
===============  ===================  =============================================================================
``dcraw``        column row time      visible area; Unix seconds since when it is bad, 0: always
``rawtherapee``  column row           visible area; a first line of one number is added to all of them
``sensor``       column row           whole sensor, masked margins included
``rows``         row column           visible area
===============  ===================  =============================================================================

A DNG's opcode list, ``opcodes``, is none of these: see `rawfix.io.bad_opcodes`.

``#`` starts a comment, empty lines count for nothing; a file may be gzipped. RawTherapee's manual speaks of absolute
coordinates; what its reader takes has LibRaw's margins cut off, and, for some cameras, a further crop of its own.

References
----------
dcraw.c, ``bad_pixels()``; RawTherapee, ``rtengine/dfmanager.cc`` (``scanBadPixelsFile``) and ``rawimage.cc``.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import SettingsError
from rawfix.io.atomic import replacing

ListFormat = Literal["dcraw", "rawtherapee", "sensor", "rows"]
FORMATS: tuple[str, ...] = get_args(ListFormat)
OPCODES: Literal["opcodes"] = "opcodes"
_OPCODES_BEGIN = b"\0\0"
"""Of their number, four bytes: no text begins so."""
Sites = NDArray[np.intp]
"""``(N, 2)``: row and column, visible area, from 0."""
_FARTHEST = 1 << 24
"""Rows and columns that no sensor has."""
_LINES = {
    "dcraw": ("column", "row", "time"), "rawtherapee": ("column", "row"), "sensor": ("column", "row"),
    "rows": ("row", "column"),
}  # fmt: skip


def read_list(
    path: Path, format: ListFormat, *, margins: tuple[int, int] = (0, 0), taken: float | None = None
) -> Sites:
    """Read a list of bad pixels.

    Parameters
    ----------
    path
        The file.
    format
        See the module's table.
    margins
        Rows and columns that the sensor has above and left of its visible area; for ``sensor``.
    taken
        When the picture was taken, Unix seconds: dcraw's pixels that died later are left out. None takes all.

    Returns
    -------
    ``(N, 2)`` rows and columns, sorted, once each; some may lie outside of the visible area.

    Raises
    ------
    SettingsError
        The file cannot be read, or a line is malformed (named by its number).
    """
    try:
        text = content_of(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(path, "is no text") from error
    found: list[tuple[int, int]] = []
    offset = 0
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        try:
            values = [int(word) for word in words]
            if any(abs(value) > _FARTHEST for value in values[:2]):
                values = []
        except ValueError:
            values = []
        if format == "rawtherapee" and len(values) == 1 and not found and not offset:
            offset = values[0]
            continue
        if len(values) != len(_LINES[format]):
            raise SettingsError(
                f"{path}: line {number} is {line.strip()[:40]!r}, not whole numbers '{' '.join(_LINES[format])}'; "
                f"correct it, or choose another of the formats {', '.join((*FORMATS, OPCODES))}"
            )
        if format == "rows":
            found.append((values[0], values[1]))
        elif format == "sensor":
            found.append((values[1] - margins[0], values[0] - margins[1]))
        elif format == "rawtherapee" or taken is None or values[2] <= taken:
            found.append((values[1] + offset, values[0] + offset))
    return np.unique(np.array(found, np.intp).reshape(-1, 2), axis=0)


def read_for_map(
    path: Path, format: ListFormat, *, margins: tuple[int, int] = (0, 0), now: float
) -> tuple[Sites, tuple[str, ...]]:
    """Read a list for a map, which knows no dates; returns its sites, and what to tell of those with a date.

    As `read_list`; pixels that are bad only from a date after ``now``, Unix seconds, are left out.
    """
    sites = read_list(path, format, margins=margins, taken=now)
    if format != "dcraw":
        return sites, ()
    listed, dated = len(read_list(path, format)), len(sites) - len(read_list(path, format, taken=0))
    notes = []
    if dated:
        notes.append(
            f"{dated} of {listed} pixels carry a date from which they are bad; the map takes them as bad always, "
            "--bad-pixels with the list itself goes by the dates"
        )
    if later := listed - len(sites):
        notes.append(
            f"{later} of {listed} pixels are bad only from a date to come and were left out; import the list again then"
        )
    return sites, tuple(notes)


def content_of(path: Path) -> bytes:
    """What a list's file holds, unzipped; raises `SettingsError` where it cannot be read."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or "is no text") from error


def _unreadable(path: Path, reason: str) -> SettingsError:
    return SettingsError(f"{path}: cannot be read as a list of bad pixels ({reason}); name another file")


def guess_format(path: Path) -> ListFormat | Literal["opcodes"]:
    """``opcodes`` by its first bytes; ``dcraw`` where lines hold three numbers; else ``rawtherapee`` or ``rows``.

    ``rawtherapee`` are those called ``*.badpixels``. See `doubts` for how sure ``rows`` is.
    """
    try:
        with path.open("rb") as file:
            is_zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_zipped else path.open("rb") as file:
            head = file.read(65536)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        head = b""  # reading it tells
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}); name a list of bad pixels"
        ) from error
    if head.startswith(_OPCODES_BEGIN):
        return OPCODES
    lines = (line.split("#", 1)[0].split() for line in head.decode("utf-8", "replace").splitlines())
    if len(next((words for words in lines if words), ())) == 3:
        return "dcraw"
    name = path.name.lower().removesuffix(".gz")
    return "rawtherapee" if name.endswith(".badpixels") else "rows"


def write_list(
    path: Path,
    sites: Sites,
    format: ListFormat,
    *,
    margins: tuple[int, int] = (0, 0),
    overwrite: bool = False,
) -> None:
    """Write rows and columns ``(N, 2)`` of the visible area as a list; raises `OutputError`."""
    lines = []
    for row, column in np.asarray(sites).tolist():
        if format == "rows":
            lines.append(f"{row} {column}\n")
        elif format == "sensor":
            lines.append(f"{column + margins[1]} {row + margins[0]}\n")
        elif format == "rawtherapee":
            lines.append(f"{column} {row}\n")
        else:
            lines.append(f"{column} {row} 0\n")
    with replacing(path, overwrite) as temporary:
        temporary.write_text("".join(lines), encoding="ascii", newline="\n")


def to_mask(sites: Sites, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """``(H, W)`` bool, True at the sites; those outside are ignored."""
    mask = np.zeros(shape, bool)
    inside = _inside(sites, shape)
    mask[sites[inside, 0], sites[inside, 1]] = True
    return mask


def doubts(sites: Sites, shape: tuple[int, int], guessed: ListFormat | None) -> tuple[str, ...]:
    """What to tell of a list that was read for a frame.

    Pixels that the frame does not have; and which column was taken for the row, where nothing but `guess_format` says
    so, and the frame has the pixels of the other order too.
    """
    notes = []
    swapped = sites[:, ::-1]
    if guessed == "rows" and _inside(swapped, shape).all() and (np.unique(swapped, axis=0) != sites).any():
        notes.append("its lines were read as 'row column'; call it *.badpixels where they are 'column row'")
    if outside := len(sites) - int(_inside(sites, shape).sum()):
        size = f"{shape[1]}×{shape[0]}"
        notes.append(f"{outside} of {len(sites)} pixels lie outside of {size} and were left out")
    return tuple(notes)


def _inside(sites: Sites, shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(((sites >= 0) & (sites < np.array(shape))).all(1))
