"""The pictures of the README, from the example: ``python scripts/make_pictures.py`` (needs the package installed)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from rawfix.frame import NoiseModel, RawFrame
from rawfix.io.raw import read_raw
from rawfix.physics.psf import blur, gaussian
from rawfix.physics.sensor import expose
from rawfix.pipeline import develop
from rawfix.settings import Settings, Strengths

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "examples"))

from chart.layout import render_scene  # noqa: E402
from make_chart import camera_light, chart_sensor  # noqa: E402

CHART = ROOT / "examples" / "chart.dng"
DOCS = ROOT / "docs"
CROPS = ((1020, 480, 300, 200), (800, 960, 300, 200), (130, 840, 300, 200))
"""Top, left, width, height of the parts shown at 200 %."""
STRENGTH_CROPS = ((560, 60, 200, 270), (930, 60, 200, 270))
"""The parts shown at several strengths."""
STRENGTHS = (
    ("as it is", Strengths()),
    ("--denoise 0.8", Strengths(denoise=0.8)),
    ("--denoise 0.8 --deblur 0.8", Strengths(denoise=0.8, deblur=0.8)),
)
UPSCALE_CROPS = ((800, 960, 200, 135), (560, 60, 200, 135))
"""The parts shown at twice the size."""
DETAILS = (("--upscale 2", 0.0), ("--upscale 2 --detail 1", 1.0))
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("default", {}),
    ("--exposure 1.5", {"exposure": 1.5}),
    ("--tone none", {"tone": "none"}),
    ("--highlights clip --exposure -1", {"highlights": "clip", "exposure": -1.0}),
    ("--exposure -1", {"exposure": -1.0}),
    ("--wb 3200", {"wb": "3200"}),
    ("--wb 9000", {"wb": "9000"}),
    ("--wb auto", {"wb": "auto"}),
    ("--space camera", {"space": "camera"}),
)


def in_the_dark() -> RawFrame:
    """The chart's scene out of focus (Gaussian, 0.9 px) at ISO 6400, without defects."""
    full_well = 60_000 / 64
    noise_model = NoiseModel((1 / full_well,) * 3, ((3 / full_well) ** 2,) * 3)
    sensor = replace(chart_sensor(), noise_model=noise_model, defects=None, iso=6400.0)
    light = blur(camera_light(render_scene()), (gaussian(0.9),) * 3)
    return expose(light, sensor, np.random.default_rng(1))[0]


def by_libraw() -> np.ndarray:
    """LibRaw's AHD with the same balance and exposure, 8-bit sRGB."""
    with rawpy.imread(str(CHART)) as raw:
        rendered: np.ndarray = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, gamma=(2.4, 12.92), output_bps=8, adjust_maximum_thr=0
        )
    return rendered


def enlarged(image: np.ndarray, crop: tuple[int, int, int, int], times: int = 2) -> np.ndarray:
    """A part of an image, every pixel a square."""
    top, left, width, height = crop
    return image[top : top + height, left : left + width].repeat(times, 0).repeat(times, 1)


def labelled(image: np.ndarray, text: str) -> Picture.Image:
    """The image over a line of text."""
    canvas = Picture.new("RGB", (image.shape[1], image.shape[0] + 24), "white")
    canvas.paste(Picture.fromarray(image))
    ImageDraw.Draw(canvas).text((4, image.shape[0] + 4), text, "black", ImageFont.load_default(15))
    return canvas


def grid(pictures: list[Picture.Image], columns: int, gap: int = 6) -> Picture.Image:
    """Pictures of one size in rows."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    sheet = Picture.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * (width + gap), index // columns * (height + gap)))
    return sheet


def main() -> None:
    """Write ``chart.jpg``, ``defects.png``, ``strengths.png``, ``upscale.png`` and ``sheet.jpg`` in ``docs``."""
    DOCS.mkdir(exist_ok=True)
    frame = read_raw(CHART)
    settings = Settings(format="jpeg", bits=8)
    developed = np.asarray(develop(frame, settings).display)
    Picture.fromarray(developed).resize((1176, 782), Picture.Resampling.LANCZOS).save(
        DOCS / "chart.jpg", quality=90
    )

    before, after = by_libraw(), np.asarray(develop(frame, replace(settings, tone="none")).display)
    rows = [
        np.concatenate((enlarged(before, c), np.full((400, 6, 3), 255, np.uint8), enlarged(after, c)), 1)
        for c in CROPS
    ]
    Picture.fromarray(np.concatenate(rows)).save(DOCS / "defects.png", optimize=True)

    dark = in_the_dark()
    shown = []
    for name, strengths in STRENGTHS:
        image = np.asarray(develop(dark, replace(settings, strengths=strengths)).display)
        shown.append(labelled(np.concatenate([enlarged(image, c) for c in STRENGTH_CROPS]), name))
    grid(shown, len(shown)).save(DOCS / "strengths.png", optimize=True)

    plain = Picture.fromarray(developed)
    wide = plain.resize((2 * plain.width, 2 * plain.height), Picture.Resampling.LANCZOS)
    large = [("Lanczos", np.asarray(wide))]
    for name, detail in DETAILS:
        large.append((name, np.asarray(develop(frame, replace(settings, upscale=2, detail=detail)).display)))
    crops = [
        np.s_[2 * top : 2 * (top + height), 2 * left : 2 * (left + width)]
        for top, left, width, height in UPSCALE_CROPS
    ]
    shown = [labelled(np.concatenate([image[crop] for crop in crops]), name) for name, image in large]
    grid(shown, len(shown)).save(DOCS / "upscale.png", optimize=True)

    tiles = []
    for name, change in VARIANTS:
        image = Picture.fromarray(np.asarray(develop(frame, replace(settings, **change)).display))
        small = np.asarray(image.resize((392, 261), Picture.Resampling.LANCZOS))
        tiles.append(labelled(small, name))
    grid(tiles, 3).save(DOCS / "sheet.jpg", quality=88)


if __name__ == "__main__":
    main()
