"""What the camera recorded, before anything was done to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa

Image = NDArray[np.float32]
"""``(H, W, C)`` or ``(H, W)`` float32; the color space stands in the variable's name."""


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Sensor noise: ``variance(x) = shot·x + read`` per channel (DNG NoiseProfile's S and O).

    Units: ``x`` is the signal between black (0) and white (1), before white balance.

    Attributes
    ----------
    shot, read
        Three values each (red, green, blue), non-negative.
    source
        Where the figures come from: ``"file"``, ``"calibrated"``, ``"estimated"`` or ``"given"``.
    """

    shot: tuple[float, float, float]
    read: tuple[float, float, float]
    source: str = "given"


@dataclass(frozen=True, slots=True)
class PsfModel:
    """Sharpness of lens and sensor: a Gaussian point spread function that widens towards the corners.

    Attributes
    ----------
    center, corner
        Standard deviation in pixels per channel (red, green, blue); the pixel's own aperture is not in it.
    source
        Where the figures come from: ``"calibrated"``, ``"estimated"`` or ``"given"``.
    """

    center: tuple[float, float, float]
    corner: tuple[float, float, float]
    source: str = "given"

    def at(self, radius: float) -> tuple[float, float, float]:
        """Deviations at a distance from the center in half diagonals; variance grows with its square."""
        red, green, blue = (
            max(a * a + (b * b - a * a) * radius * radius, 0.0) ** 0.5
            for a, b in zip(self.center, self.corner, strict=True)
        )
        return red, green, blue


@dataclass(frozen=True, slots=True)
class LensFacts:
    """What a file says about the lens and how it was set.

    Attributes
    ----------
    make, model, lens
        Names of camera and lens as metadata have them, "" when unknown.
    focal_length, f_number, distance
        Millimeters, the aperture number, meters to what is in focus; None when unknown.
    crop_factor
        How many times the sensor's diagonal goes into that of 36 × 24 mm; None when unknown.
    opcodes_2, opcodes_3
        A DNG's OpcodeList2 and OpcodeList3 as stored, or empty.
    area
        Top, left, height and width of the picture that the lists speak of, relative to ``mosaic[0, 0]``; None: the
        mosaic itself.
    """

    make: str = ""
    model: str = ""
    lens: str = ""
    focal_length: float | None = None
    f_number: float | None = None
    distance: float | None = None
    crop_factor: float | None = None
    opcodes_2: bytes = b""
    opcodes_3: bytes = b""
    area: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a picture of so many rows and columns a window of it begins."""

    height: int
    width: int
    y: int = 0
    x: int = 0

    def window(self, y: int, x: int = 0) -> Place:
        """The place of a window inside this window."""
        return Place(self.height, self.width, self.y + y, self.x + x)


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """One exposure as the camera recorded it.

    Attributes
    ----------
    mosaic
        ``(H, W)`` uint16 counts, read-only; or, where ``cfa`` is None (already demosaiced),
        ``(H, W, 3)`` counts, uint16 or float32.
    cfa
        Filter array in the phase of ``mosaic[0, 0]``; None for files that hold full color.
    black
        ``(period_y, period_x)`` float32: black level in counts per CFA site, periodic from ``mosaic[0, 0]``.
        The period is a multiple of the array's. ``(1, 1)`` is a single level.
    white
        Level in counts per channel (red, green, blue) that stands for 1.
    wb
        As-shot multipliers (red, green, blue), green = 1.
    cam_to_xyz
        ``(3, 3)`` float64; white-balanced camera → CIE XYZ (D65 white), column vectors: maps (1, 1, 1)
        to the D65 white point with Y = 1.
    noise
        Noise model in the signal's units, or None when unknown.
    iso
        Speed, or None.
    orientation
        EXIF orientation, 1…8.
    camera, lens
        Names, "" when unknown.
    black_rows, black_columns
        Per-row and per-column black deltas in counts (DNG BlackLevelDeltaV/H), or None.
    pixel_aspect
        Width of a pixel over its height; 1 for square pixels.
    daylight_wb
        Multipliers that make D65 daylight white, green = 1, from the camera's matrix; None when unknown. With
        it, ``inverse(cam_to_xyz) / daylight_wb[:, None]`` is the native XYZ → unbalanced camera matrix.
    origin
        Row and column of ``mosaic[0, 0]`` on the whole sensor, masked margins included.
    known_bad
        ``(H, W)`` bool: samples known to be worthless (by the file itself, a map, a list); None where nothing is
        known.
    psf
        Point spread function of camera and lens, or None where it was never measured.
    lens_facts
        What corrections of the lens go by.
    notes
        Plain sentences about fallbacks taken while reading ("white balance missing: daylight used").
    saturation
        Share of white at which each channel saturates.
    wb_from_mean
        Whether nothing tells ``wb`` but the picture's own mean (gray world).
    saturation_from_samples
        Whether ``saturation`` was looked for in ``mosaic``.
    """

    mosaic: NDArray[np.uint16] | NDArray[np.float32]
    cfa: Cfa | None
    black: NDArray[np.float32]
    white: tuple[float, float, float]
    wb: tuple[float, float, float]
    cam_to_xyz: NDArray[np.float64]
    noise: NoiseModel | None
    iso: float | None
    orientation: int
    camera: str
    lens: str
    black_rows: NDArray[np.float32] | None = None
    black_columns: NDArray[np.float32] | None = None
    pixel_aspect: float = 1.0
    daylight_wb: tuple[float, float, float] | None = None
    origin: tuple[int, int] = (0, 0)
    known_bad: NDArray[np.bool_] | None = None
    psf: PsfModel | None = None
    lens_facts: LensFacts = LensFacts()
    notes: tuple[str, ...] = ()
    saturation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    wb_from_mean: bool = False
    saturation_from_samples: bool = False

    def clip(self, wb: tuple[float, float, float] | None = None) -> tuple[float, float, float]:
        """Where the channels saturate, balanced with ``wb`` (default: as shot); infinite for floating-point files."""
        if self.mosaic.dtype != np.uint16:
            return (np.inf, np.inf, np.inf)
        red, green, blue = (gain * share for gain, share in zip(wb or self.wb, self.saturation, strict=True))
        return red, green, blue


def with_infrared(values: tuple[float, float, float]) -> NDArray[np.float32]:
    """``(4,)`` float32: values of red, green and blue, and green's for infrared.

    Multipliers are 1 there; level and noise are those of one converter behind every photosite, and green is
    the channel that is measured best.
    """
    red, green, blue = values
    return np.array((red, green, blue, green), np.float32)


def crop(frame: RawFrame, y: int, x: int, height: int, width: int) -> RawFrame:
    """The part of a frame that starts at ``(y, x)``; filter array and black levels move with it."""
    window = np.s_[y : y + height, x : x + width]
    area = frame.lens_facts.area or (0, 0, *frame.mosaic.shape[:2])
    return replace(
        frame,
        mosaic=frame.mosaic[window],
        cfa=None if frame.cfa is None else frame.cfa.shift(y, x),
        black=np.roll(frame.black, (-y, -x), (0, 1)),
        black_rows=None if frame.black_rows is None else frame.black_rows[y : y + height],
        black_columns=None if frame.black_columns is None else frame.black_columns[x : x + width],
        origin=(frame.origin[0] + y, frame.origin[1] + x),
        known_bad=None if frame.known_bad is None else frame.known_bad[window],
        lens_facts=replace(frame.lens_facts, area=(area[0] - y, area[1] - x, area[2], area[3])),
    )
