"""Calibrations that rawfix keeps, one file a camera body, under the user's data folder: noise, and PSF by lens.

Bodies are told apart as for the maps of bad pixels (`rawfix.io.bad_maps`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

from rawfix.errors import OutputError, SettingsError
from rawfix.frame import PsfModel
from rawfix.io.atomic import make_folder, replacing
from rawfix.io.bad_maps import path_of as map_path
from rawfix.io.folders import data_folder
from rawfix.physics.noise_calibration import NoiseCalibration, SpeedNoise

VERSION = 1


@dataclass(frozen=True, slots=True)
class PsfCalibration:
    """The point spread function of a body with one lens.

    Attributes
    ----------
    lens
        As in `RawFrame.lens`, or as its owner calls it; "" where neither is known.
    psf
        What was measured.
    edges
        On how many edges.
    made
        Date, ``YYYY-MM-DD``.
    is_untold
        Files do not tell this lens: an adapted or manual one.
    """

    lens: str
    psf: PsfModel
    edges: int
    made: str
    is_untold: bool = False


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything measured of a body.

    Attributes
    ----------
    camera, serial
        Maker and model as in `RawFrame.camera`; serial number, or "".
    noise, noise_made
        Noise over speeds and its date, or None and "".
    psfs
        By lens.
    """

    camera: str
    serial: str
    noise: NoiseCalibration | None = None
    noise_made: str = ""
    psfs: tuple[PsfCalibration, ...] = ()

    @property
    def name(self) -> str:
        """Camera and serial number, for people."""
        return f"{self.camera} {self.serial}".strip()

    def psf_for(self, lens: str) -> PsfModel | None:
        """What was measured with a lens, or None.

        Where a file tells none, that of the only lens which files do not tell; of several none, see `untold`.
        """
        if not lens:
            return self.untold[0].psf if len(self.untold) == 1 else None
        return next((known.psf for known in self.psfs if known.lens == lens and not known.is_untold), None)

    @property
    def untold(self) -> tuple[PsfCalibration, ...]:
        """Measured with lenses that files do not tell."""
        return tuple(known for known in self.psfs if known.is_untold or not known.lens)


def calibrations_folder() -> Path:
    """Where calibrations are kept; it may not exist yet."""
    return data_folder() / "calibrations"


def path_of(camera: str, serial: str) -> Path:
    """The file of a body's calibration, whether it exists or not."""
    return calibrations_folder() / map_path(camera, serial).name


def find_calibration(camera: str, serial: str) -> Calibration | None:
    """The calibration of a body, or None; raises `SettingsError` where it is damaged."""
    path = path_of(camera, serial)
    if not camera or not path.is_file():
        return None
    found = read_calibration(path)
    return found if (found.camera, found.serial) == (camera, serial) else None


def all_calibrations() -> list[Calibration]:
    """Every calibration there is, by name; raises `SettingsError` where one is damaged."""
    return [read_calibration(path) for path in sorted(calibrations_folder().glob("*.json"))]


def choose_calibration(name: str) -> Calibration:
    """The one whose name holds some text, case aside; raises `SettingsError` for none or several."""
    known = all_calibrations()
    found = [each for each in known if name.lower() == each.name.lower()]
    found = found or [each for each in known if name.lower() in each.name.lower()]
    if len(found) != 1:
        which = "; ".join(each.name for each in found or known) or "none at all"
        raise SettingsError(
            f"{name}: {'several calibrations' if found else 'no calibration'} of that name; there is {which}"
        )
    return found[0]


def read_calibration(path: Path) -> Calibration:
    """Read one file; raises `SettingsError` where it is none, or damaged."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = values["version"]
        if version != VERSION:
            raise SettingsError(
                f"{path}: is a calibration of version {version}; this rawfix reads version {VERSION}"
            )
        return Calibration(
            camera=str(values["camera"]),
            serial=str(values["serial"]),
            noise=None if values["noise"] is None else _noise(values["noise"]),
            noise_made=str(values["noise_made"]),
            psfs=tuple(_psf(each) for each in values["psfs"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise SettingsError(f"{path}: is no calibration, or damaged ({error}); delete it") from error


def write_calibration(calibration: Calibration) -> Path:
    """Keep a calibration, whole or not at all, in place of the body's last; raises `OutputError`."""
    path = path_of(calibration.camera, calibration.serial)
    make_folder(path.parent)
    text = json.dumps({"version": VERSION, **asdict(calibration)}, indent=1)
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def forget_calibration(calibration: Calibration) -> None:
    """Delete a calibration; raises `OutputError`."""
    path = path_of(calibration.camera, calibration.serial)
    try:
        path.unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be deleted: {error.strerror}") from error


def _three(values: list[Any]) -> tuple[float, float, float]:
    red, green, blue = (_figure(value) for value in values)
    return red, green, blue


def _figure(value: Any) -> float:
    if not 0 <= (figure := float(value)) < inf:
        raise ValueError(f"a figure is {figure:g}")
    return figure


def _noise(values: dict[str, Any]) -> NoiseCalibration:
    speeds = tuple(
        SpeedNoise(
            _figure(speed["iso"]), _three(speed["shot"]), _three(speed["read"]), _figure(speed["row"]),
            _figure(speed["column"]), int(speed["frames"]), bool(speed["is_measured"]),
        )
        for speed in values["speeds"]
    )  # fmt: skip
    if not speeds:
        raise ValueError("no speeds")
    return NoiseCalibration(
        speeds, _three(values["shot_per_gain"]), _three(values["read_constant"]),
        _three(values["read_per_gain"]), _figure(values["residual"]),
    )  # fmt: skip


def _psf(values: dict[str, Any]) -> PsfCalibration:
    psf = PsfModel(_three(values["psf"]["center"]), _three(values["psf"]["corner"]), "calibrated")
    return PsfCalibration(
        str(values["lens"]), psf, int(values["edges"]), str(values["made"]), bool(values.get("is_untold"))
    )
