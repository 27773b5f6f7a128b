"""Photographs as training material: any folder of pictures, or a bundle made by `pack`."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Picture

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"})
VALIDATION_EVERY = 16
"""Every so-many-th picture, by name, is kept back for validation."""

Photo = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Photos:
    """Named 8-bit sRGB pictures ``(H, W, 3)``, split by picture into training and validation."""

    train: tuple[tuple[str, Photo], ...]
    validation: tuple[tuple[str, Photo], ...]


def _read_folder(folder: Path, least: int) -> Iterator[tuple[str, Photo]]:
    paths = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    # By name as text, as in a bundle: paths sort otherwise ("a/b" before "a-b"), and so would the split.
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        with Picture.open(path) as picture:
            photo = np.asarray(picture.convert("RGB"))
        if min(photo.shape[:2]) >= least:
            yield name, photo


def _read_bundle(path: Path) -> list[tuple[str, Photo]]:
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not there, or no .npz archive")
        with np.load(path) as bundle:
            return [(name, bundle[name]) for name in sorted(bundle.files)]
    except (
        OSError,
        ValueError,
        EOFError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise FileNotFoundError(
            f"{path}: cannot be read ({error}); give a folder of photographs, or a bundle made by pack"
        ) from error


def load(source: Path, least: int = 128) -> Photos:
    """Read a folder of photographs, or an ``.npz`` bundle.

    Parameters
    ----------
    source
        Folder (searched to any depth), or a bundle written by `pack`.
    least
        Shorter sides than this are left out.

    Raises
    ------
    FileNotFoundError
        Where no picture is found, or the bundle cannot be read.
    """
    named = list(_read_folder(source, least)) if source.is_dir() else _read_bundle(source)
    if len(named) < 2:
        raise FileNotFoundError(f"{source}: no photographs found (looked for {', '.join(sorted(SUFFIXES))})")
    held = [item for index, item in enumerate(named) if index % VALIDATION_EVERY == VALIDATION_EVERY // 2]
    kept = [item for index, item in enumerate(named) if index % VALIDATION_EVERY != VALIDATION_EVERY // 2]
    return Photos(tuple(kept), tuple(held or named[:1]))


def pack(source: Path, target: Path, megabytes: float, seed: int = 1) -> int:
    """Write a bundle of about so many megabytes: central crops of every picture, compressed.

    The pictures keep their names, so that the validation split of folder and bundle agree.
    Returns the number of pictures.
    """
    named = list(_read_folder(source, 128))
    rng = np.random.default_rng(seed)
    pixels = megabytes * 1e6 / 2.4 / max(len(named), 1)  # deflate leaves about 2.4 bytes a pixel
    side = int(np.sqrt(pixels)) // 2 * 2
    crops = {}
    for name, photo in named:
        height, width = (min(side, s) for s in photo.shape[:2])
        y = int(rng.integers(photo.shape[0] - height + 1))
        x = int(rng.integers(photo.shape[1] - width + 1))
        crops[name] = photo[y : y + height, x : x + width]
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(target, **crops)  # type: ignore[arg-type]
    return len(crops)


def _color_detail(crop: Photo) -> float:
    """Mean absolute gradient of the color differences: what demosaicing finds hard."""
    wide = crop.astype(np.int16)
    chroma = wide[..., ::2] - wide[..., 1:2]
    return float(np.abs(np.diff(chroma, axis=0)).mean() + np.abs(np.diff(chroma, axis=1)).mean())


def draw_crop(photos: tuple[tuple[str, Photo], ...], size: int, rng: np.random.Generator) -> Photo:
    """A random square crop, flipped and transposed at random: the harder of two drawn."""
    crops = []
    areas = np.sqrt([p.shape[0] * p.shape[1] for _, p in photos])
    for index in rng.choice(len(photos), 2, p=areas / areas.sum()):
        photo = photos[index][1]
        y = int(rng.integers(photo.shape[0] - size + 1))
        x = int(rng.integers(photo.shape[1] - size + 1))
        crops.append(photo[y : y + size, x : x + size])
    return turned(max(crops, key=_color_detail), rng)


def turned(crop: Photo, rng: np.random.Generator) -> Photo:
    """A view of the square crop, flipped and transposed at random."""
    if rng.random() < 0.5:
        crop = crop.transpose(1, 0, 2)
    return crop[:: int(rng.choice((-1, 1))), :: int(rng.choice((-1, 1)))]


Arrays = tuple[np.ndarray, ...]


class _Draws(torch.utils.data.IterableDataset[Arrays]):
    """An endless stream of batches; every worker draws its own."""

    def __init__(self, draw: Callable[[np.random.Generator], Arrays], seed: tuple[int, ...]) -> None:
        self.draw, self.seed = draw, seed

    def __iter__(self) -> Iterator[Arrays]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((*self.seed, 0 if worker is None else worker.id))
        while True:
            yield self.draw(rng)


def stream(
    draw: Callable[[np.random.Generator], Arrays], seed: tuple[int, ...], device: str
) -> Iterator[tuple[torch.Tensor, ...]]:
    """Endless batches of ``draw(rng)``, made beside the training: by one worker on a CPU, by twelve for a GPU."""
    yield from torch.utils.data.DataLoader(
        _Draws(draw, seed),
        batch_size=None,
        num_workers=1 if device == "cpu" else 12,
        prefetch_factor=8,
        persistent_workers=True,
    )
