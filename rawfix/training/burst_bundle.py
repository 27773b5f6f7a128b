"""A burst in one file: frames of one scene at one setting, dark frames, levels and gains, as ``.npz``.

Members: ``mosaic_0000``, … and ``dark_0000``, …, each ``(H, W)`` uint16 counts as the sensor gave them; ``black``
``(period_y, period_x)`` float32 counts, periodic from the first pixel; ``white`` ``(3,)`` float32 counts a channel;
``gains`` ``(2,)`` float32, analog and digital, 1 at base speed; ``pattern`` ``(period_y, period_x)`` uint8, the filter
array as channel indices. One member a frame, so that a burst of any length is read a frame at a time.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.errors import CorruptRawError
from rawfix.frame import Image, with_infrared

Counts = NDArray[np.uint16]
_LEVELS = ("black", "white", "gains", "pattern")


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What turns counts into signal.

    Attributes
    ----------
    black
        ``(period_y, period_x)`` float32 counts, periodic from the first pixel.
    white
        ``(3,)`` float32 counts: saturation of red, green, blue.
    gains
        ``(2,)`` float32: analog and digital gain over base speed.
    cfa
        Filter array in the phase of the first pixel.
    """

    black: Image
    white: Image
    gains: Image
    cfa: Cfa

    def black_plane(self, shape: tuple[int, int]) -> Image:
        """Black of every photosite, ``(H, W)`` float32 counts."""
        repeats = [-(-length // period) for length, period in zip(shape, self.black.shape, strict=True)]
        return np.tile(self.black, repeats)[: shape[0], : shape[1]]

    def white_plane(self, shape: tuple[int, int]) -> Image:
        """Saturation of every photosite, ``(H, W)`` float32 counts; infrared has green's."""
        red, green, blue = (float(level) for level in self.white)
        return with_infrared((red, green, blue))[self.cfa.channels(shape)]


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A burst on disk; frames are read when asked for."""

    path: Path
    levels: Levels
    shape: tuple[int, int]
    frames: int
    dark_frames: int

    def mosaics(self) -> Iterator[Counts]:
        """The frames, one at a time, ``(H, W)`` uint16 counts."""
        return self._read("mosaic", self.frames)

    def darks(self) -> Iterator[Counts]:
        """The dark frames, one at a time, ``(H, W)`` uint16 counts."""
        return self._read("dark", self.dark_frames)

    def _read(self, kind: str, count: int) -> Iterator[Counts]:
        with _opened(self.path) as stored:
            for index in range(count):
                try:
                    frame = stored[f"{kind}_{index:04d}"]
                except (ValueError, zipfile.BadZipFile, OSError) as error:
                    raise CorruptRawError(
                        f"{self.path}: {kind}_{index:04d} cannot be read ({error}); write it anew"
                    ) from error
                if frame.shape != self.shape or frame.dtype != np.uint16:
                    raise CorruptRawError(
                        f"{self.path}: {kind}_{index:04d} is {frame.dtype} {frame.shape}, not uint16 {self.shape}; "
                        "a burst has one size, in counts"
                    )
                yield frame


def _opened(path: Path) -> Any:
    try:
        stored = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise CorruptRawError(f"{path}: there is no such bundle") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptRawError(f"{path}: not a bundle of a burst (.npz): {error}") from error
    if not isinstance(stored, np.lib.npyio.NpzFile):
        raise CorruptRawError(f"{path}: a single array, not a bundle of a burst (.npz)")
    return stored


def open_bundle(path: Path) -> Bundle:
    """Open a bundle; reads its levels and its first frame.

    Raises
    ------
    CorruptRawError
        Missing, no bundle of a burst, without frames, or with levels that cannot be.
    """
    with _opened(path) as stored:
        names = set(stored.files)
        if missing := [name for name in (*_LEVELS, "mosaic_0000") if name not in names]:
            raise CorruptRawError(f"{path}: no bundle of a burst, it lacks {', '.join(missing)}")
        black, white, gains = (np.asarray(stored[name], np.float32) for name in _LEVELS[:3])
        pattern, shape = stored["pattern"], stored["mosaic_0000"].shape
    if black.ndim != 2 or white.shape != (3,) or gains.shape != (2,) or pattern.ndim != 2 or len(shape) != 2:
        raise CorruptRawError(
            f"{path}: black is (h, w), white (3,), gains (2,), pattern (h, w), a frame (H, W)"
        )
    if not (np.isfinite(black).all() and white.min() > black.max() and np.isfinite(white).all()):
        raise CorruptRawError(f"{path}: white ({white.min():g}) must lie above black ({black.max():g})")
    if not (np.isfinite(gains).all() and gains.min() > 0):
        raise CorruptRawError(f"{path}: gains are {gains.tolist()}; both are positive, 1 at base speed")
    try:
        cfa = Cfa.from_array(pattern)
    except ValueError as error:
        raise CorruptRawError(f"{path}: {error}") from error
    return Bundle(
        path, Levels(black, white, gains, cfa), shape, _count(names, "mosaic"), _count(names, "dark")
    )


def _count(names: set[str], kind: str) -> int:
    """How many members of a kind follow each other from zero."""
    count = 0
    while f"{kind}_{count:04d}" in names:
        count += 1
    return count


def write_bundle(path: Path, mosaics: Iterable[Counts], darks: Iterable[Counts], levels: Levels) -> None:
    """Write a bundle, a frame at a time, beside its name first; `mosaics` and `darks` may be generators."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for kind, frames in (("mosaic", mosaics), ("dark", darks)):
                for index, frame in enumerate(frames):
                    _write(archive, f"{kind}_{index:04d}", np.asarray(frame, np.uint16))
            for name, values in zip(
                _LEVELS, (levels.black, levels.white, levels.gains, levels.cfa.unit()), strict=True
            ):
                _write(archive, name, np.asarray(values))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write(archive: zipfile.ZipFile, name: str, values: NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, values, allow_pickle=False)
