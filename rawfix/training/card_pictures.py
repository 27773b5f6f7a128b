"""Pictures for a model card: a few of a folder, made small enough to ship with the model."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps

MOST, BYTES = 4, 400_000
"""Pictures of a card, and what they may weigh together."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
_SMALL = BYTES // (2 * MOST)
_QUALITIES = (92, 85, 75)
_COLUMNS = {"validation": "validation: as seen, the result, the truth"}
"""What the columns of a strip without names are."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture as it ships: caption, name of its file in the model's folder, content."""

    caption: str
    name: str
    content: bytes


def read_pictures(folder: Path) -> list[Shown]:
    """The first pictures of a folder, by name, the heaviest left out until they fit.

    As PNG where that is small, as JPEG otherwise; the pixels alone, nothing else that the files hold. Plots of the
    knob are left out: a card draws its own.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no picture in it.
    ValueError
        One is no picture, or too large.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"--pictures {folder}: no such folder; give one that evaluate --pictures wrote"
        )
    paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
    paths = sorted(path for path in paths if not path.name.startswith((".", "knob")))[:MOST]
    if not paths:
        raise FileNotFoundError(
            f"--pictures {folder}: holds no PNG or JPEG; give one that evaluate --pictures wrote"
        )
    pictures = {path: _read(path) for path in paths}
    while True:
        for quality in _QUALITIES:
            files = [_encode(picture, quality) for picture in pictures.values()]
            if sum(len(content) for _, content in files) <= BYTES:
                return [
                    Shown(_caption(path), f"picture-{number}{suffix}", content)
                    for number, (path, (suffix, content)) in enumerate(zip(pictures, files, strict=True), 1)
                ]
        size, heaviest = max((len(content), path) for path, (_, content) in zip(pictures, files, strict=True))
        if len(pictures) == 1:
            raise ValueError(
                f"{heaviest}: {size // 1000} kB as JPEG, a card has room for {BYTES // 1000}; give a crop"
            )
        del pictures[heaviest]


def to_markdown(pictures: list[Shown]) -> str:
    """The card's section, or nothing."""
    if not pictures:
        return ""
    images = [f"{picture.caption}:\n\n![{picture.caption}]({picture.name})" for picture in pictures]
    return "\n\n".join(("\n\n## What it looks like", *images))


def _caption(path: Path) -> str:
    return _COLUMNS.get(path.stem, " ".join(re.sub(r"[^\w.,()-]+", " ", path.stem).split()))


def _read(path: Path) -> Picture.Image:
    """The pixels alone: a camera's files tell where they were taken."""
    try:
        with Picture.open(path) as opened:
            return Picture.fromarray(np.asarray(ImageOps.exif_transpose(opened).convert("RGB")))
    except (OSError, Picture.DecompressionBombError) as error:
        raise ValueError(f"{path}: not a picture ({error}); remove it from --pictures") from error


def _encode(picture: Picture.Image, quality: int) -> tuple[str, bytes]:
    """Suffix and content: as PNG where that is small, as JPEG otherwise."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    if buffer.tell() <= _SMALL:
        return ".png", buffer.getvalue()
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=quality, subsampling=0)
    return ".jpg", buffer.getvalue()
