"""Lens corrections from lensfun's database. The only module that knows lensfunpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import SettingsError, UnsupportedRawError
from rawfix.frame import LensFacts
from rawfix.physics.lens import GainMap

Sources = Callable[[int, int], list[tuple[NDArray[np.float32], NDArray[np.float32]]]]
_COARSE = 256
"""Points across the map of vignetting: between them it is as good as straight."""
_FAR = 1000.0
"""Meters: lensfun's infinity, for an unknown distance."""
_TOLERANCE = 1.05
"""By how much a stated focal length may lie beyond a lens's range, as makers round them."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A lens of the database at the settings of one exposure.

    Attributes
    ----------
    name
        The lens as lensfun calls it, and the version of its library.
    parts
        What is calibrated: of "distortion", "lateral color", "vignetting".
    """

    name: str
    parts: tuple[str, ...]
    lens: Any
    crop: float
    facts: LensFacts

    def sources(self, height: int, width: int) -> Sources | None:
        """For a picture of this size, where light lies in it; None where nothing moves.

        The corrected picture is enlarged as far as it takes to fill its frame.
        """
        if {"distortion", "lateral color"}.isdisjoint(self.parts):
            return None
        modifier = self._modifier(height, width, with_places=True)
        in_colors = "lateral color" in self.parts

        def sources(start: int, end: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
            if in_colors:
                places = modifier.apply_subpixel_geometry_distortion(0, start, width, end - start)
                return [(places[..., channel, 1], places[..., channel, 0]) for channel in range(3)]
            places = modifier.apply_geometry_distortion(0, start, width, end - start)
            return [(places[..., 1], places[..., 0])]

        return sources

    def gains(self, height: int, width: int) -> GainMap | None:
        """What undoes vignetting before light is moved, for a picture of this size; None where it is unknown."""
        if "vignetting" not in self.parts:
            return None
        factor = max(1, -(-max(height, width) // _COARSE))
        down, across = -(-height // factor), -(-width // factor)
        grid = np.ones((down, across, 3), np.float32)
        self._modifier(down, across, with_places=False).apply_color_modification(grid)
        # Lensfun's vignetting knows no colors. First and last points are the first and last pixel's middles.
        spacing = tuple(
            (size - 1) / size / max(points - 1, 1) for size, points in ((height, down), (width, across))
        )
        return GainMap(grid[..., :1], (0.5 / height, 0.5 / width), (spacing[0] or 1.0, spacing[1] or 1.0))

    def _modifier(self, height: int, width: int, *, with_places: bool) -> Any:
        import lensfunpy

        flags = lensfunpy.ModifyFlags
        wanted = flags.DISTORTION | flags.TCA | flags.SCALE if with_places else flags.VIGNETTING
        modifier = lensfunpy.Modifier(self.lens, self.crop, width, height)
        modifier.initialize(
            self.facts.focal_length,
            self.facts.f_number or self.lens.min_aperture,
            self.facts.distance or _FAR,
            scale=0.0,
            targeom=self.lens.type,
            pixel_format=np.float32,
            flags=int(wanted),
        )
        return modifier


def is_installed() -> bool:
    """Whether lensfunpy is there."""
    return find_spec("lensfunpy") is not None


def check_lensfun() -> None:
    """Raise `SettingsError` where the library is not installed."""
    if not is_installed():
        raise SettingsError("--lens-correction lensfun needs lensfunpy: pip install 'rawfix[lens]'")


def find_profile(facts: LensFacts) -> Profile:
    """The lens's profile.

    Raises
    ------
    UnsupportedRawError
        Camera, lens or focal length are unknown to the file or to lensfun, or several lenses may be meant.
    SettingsError
        See `check_lensfun`.
    """
    check_lensfun()
    import lensfunpy

    database = _database()
    if not facts.model:
        raise UnsupportedRawError("does not say which camera took it, so lensfun knows no lens for it")
    maker = facts.make or None
    names = (facts.model, f"{facts.make} {facts.model}")
    cameras = [camera for name in names for camera in database.find_cameras(maker, name)]
    if not cameras:
        raise UnsupportedRawError(f"the camera {names[1].strip()} is unknown to lensfun")
    camera = cameras[0]
    # lensfun writes the mounts of cameras with a fixed lens in lower case.
    is_fixed = str(camera.mount)[:1].islower()
    if not (is_fixed or facts.lens):
        raise UnsupportedRawError("does not name its lens, so lensfun knows none for it")
    found = database.find_lenses(camera, None, None if is_fixed else facts.lens)
    if facts.focal_length is None:
        raise UnsupportedRawError("does not say its focal length, so lensfun cannot correct its lens")
    fitting = [
        lens
        for lens in found
        if lens.min_focal / _TOLERANCE <= facts.focal_length <= lens.max_focal * _TOLERANCE
    ]
    best = [lens for lens in fitting if lens.score == fitting[0].score]
    # Some lenses stand there once for each size of sensor they were calibrated on; the nearest is meant.
    nearest = sorted(best, key=lambda lens: abs(lens.crop_factor - camera.crop_factor))
    if len({lens.model for lens in best}) > 1:
        several = ", ".join(sorted({lens.model for lens in best})[:3])
        raise UnsupportedRawError(f"its lens {facts.lens} may be several of lensfun's ({several})")
    if not best:
        raise UnsupportedRawError(f"its lens {facts.lens or 'at this focal length'} is unknown to lensfun")
    lens = nearest[0]
    parts = tuple(
        name
        for name, calibrated in (
            ("distortion", lens.calib_distortion),
            ("lateral color", lens.calib_tca),
            ("vignetting", lens.calib_vignetting and facts.f_number),
        )
        if calibrated
    )
    if not parts:
        raise UnsupportedRawError(
            f"its lens {lens.model} is known to lensfun, but nothing of it is calibrated"
        )
    version = ".".join(map(str, lensfunpy.lensfun_version[:3]))
    return Profile(f"{lens.model} (lensfun {version})", parts, lens, float(camera.crop_factor), facts)


@cache
def _database() -> Any:
    import lensfunpy

    return lensfunpy.Database()
