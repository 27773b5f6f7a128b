"""Residual maps of a camera image, and their weighing by the user's strengths: needs no network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.settings import Strengths
from rawfix.stages.restore import Component, combine

Half = NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What a network found in a camera image, with what is needed to weigh it.

    Attributes
    ----------
    noise, blur
        ``(H, W, 3)`` float16 residual maps, observed − ideal, linear, white-balanced. ``blur`` is None where it
        was not asked for.
    shot, read
        ``(3,)`` float32: the noise model after white balance.
    model
        Id of the network.
    """

    noise: Half
    blur: Half | None
    shot: Image
    read: Image
    model: str


def apply_maps(camera: Image, maps: Maps, strengths: Strengths, threads: int = 1) -> Image:
    """The camera image with maps taken away by strength; `camera` itself where every strength is 0."""
    components = [] if maps.blur is None else [Component("blur", maps.blur, strengths.blur, "signal")]
    luma, chroma = strengths.noise
    components.append(Component("noise", maps.noise, luma, "noise", chroma))
    return combine(camera, components, maps.shot, maps.read, threads=threads)
