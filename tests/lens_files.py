"""DNGs that carry lens corrections, and what tests know of them without the package's own arithmetic."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

from rawfix.frame import Image, RawFrame
from rawfix.io.dng import DngExif, camera_entries, exif_directory
from rawfix.io.dng_color import matrix_entries, neutral_entry
from rawfix.io.dng_ifd import Directory, append, append_directories, encode, long, undefined
from rawfix.io.dng_opcodes import GAIN_MAP, VIGNETTE, WARP_RECTILINEAR, Opcode, build
from rawfix.io.dng_raw import cfa_directory, linear_directory, white_span
from rawfix.io.dng_samples import append_samples

LIST_2, LIST_3 = 51009, 51022


def warp(*sets: tuple[float, ...], center: tuple[float, float] = (0.5, 0.5)) -> Opcode:
    """WarpRectilinear of one or three sets of k0 … k3, t0, t1; the center is x, y."""
    numbers = [number for each in sets for number in each]
    data = struct.pack(f">I{len(numbers)}d2d", len(sets), *numbers, *center)
    return Opcode(WARP_RECTILINEAR, 0x01030000, 0, data)


def vignette(*terms: float, center: tuple[float, float] = (0.5, 0.5)) -> Opcode:
    """FixVignetteRadial."""
    return Opcode(VIGNETTE, 0x01030000, 0, struct.pack(">7d", *terms, *center))


def gain_map(
    grid: np.ndarray,
    size: tuple[int, int],
    planes: tuple[int, int] = (0, 3),
    pitch: int = 1,
    at: tuple[int, int] = (0, 0),
) -> Opcode:
    """GainMap from edge to edge of a picture of that size."""
    down, across = grid.shape[:2]
    head = struct.pack(">8I", *at, *size, *planes, pitch, pitch)
    head += struct.pack(">2I4dI", down, across, 1 / (down - 1), 1 / (across - 1), 0.0, 0.0, grid.shape[2])
    return Opcode(GAIN_MAP, 0x01030000, 0, head + grid.astype(">f4").tobytes())


def write_dng(
    path: Path, frame: RawFrame, lists: dict[int, list[Opcode]], light: Image | None = None
) -> Path:
    """A DNG of a frame's mosaic, or of linear light in full color, with opcode lists."""
    exif = DngExif(make="Example", model="One")
    with path.open("w+b") as file:
        file.write(b"II*\0\0\0\0\0")
        directory: Directory
        if light is None:
            stored, _ = append_samples(file, frame.mosaic, "none")
            directory, span = cfa_directory(frame), white_span(frame)
        else:
            samples = np.clip(np.rint(light * 60000), 0, 65535).astype(np.uint16)
            stored, _ = append_samples(file, samples, "none")
            directory, span = linear_directory(light.shape, 60000, None), (1.0, 1.0, 1.0)  # type: ignore[arg-type]
        directory |= stored | camera_entries(frame, exif)
        directory |= neutral_entry(frame.wb, span) | matrix_entries(frame, span)
        directory |= {tag: undefined(build(opcodes)) for tag, opcodes in lists.items()}
        start = append(file, b"")
        append(file, encode(exif_directory(replace(frame, iso=100.0), exif), start))
        append_directories(file, directory | {34665: long(start)}, ())
    return path


def dots(size: tuple[int, int], places: np.ndarray) -> Image:
    """Gaussian dots, deviation 1.6 pixels, at ``(n, 2)`` places (row, column) on dim ground; three equal channels."""
    y, x = np.mgrid[: size[0], : size[1]]
    light = np.full(size, 0.02)
    for row, column in places:
        light += 0.6 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 1.6**2))
    return np.repeat(light[..., None], 3, 2).astype(np.float32)


def found_at(picture: np.ndarray, near: np.ndarray, reach: int = 7) -> np.ndarray:
    """Centers of light ``(n, 2)`` around places."""
    centers = []
    for row, column in np.rint(near).astype(int):
        window = picture[row - reach : row + reach + 1, column - reach : column + reach + 1].astype(
            np.float64
        )
        window = np.clip(window - np.median(window) * 1.5, 0, None)
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        centers.append((row + (y * window).sum() / window.sum(), column + (x * window).sum() / window.sum()))
    return np.array(centers)
