"""Components of a camera image, and their weighing by the user's strengths: needs no network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, Place
from rawfix.physics.haze import Haze
from rawfix.physics.lateral_color import LateralColor
from rawfix.settings import Strengths
from rawfix.stages.defringe import fringe_map, reach_of
from rawfix.stages.dehaze import haze_map
from rawfix.stages.restore import Component, Drawn, combine

Half = NDArray[np.float16]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Fringe:
    """Color fringes of a picture.

    Attributes
    ----------
    seen
        Lateral color of the camera image.
    deblurred
        What is left of it when the whole blur map is taken away, which may hold some; `seen` where there is none.
    clip
        Value at which each channel saturates; infinite where none does.
    """

    seen: LateralColor
    deblurred: LateralColor
    clip: Triple

    def at(self, deblur: float) -> LateralColor:
        """What is left at a strength of deblurring."""
        return self.seen.toward(self.deblurred, deblur)


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What was found in a camera image, with what is needed to weigh it.

    Attributes
    ----------
    noise, blur
        ``(H, W, 3)`` float16 residual maps, observed − ideal, linear, white-balanced. None where no network looked
        for them, or blur was not asked for.
    shot, read
        ``(3,)`` float32: the noise model after white balance.
    model
        Id of the network; "" where none looked.
    fringe, haze
        None where there is none, or it was not asked for.
    place
        Where in the picture these maps begin; None: they are all of it.
    """

    noise: Half | None
    blur: Half | None
    shot: Image
    read: Image
    model: str
    fringe: Fringe | None = None
    haze: Haze | None = None
    place: Place | None = None

    def window(self, shape: tuple[int, int], y: int, x: int, height: int, width: int) -> Maps:
        """The maps of a part of a picture of a shape."""
        part = np.s_[y : y + height, x : x + width]
        return replace(
            self,
            noise=None if self.noise is None else self.noise[part],
            blur=None if self.blur is None else self.blur[part],
            place=(self.place or Place(*shape)).window(y, x),
        )

    def realigns(self, strengths: Strengths) -> bool:
        """Whether channels are moved back onto green."""
        if self.fringe is None or not strengths.defringe:
            return False
        return self.fringe.at(0.0 if self.blur is None else strengths.blur) != LateralColor()

    def reach(self, strengths: Strengths) -> int:
        """Pixels around a pixel on which depends what is taken away."""
        if self.fringe is None or not strengths.defringe:
            return 0
        law = self.fringe.at(0.0 if self.blur is None else strengths.blur)
        return reach_of(law.red, law.blue)


def apply_maps(
    camera: Image, maps: Maps, strengths: Strengths, threads: int = 1, *, in_place: bool = False
) -> Image:
    """The camera image with components taken away by strength; `camera` itself where every strength is 0.

    Noise is set aside first; then blur, fringes and haze go, as the light met them: in the opposite order. With
    ``in_place`` nobody else needs `camera`, and it may be written over.
    """
    components = [] if maps.blur is None else [Component("blur", maps.blur, strengths.blur, "signal")]
    whole = maps.place or Place(camera.shape[0], camera.shape[1])
    if (fringe := maps.fringe) is not None and strengths.defringe:
        law = fringe.at(0.0 if maps.blur is None else strengths.blur)
        noise = (maps.shot, maps.read) if maps.noise is None else None

        def draw_fringe(light: Image, y: int) -> Image:
            return fringe_map(light, whole.window(y), law.red, law.blue, fringe.clip, noise)

        drawn = Drawn(draw_fringe, maps.reach(strengths))
        components.append(Component("fringe", drawn, strengths.defringe, "signal"))
    if (haze := maps.haze) is not None and strengths.dehaze:
        drawn = Drawn(lambda light, y: haze_map(light, whole.window(y), haze))
        components.append(Component("haze", drawn, strengths.dehaze, "signal"))
    if maps.noise is not None:
        luma, chroma = strengths.noise
        components.append(Component("noise", maps.noise, luma, "noise", chroma))
    return combine(camera, components, maps.shot, maps.read, threads=threads, in_place=in_place)
