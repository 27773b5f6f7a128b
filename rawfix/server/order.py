"""What a job asks for, checked: plain values that go to the process that carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from rawfix.batch.inputs import RAW_SUFFIXES
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.read import MOSAIC_SUFFIXES
from rawfix.io.writers import SUFFIXES
from rawfix.kept import SUFFIX as MAPS_SUFFIX
from rawfix.settings import Settings

_LONGEST_NAME = 200
_LISTS = frozenset((".json", ".png", ".txt", ".badpixels"))


@dataclass(frozen=True, slots=True)
class Order:
    """One job.

    Attributes
    ----------
    named, folder
        What the client calls the RAW file and its folder, made harmless. Metadata and messages tell it; it names
        no file.
    files
        Of `rawfix.server.wire.FILES`.
    strip_private, previews
        As for `rawfix.batch.options.Options`; previews come with the result.
    parts
        Files that came with the request, by the part's name.
    """

    named: str
    folder: str
    settings: Settings
    mosaic: MosaicFacts
    files: tuple[str, ...] = ("picture",)
    strip_private: bool = False
    previews: bool = False
    parts: Mapping[str, Path] = field(default_factory=dict)

    @property
    def known_as(self) -> Path:
        """The name that metadata tell; not to be opened."""
        return Path(self.folder, self.named)


def harmless(name: str) -> str:
    """A file's name without folders, control characters and what systems give a meaning to; never empty."""
    base = PurePath(name.replace("\\", "/")).name
    kept = "".join(c for c in base if c.isprintable() and c not in '/\\:*?"<>|')[:_LONGEST_NAME].strip(". ")
    return kept or "raw"


def own_name(part: str, named: str) -> str:
    """The server's own name for a file that was sent: of the client's, at most a suffix that is known."""
    suffix = PurePath(named).suffix.lower()
    if part == "raw":
        return f"raw{suffix}" if suffix in RAW_SUFFIXES | MOSAIC_SUFFIXES else "raw"
    if part == "bad_pixels":
        return f"bad-pixels{suffix if suffix in _LISTS else ''}"
    return part


def place(folder: Path, file: str, format: str) -> Path:
    """Where a job's process writes a file."""
    names = {
        "picture": f"picture{SUFFIXES[format]}",
        "maps": f"picture{MAPS_SUFFIX}",
        "bad-map": "picture-bad.png",
    }
    return folder / names.get(file, f"picture-{file}.tif")
