"""The pictures that a checkpoint is measured on, opened one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from PIL import Image as Picture
from PIL import UnidentifiedImageError

from rawfix.training.data import SUFFIXES
from rawfix.training.evaluation.protocol import Photo

Which = Literal["validation", "all"]
LEAST = 96
"""Shorter sides than this, in pixels, are left out: the linear demosaic is fitted on crops of it."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures by name, in a folder or a bundle.

    Attributes
    ----------
    source
        Folder, or ``.npz`` bundle made by `rawfix.training.data.pack`.
    names
        Relative to the folder, sorted.
    which
        Whether they are those that the run held back, or all there are.
    trained_on
        How many of them the run was trained on.
    """

    source: Path
    names: tuple[str, ...]
    which: Which
    trained_on: int | None

    @property
    def title(self) -> str:
        """As the figures are filed."""
        name = self.source.resolve().stem if self.source.is_file() else self.source.resolve().name
        return "held_back" if self.which == "validation" else name

    def __iter__(self) -> Iterator[tuple[str, Photo]]:
        """Name and 8-bit sRGB ``(H, W, 3)`` of each."""
        for name in self.names:
            yield name, _read(self.source, name)

    def some(self, count: int) -> list[tuple[str, Photo]]:
        """That many of them, evenly spread."""
        chosen = np.unique(np.linspace(0, len(self.names) - 1, min(count, len(self.names))).astype(int))
        return [(self.names[i], _read(self.source, self.names[i])) for i in chosen]


def find(source: Path, which: Which, stored: dict[str, Any]) -> PictureSet:
    """The pictures of a folder or bundle that are to be measured.

    Parameters
    ----------
    source
        Folder of pictures, searched to any depth, or a bundle.
    which
        ``"validation"``: those that the run held back, by name; ``"all"``: every picture, for benchmarks.
    stored
        The checkpoint's content: its lists ``held_back`` and ``pictures``, the latter None where nobody knows.

    Raises
    ------
    FileNotFoundError
        Where nothing is there to be measured, with the reason.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such folder or bundle of pictures")
    found = sorted(_names(source))
    if not found:
        raise FileNotFoundError(
            f"{source}: no pictures of {LEAST} pixels or more along both sides "
            f"(looked for {', '.join(sorted(SUFFIXES))})"
        )
    names = found if which == "all" else sorted(set(found) & set(stored["held_back"]))
    if not names:
        raise FileNotFoundError(
            f"{source}: none of the pictures that the run held back; give the folder it was trained from, "
            "or --set all to measure on every picture (a model's folder does not tell its own)"
        )
    known = stored["pictures"]
    return PictureSet(source, tuple(names), which, None if known is None else len(set(names) & set(known)))


def _names(source: Path) -> Iterator[str]:
    if source.is_file():
        with _bundle(source) as bundle:
            yield from (name for name in bundle.files if min(bundle[name].shape[:2]) >= LEAST)
        return
    for path in source.rglob("*"):
        if path.suffix.lower() in SUFFIXES:
            with _open(path) as picture:
                size = picture.size
            if min(size) >= LEAST:
                yield path.relative_to(source).as_posix()


def _bundle(path: Path) -> Any:
    try:
        found = np.load(path)
    except (OSError, ValueError, BadZipFile) as error:
        found = error
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise FileNotFoundError(f"{path}: no bundle of pictures; give a folder, or the .npz that pack wrote")
    return found


def _open(path: Path) -> Picture.Image:
    try:
        return Picture.open(path)
    except UnidentifiedImageError as error:
        raise FileNotFoundError(
            f"{path}: not a picture that can be read; take it out of the folder"
        ) from error


def _read(source: Path, name: str) -> Photo:
    if source.is_file():
        with _bundle(source) as bundle:
            return np.asarray(bundle[name], np.uint8)
    with _open(source / name) as picture:
        return np.asarray(picture.convert("RGB"))
