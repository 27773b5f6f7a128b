"""Other developers on the same mosaics: LibRaw's AHD and RawTherapee's AMaZE, as outside programs.

Each gets the mosaic as a DNG and gives linear, white-balanced camera light back. What is not installed, or cannot
read the filter array, is named as absent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rawfix.cfa import Cfa
from rawfix.color.transfer import decode
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.io.dng import write_cfa_dng
from rawfix.nn.tiles import reflect
from rawfix.physics.sensor import SRGB_TO_XYZ
from rawfix.training.evaluation.protocol import WB, noise_at

BLACK, WHITE = 2048, 65535
MARGIN, LEAST = 24, 600
"""Reflected pixels around a picture, whole units of every filter array, as developers cut borders; and a least side, as
LibRaw opens no X-Trans frame of 500 pixels or less."""

_LIBRAW = """
import sys, numpy, rawpy
with rawpy.imread(sys.argv[1]) as raw:
    picture = raw.postprocess(
        demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD, output_color=rawpy.ColorSpace.raw, gamma=(1, 1),
        no_auto_bright=True, output_bps=16, use_camera_wb=True, adjust_maximum_thr=0, user_flip=0,
    )
numpy.save(sys.argv[2], picture)
"""

_PROFILE = """[Version]
AppVersion=5.9
Version=346

[White Balance]
Enabled=true
Setting=Camera

[Color Management]
InputProfile=(none)
WorkingProfile=sRGB
OutputProfile=RTv4_sRGB

[Exposure]
Auto=false
Clip=0

[HLRecovery]
Enabled=false

[RAW]
CA=false

[RAW Bayer]
Method=amaze

[RAW X-Trans]
Method=3-pass (best)
"""


class PeerFailed(Exception):
    """A peer gave no picture; the message says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A developer that is installed.

    Attributes
    ----------
    name
        As tables and strips say it.
    run
        DNG, scratch folder → linear picture; may be smaller than the mosaic by an even border.
    """

    name: str
    run: Callable[[Path, Path], Image]

    def develop(self, plane: Image, cfa: Cfa) -> Image:
        """A mosaic before white balance ``(H, W)``, white at 1 → white-balanced light ``(H, W, 3)``.

        Raises
        ------
        PeerFailed
            The program ended badly or gave another shape.
        """
        height, width = plane.shape
        rows, cols = (
            reflect(np.arange(-MARGIN, max(side + MARGIN, LEAST)), side, cfa.period[0])
            for side in (height, width)
        )
        padded = plane[rows][:, cols]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mosaic.dng"
            write_cfa_dng(path, _frame(padded, cfa))
            light = self.run(path, Path(folder))
        cut_y, cut_x = ((a - b) // 2 for a, b in zip(padded.shape, light.shape[:2], strict=True))
        if not 0 <= cut_y == cut_x <= MARGIN:
            raise PeerFailed(f"{self.name}: gave {light.shape[:2]} for a mosaic of {padded.shape}")
        y, x = MARGIN - cut_y, MARGIN - cut_x
        return light[y : y + height, x : x + width]


def _frame(plane: Image, cfa: Cfa) -> RawFrame:
    counts = np.clip(np.rint(BLACK + plane * (WHITE - BLACK)), 0, WHITE).astype(np.uint16)
    shot, read = noise_at(100)
    red, green, blue = (float(value) for value in WB[:3])
    return RawFrame(
        mosaic=counts,
        cfa=cfa,
        black=np.full((1, 1), BLACK, np.float32),
        white=(float(WHITE),) * 3,
        wb=(red, green, blue),
        cam_to_xyz=SRGB_TO_XYZ,
        noise=NoiseModel((shot,) * 3, (read,) * 3),
        iso=100.0,
        orientation=1,
        camera="rawfix Synthetic",
        lens="",
    )


def _call(name: str, command: list[str], **environment: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise PeerFailed(f"{name}: {told[-1] if told else f'exit code {done.returncode}'}")


def _libraw(path: Path, folder: Path) -> Image:
    _call("LibRaw", [sys.executable, "-c", _LIBRAW, str(path), str(folder / "out.npy")])
    return np.asarray(np.load(folder / "out.npy") / np.float32(65535), np.float32)


def _rawtherapee(path: Path, folder: Path) -> Image:
    import tifffile

    profile, out = folder / "neutral.pp3", folder / "out.tif"
    profile.write_text(_PROFILE)
    command = [
        "rawtherapee-cli",
        "-q",
        "-Y",
        "-p",
        str(profile),
        "-t",
        "-b16",
        "-o",
        str(out),
        "-c",
        str(path),
    ]
    _call("RawTherapee", command, RT_SETTINGS=str(folder / "settings"), RT_CACHE=str(folder / "cache"))
    if not out.is_file():
        raise PeerFailed("RawTherapee: wrote no picture")
    return decode("srgb", tifffile.imread(out) / np.float32(65535))


def find(cfa: Cfa) -> tuple[list[Peer], list[str]]:
    """The peers that are installed and know this filter array, and those that are absent, each with the reason."""
    if cfa.name not in ("bayer", "xtrans"):
        return [], [f"LibRaw and RawTherapee: neither demosaics {cfa.name}"]
    ahd, amaze = ("AHD", "AMaZE") if cfa.name == "bayer" else ("3-pass", "3-pass")
    peers, absent = [], []
    probe = subprocess.run([sys.executable, "-c", "import rawpy"], capture_output=True)
    if probe.returncode:
        absent.append(f"LibRaw {ahd}: rawpy cannot be imported")
    else:
        peers.append(Peer(f"LibRaw {ahd}", _libraw))
    if shutil.which("rawtherapee-cli") is None:
        absent.append(f"RawTherapee {amaze}: rawtherapee-cli is not installed")
    else:
        peers.append(Peer(f"RawTherapee {amaze}", _rawtherapee))
    return peers, absent
