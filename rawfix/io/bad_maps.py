"""Maps of bad pixels that rawfix keeps, one file a camera body, under the user's data folder.

A map is JSON: what body and sensor it belongs to, how and when it was made, and the rows and columns of its
pixels in the visible area. Bodies are told apart by camera name and serial number; where a file tells no serial
number, the camera name alone is the key, and such a map serves only files without one, too.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import OutputError, SettingsError
from rawfix.io.atomic import make_folder, replacing
from rawfix.io.folders import data_folder

VERSION = 1


@dataclass(frozen=True, slots=True)
class BadMap:
    """A body's bad pixels.

    Attributes
    ----------
    camera, serial
        Maker and model as in `RawFrame.camera`; serial number, or "".
    height, width
        Of the visible area.
    made
        Date, ``YYYY-MM-DD``.
    source
        What it was made from: ``"dark frames"``, ``"ordinary frames"``, the name of a list.
    frames
        How many; 0 for lists.
    iso, seconds
        Least and greatest speed and exposure time of these, or None.
    kinds
        How many pixels of each kind; empty where that is not known.
    sites
        ``((row, column), …)``, sorted.
    """

    camera: str
    serial: str
    height: int
    width: int
    made: str
    source: str
    frames: int = 0
    iso: tuple[float, float] | None = None
    seconds: tuple[float, float] | None = None
    kinds: dict[str, int] = field(default_factory=dict)
    sites: tuple[tuple[int, int], ...] = ()

    @property
    def name(self) -> str:
        """Camera and serial number, for people and for file names."""
        return f"{self.camera} {self.serial}".strip()

    def mask(self) -> NDArray[np.bool_]:
        """``(height, width)`` bool, True where bad."""
        mask = np.zeros((self.height, self.width), bool)
        if self.sites:
            rows, columns = np.array(self.sites, np.intp).T
            mask[rows, columns] = True
        return mask


def united(one: BadMap, other: BadMap) -> BadMap:
    """Both maps' pixels as one map of the later date; raises `SettingsError` where their sensors differ."""
    if (one.height, one.width) != (other.height, other.width):
        raise SettingsError(
            f"{one.name}: its map is for {one.width}×{one.height} pixels, not {other.width}×{other.height}; "
            "use --overwrite to replace it"
        )

    def widest(name: str) -> tuple[float, float] | None:
        ranges = [getattr(each, name) for each in (one, other) if getattr(each, name)]
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    return replace(
        other,
        made=max(one.made, other.made),
        source=one.source if one.source == other.source else f"{one.source} and {other.source}",
        frames=one.frames + other.frames,
        iso=widest("iso"),
        seconds=widest("seconds"),
        kinds={},
        sites=tuple(sorted({*one.sites, *other.sites})),
    )


def maps_folder() -> Path:
    """Where maps are kept; it may not exist yet."""
    return data_folder() / "bad-pixels"


def path_of(camera: str, serial: str) -> Path:
    """The file of a body's map, whether it exists or not."""
    name = f"{camera} {serial}".strip()
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.").lower() or "unknown"
    if not re.fullmatch(r"[A-Za-z0-9. -]*", name):  # what is left of it may be another's
        slug += "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return maps_folder() / f"{slug}.json"


def find_map(camera: str, serial: str) -> BadMap | None:
    """The map of a body, or None; raises `SettingsError` where it is damaged."""
    path = path_of(camera, serial)
    if not camera or not path.is_file():
        return None
    found = read_map(path)
    return found if (found.camera, found.serial) == (camera, serial) else None


def all_maps() -> list[BadMap]:
    """Every map there is, by name; raises `SettingsError` where one is damaged."""
    return [read_map(path) for path in sorted(maps_folder().glob("*.json"))]


def read_map(path: Path) -> BadMap:
    """Read one map file; raises `SettingsError` where it is none, or damaged."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = values.pop("version")
        if version != VERSION:
            raise SettingsError(f"{path}: is a map of version {version}; this rawfix reads version {VERSION}")
        for name in ("iso", "seconds"):
            values[name] = None if values[name] is None else (float(values[name][0]), float(values[name][1]))
        values["sites"] = tuple((int(row), int(column)) for row, column in values["sites"])
        found = BadMap(**values)
        date.fromisoformat(found.made)
        spans = [span for span in (found.iso, found.seconds) if span is not None]
        if not all(0 <= low <= high < math.inf and high > 0 for low, high in spans):
            raise ValueError("speeds and times are above 0")
        inside = all(0 <= row < found.height and 0 <= column < found.width for row, column in found.sites)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise SettingsError(f"{path}: is no map of bad pixels, or damaged ({error}); delete it") from error
    if not inside:
        raise SettingsError(f"{path}: names pixels outside of its sensor; delete it")
    return found


def write_map(bad_map: BadMap, *, overwrite: bool) -> Path:
    """Keep a map, whole or not at all, and return its path; raises `OutputError`."""
    path = path_of(bad_map.camera, bad_map.serial)
    make_folder(path.parent)
    text = json.dumps({"version": VERSION, **asdict(bad_map)}, separators=(",", ":"))
    with replacing(path, overwrite) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def forget_map(bad_map: BadMap) -> None:
    """Delete a map; raises `OutputError`."""
    path = path_of(bad_map.camera, bad_map.serial)
    try:
        path.unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be deleted: {error.strerror}") from error


def choose_map(name: str) -> BadMap:
    """The one map whose name holds some text, case aside; raises `SettingsError` for none or several."""
    maps = all_maps()
    found = [each for each in maps if name.lower() == each.name.lower()]
    found = found or [each for each in maps if name.lower() in each.name.lower()]
    if len(found) != 1:
        which = "; ".join(each.name for each in found or maps) or "no maps at all"
        raise SettingsError(f"{name}: {'several maps' if found else 'no map'} of that name; there is {which}")
    return found[0]
