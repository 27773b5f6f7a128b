"""``--denoise auto`` and ``--deblur auto``: strengths from how visible noise is, and from how wide edges are.

*Denoise.* The noise model (the camera's at this ISO, or the one measured) is carried to the display: its standard
deviation at middle gray and in the shadows, after white balance and exposure, in steps of an 8-bit sRGB picture. The
larger one, *n*, is the noise one would see. The strength leaves one such step, a grain that nobody sees but that
keeps surfaces alive: ``denoise = max(0, 1 − 1 / n)``. A full-frame body at ISO 100 comes to 0, at ISO 3200 to 0.6, at
ISO 25600 to 0.9.

*Deblur.* The 10–90 % rise *w* of the sharper strong edges of the demosaiced green channel, in pixels:
0 up to 1.5 pixels, which is as sharp as pixels show, 1 from 3.5 pixels on, straight between. Where no edge stands
out from the noise, 0.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rawfix.frame import Image, NoiseModel
from rawfix.physics.edge_width import edge_width
from rawfix.settings import Strengths

GRAY, SHADOW = 0.18, 0.02
"""Light of the displayed picture at which noise is looked at, linear, white at 1."""
GRAIN = 1.0
"""Noise that is left, in steps of 8 bits."""
SHARP, SOFT = 1.5, 3.5
"""Edge widths in pixels for deblur 0 and 1."""
Triple = tuple[float, float, float]


def visible_noise(noise: NoiseModel, wb: Triple, exposure: float = 0.0) -> float:
    """Standard deviation of the noisier of middle gray and shadows, in steps of an 8-bit sRGB picture.

    Parameters
    ----------
    noise
        Before white balance, white at 1.
    wb
        Multipliers of the channels; channels are averaged by their variance, as luma weighs them.
    exposure
        Stops by which the picture is brightened: the darker the light, the noisier.
    """
    gain = 2.0**exposure
    weights = (0.2126, 0.7152, 0.0722)
    steps = []
    for shown in (GRAY, SHADOW):
        light = shown / gain
        variances = [
            weight**2 * (shot * wb_ * light + read * wb_**2)
            for weight, shot, read, wb_ in zip(weights, noise.shot, noise.read, wb, strict=True)
        ]
        slope = 1.055 / 2.4 * shown ** (1 / 2.4 - 1)  # IEC 61966-2-1, above 0.0031308
        steps.append(math.sqrt(sum(variances)) * gain * slope * 255)
    return float(max(steps))


def denoise_for(visible: float) -> float:
    """The strength that leaves `GRAIN` of so many steps of noise: 0…1, in hundredths."""
    return round(max(0.0, 1 - GRAIN / visible), 2) if visible > 0 else 0.0


def deblur_for(width: float | None) -> float:
    """The strength for edges so many pixels wide, or None: 0…1, in hundredths."""
    return 0.0 if width is None else round(min(max((width - SHARP) / (SOFT - SHARP), 0.0), 1.0), 2)


def decide_strengths(
    strengths: Strengths, camera: Image, noise: NoiseModel, wb: Triple, exposure: float = 0.0
) -> tuple[Strengths, tuple[str, ...]]:
    """Numbers in place of ``auto``, and sentences about them.

    Parameters
    ----------
    strengths
        As asked for; returned as they are where nothing is ``auto``.
    camera
        ``(H, W, 3)`` float32, linear, balanced with ``wb``; not mutated.
    noise
        Before white balance.
    wb, exposure
        Multipliers of the frame, stops asked for.
    """
    notes: list[str] = []
    if strengths.denoise == "auto":
        visible = visible_noise(noise, wb, exposure)
        strengths = replace(strengths, denoise=denoise_for(visible))
        notes.append(f"--denoise auto is {strengths.denoise:g}: noise of {visible:.2g} steps in 255")
    if strengths.deblur == "auto":
        green = np.asarray(camera[..., 1])
        width = edge_width(green, noise.shot[1] * wb[1], noise.read[1] * wb[1] ** 2)
        strengths = replace(strengths, deblur=deblur_for(width))
        found = "no edge stands out" if width is None else f"edges rise in {width:.2g} pixels"
        notes.append(f"--deblur auto is {strengths.deblur:g}: {found}")
    return strengths, tuple(notes)
