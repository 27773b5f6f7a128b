"""What a picture's metadata is made of: the RAW file, its sidecars, and how the picture was developed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from rawfix import __version__
from rawfix.frame import NoiseModel
from rawfix.io.utf8 import legible

NAMESPACE, PREFIX = "https://github.com/rawfix/rawfix/ns/1.0/", "rawfix"
"""The XMP namespace of rawfix's own properties."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture was developed; enough to do it again.

    Attributes
    ----------
    settings
        `rawfix.settings.Settings.to_dict`, or the part of it that was used.
    models
        ``(id, sha256)`` of every network that ran.
    noise
        The noise model that was used, or None.
    defects
        Samples replaced, or None where nothing was looked for.
    lens
        The correction of the lens that was applied, in words; "" for none.
    """

    settings: Mapping[str, Any]
    models: tuple[tuple[str, str], ...] = ()
    noise: NoiseModel | None = None
    defects: int | None = None
    lens: str = ""

    @property
    def is_enhanced(self) -> bool:
        """Whether the picture has detail that was not seen."""
        return float(self.settings.get("detail", 0)) > 0

    def properties(self) -> dict[str, str | tuple[str, ...]]:
        """XMP properties by name: text, or a tuple for an unordered array."""
        found: dict[str, str | tuple[str, ...]] = {
            "Version": __version__,
            "Settings": json.dumps(self.settings, sort_keys=True),
        }
        if self.models:
            found["Models"] = tuple(f"{id} sha256:{digest}" for id, digest in self.models)
        if self.noise is not None:
            profile = {"shot": self.noise.shot, "read": self.noise.read, "source": self.noise.source}
            found["NoiseProfile"] = json.dumps(profile)
        if self.defects is not None:
            found["Defects"] = str(self.defects)
        if self.lens:
            found["LensCorrection"] = self.lens
        if self.settings.get("upscale", 1) != 1:
            found |= {name.capitalize(): str(self.settings[name]) for name in ("upscale", "detail", "seed")}
        return found


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a picture's metadata comes from.

    Attributes
    ----------
    source
        The RAW file.
    sidecars
        XMP files beside it, see `sidecars_of`; of two that name a property, the last one counts.
    strip_private
        Leave out all that is neither technical nor says who the author is: places, serial numbers, names of the
        owner and of people, free text, document ids and maker notes. Author and copyright stay.
    provenance
        What is told about the development, or None for nothing.
    named
        What the RAW file is called where that is not its name on this disk; None where it is.
    """

    source: Path
    sidecars: tuple[Path, ...] = ()
    strip_private: bool = False
    provenance: Provenance | None = None
    named: Path | None = None

    @property
    def told(self) -> Path:
        """The RAW file's name as metadata tell it."""
        path = self.named or self.source
        return path.with_name(legible(path.name))

    @property
    def told_provenance(self) -> Provenance | None:
        """The provenance as metadata tell it: files that settings name are private."""
        if self.provenance is None or not self.strip_private:
            return self.provenance
        settings = dict(self.provenance.settings)
        for name in ("bad_pixels", "ocio"):
            if is_file_name(str(settings.get(name, ""))):
                settings[name] = "file"
        return replace(self.provenance, settings=settings)


def is_file_name(choice: str) -> bool:
    """Whether a setting that may name a file does."""
    return choice not in ("", "auto", "off") and not choice.startswith("ocio://")


def xmp_beside(source: Path) -> tuple[Path, Path]:
    """Where the sidecars of a RAW file lie, if there are any: Adobe's, darktable's."""
    return source.with_name(f"{source.stem}.xmp"), source.with_name(f"{source.name}.xmp")


def sidecars_of(source: Path) -> tuple[Path, ...]:
    """The XMP files beside a RAW file: Adobe's ``STEM.xmp``, then darktable's ``STEM.EXT.xmp``.

    The names are compared without regard to case, as cameras and file systems disagree on it.
    """
    wanted = [path.name.casefold() for path in xmp_beside(source)]
    try:
        beside = _xmp_files(source.parent, source.parent.stat().st_mtime_ns)
    except OSError:
        return ()
    return tuple(beside[name] for name in wanted if name in beside)


@lru_cache(maxsize=16)
def _xmp_files(folder: Path, changed_ns: int) -> dict[str, Path]:
    """The XMP files of a folder by folded name; listed anew when the folder has changed."""
    return {path.name.casefold(): path for path in folder.iterdir() if path.suffix.lower() == ".xmp"}
