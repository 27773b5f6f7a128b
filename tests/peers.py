"""Other programs, asked for the same neutral rendering: linear sRGB, as-shot balance, no tone curve."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile

from rawfix.color.transfer import decode
from rawfix.frame import Image

_NEUTRAL = """[Version]
AppVersion=5.9
Version=349
[White Balance]
Enabled=true
Setting=Camera
[Color Management]
InputProfile=(camera)
WorkingProfile=sRGB
OutputProfile=RTv4_sRGB
[Exposure]
Auto=false
ClampOOG=false
"""
SECONDS = 120


def program(name: str) -> str:
    """Path of a program; skips the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def libraw(path: Path, folder: Path) -> Image:
    """LibRaw's rendering; green's multiplier is 1."""
    with rawpy.imread(str(path)) as raw:
        wb = raw.camera_whitebalance
        rendered = raw.postprocess(
            gamma=(1, 1), no_auto_bright=True, output_bps=16, user_flip=0, use_camera_wb=True,
            output_color=rawpy.ColorSpace.sRGB, adjust_maximum_thr=0,
        )  # fmt: skip
    return rendered.astype(np.float32) / 65535 * (min(wb[:3]) / wb[1])


def rawtherapee(path: Path, folder: Path) -> Image:
    """RawTherapee's neutral rendering; its least multiplier is 1."""
    profile, target = folder / "neutral.pp3", folder / "rawtherapee.tif"
    profile.write_text(_NEUTRAL)
    command = ["-o", target, "-p", profile, "-t", "-b16", "-Y", "-c", path]
    _run([program("rawtherapee-cli"), *map(str, command)])
    return decode("srgb", tifffile.imread(target).astype(np.float32) / 65535)


def darktable(path: Path, folder: Path) -> Image:
    """darktable's rendering without a workflow."""
    target = folder / "darktable.tif"
    target.unlink(missing_ok=True)
    options = [
        *("--apply-custom-presets", "false", "--core", "--configdir", folder / "settings", "--library", ":memory:"),
        *("--conf", "plugins/darkroom/workflow=none", "--conf", "plugins/imageio/format/tiff/bpp=16"),
    ]  # fmt: skip
    _run([program("darktable-cli"), *map(str, [path, target, *options])])
    return decode("srgb", tifffile.imread(target).astype(np.float32) / 65535)


def exiftool(path: Path) -> dict[str, object]:
    """Every tag exiftool shows, by ``group:subgroup:name``."""
    command = [program("exiftool"), "-j", "-a", "-G0:1", "-m", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    tags: dict[str, object] = json.loads(done.stdout)[0]
    return tags


READERS = {"libraw": libraw, "rawtherapee": rawtherapee, "darktable": darktable}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-500:]
