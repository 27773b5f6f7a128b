"""Draw the test chart, expose it on a made-up camera, and write ``chart.dng`` beside this script.

    python examples/make_chart.py [--output FILE] [--truth FILE] [--defects FILE]

The scene is linear light from formulas alone, so what a camera should have seen is known exactly; the
defects are planted, so where they are is known too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from chart.layout import render_scene
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.color.transfer import encode
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.io.dng import DngExif, write_cfa_dng
from rawfix.io.png import write_png
from rawfix.physics.defects import Defects
from rawfix.physics.noise import Structure
from rawfix.physics.psf import blur, gaussian
from rawfix.physics.sensor import SRGB_TO_XYZ, Sensor, expose

CAMERA_TO_SRGB = np.array([[1.72, -0.58, -0.14], [-0.21, 1.56, -0.35], [0.03, -0.49, 1.46]])
"""White-balanced camera → linear sRGB: the crosstalk of an ordinary camera; rows sum to 1."""

FULL_WELL, READ_NOISE, ISO = 60_000.0, 3.0, 400.0
"""Electrons at base speed (ISO 100); electrons; four times the gain leaves a quarter of the well."""

LENS_SIGMA = 0.45
_SEED = 2


def camera_light(scene: Image) -> Image:
    """Linear sRGB scene → white-balanced camera light behind a slightly soft lens, float32."""
    camera = np.asarray(scene @ np.linalg.inv(CAMERA_TO_SRGB).T.astype(np.float32), np.float32)
    return blur(camera, (gaussian(LENS_SIGMA),) * 3)


def chart_sensor() -> Sensor:
    """The camera: RGGB, 14 bits over a black of 512, ISO 400, one bad pixel in a thousand."""
    white_electrons = FULL_WELL * 100 / ISO
    shot, read = 1 / white_electrons, (READ_NOISE / white_electrons) ** 2
    return Sensor(
        cfa=Cfa.from_rows("RG", "GB"),
        black=512,
        white=16383,
        wb=(2.05, 1.0, 1.55),
        noise_model=NoiseModel((shot,) * 3, (read,) * 3),
        structure=Structure(row=1 / white_electrons),
        defects=Defects(probability=1e-3, clusters=8.0, lines=1.0, blocks=0.0),
        cam_to_xyz=SRGB_TO_XYZ @ CAMERA_TO_SRGB,
        iso=ISO,
        name="rawfix Chart",
    )


def expose_chart() -> tuple[RawFrame, NDArray[np.bool_]]:
    """The chart as the camera recorded it, and the truth of its defects; the same at every call.

    The seed is one whose defects hold a single line: part of a column.
    """
    return expose(camera_light(render_scene()), chart_sensor(), np.random.default_rng(_SEED))


def to_display(scene: Image) -> NDArray[np.uint8]:
    """8-bit sRGB of a linear scene, clipped at white."""
    return np.rint(encode("srgb", np.clip(scene, 0, 1)) * 255).astype(np.uint8)


def main() -> None:
    """Parse, draw, write."""
    parser = argparse.ArgumentParser(description="Draw the test chart and write it as a DNG.")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_name("chart.dng"), metavar="FILE", help="the DNG"
    )
    parser.add_argument("--truth", type=Path, metavar="FILE", help="also write the scene, an 8-bit sRGB PNG")
    parser.add_argument("--defects", type=Path, metavar="FILE", help="also write the planted defects, a PNG")
    arguments = parser.parse_args()
    frame, bad = expose_chart()
    write_cfa_dng(arguments.output, frame, DngExif(make="rawfix", model="rawfix Chart"), overwrite=True)
    if arguments.truth:
        write_png(arguments.truth, to_display(render_scene()), icc=None, overwrite=True)
    if arguments.defects:
        marks = np.repeat(bad[..., None] * np.uint8(255), 3, axis=2)
        write_png(arguments.defects, marks, icc=None, overwrite=True)


if __name__ == "__main__":
    main()
