"""Figures of a demosaiced picture beside its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix import metrics
from rawfix.cfa import Cfa
from rawfix.frame import Image
from rawfix.physics.defects import Defects, plant
from rawfix.training.evaluation.protocol import (
    BORDER,
    Photo,
    expose,
    generator,
    inside,
    shown,
    to_lab,
    to_light,
)
from rawfix.training.evaluation.texture import texture_kept
from rawfix.training.evaluation.whole import Demosaicer

DENSITY = 1e-3
"""Share of defective samples in the defect figures."""
FALSE_COLOR = 10.0
"""Error of (a*, b*) from which a color counts as false."""


def compare(photo: Photo, truth: Photo) -> dict[str, float]:
    """How far an 8-bit sRGB picture is from its truth; both ``(H, W, 3)``, the border is cut here.

    CPSNR and that of each channel in dB, SSIM (7×7), mean CIEDE2000, percent of pixels that zip (Lu and Tan), percent
    whose (a*, b*) is off by more than `FALSE_COLOR`, texture kept.
    """
    image, reference = inside(photo), inside(truth)
    lab, wanted = to_lab(image), to_lab(reference)
    figures = {"cpsnr": metrics.cpsnr(image, reference, linear=False)}
    for channel, name in enumerate(("red", "green", "blue")):
        figures[f"psnr_{name}"] = metrics.psnr(image[..., channel], reference[..., channel], peak=255.0)
    return figures | {
        "ssim": metrics.ssim(image, reference, peak=255.0, window="uniform"),
        "delta_e_2000": float(metrics.delta_e_2000(lab, wanted).mean()),
        "zipper_percent": 100 * metrics.zipper_ratio(lab, wanted),
        "false_color_percent": 100 * metrics.false_color_ratio(lab, wanted, threshold=FALSE_COLOR),
        "texture_kept": texture_kept(image, reference),
    }


def planted(plane: Image, name: str) -> tuple[Image, NDArray[np.bool_]]:
    """The mosaic with single defects, `DENSITY` of it, and where they are; the same for every method."""
    return plant(plane, Defects(DENSITY), generator(name, "defects"))


def with_defects(photo: Photo, truth: Photo, bad: NDArray[np.bool_]) -> dict[str, float]:
    """CPSNR of a picture developed from a defective mosaic: as a whole, and in 5×5 around each defect."""
    return {
        "cpsnr_defects": metrics.cpsnr(photo, truth, linear=False, border=BORDER),
        "near_defects": metrics.near_psnr(photo, truth, bad, peak=255.0, border=BORDER),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """What a method made of one scene: of its clean mosaic, and of the defective one."""

    clean: Photo
    repaired: Photo


def measure(network: Demosaicer, name: str, truth: Photo) -> tuple[dict[str, float], Shots, int]:
    """All figures of one picture, the pictures that came out, and the false alarms on its clean mosaic."""
    plane = expose(to_light(truth), network.cfa)
    camera, found = network(plane)
    defective, bad = planted(plane, name)
    repaired, _ = network(defective)
    shots = Shots(shown(camera), shown(repaired))
    figures = compare(shots.clean, truth) | with_defects(shots.repaired, truth, bad)
    if camera.shape[2] > 3:
        figures["psnr_infrared"] = infrared_psnr(camera, to_light(truth))
    return figures, shots, int(found.sum())


def infrared_psnr(camera: Image, light: Image) -> float:
    """PSNR of the fourth channel in linear light, dB."""
    return metrics.psnr(camera[..., 3], light.mean(2), border=BORDER)


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the pictures that have it; an infinite one (a perfect picture) is left out."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: np.array([row[name] for row in rows if name in row]) for name in names}
    return {name: float(c[np.isfinite(c)].mean()) for name, c in columns.items() if np.isfinite(c).any()}


def native(cfa: Cfa, photo: Photo) -> Photo:
    """The picture cut to whole units of the filter array."""
    period_y, period_x = cfa.period
    height, width = photo.shape[:2]
    return photo[: height - height % period_y, : width - width % period_x]
