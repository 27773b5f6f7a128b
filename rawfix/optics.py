"""Fringes and haze of a camera image, estimated from the picture itself: no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rawfix.frame import Image, RawFrame
from rawfix.maps import Fringe, Half, Maps
from rawfix.physics.haze import estimate_haze
from rawfix.physics.lateral_color import LateralColor, estimate_lateral_color
from rawfix.settings import Strengths


def with_optics(
    maps: Maps, camera: Image, frame: RawFrame, strengths: Strengths, *, every: bool = False
) -> Maps:
    """Maps with fringes and haze, as far as strengths ask for them.

    Parameters
    ----------
    maps
        Noise, where it is known, is left out of what is looked at; fringes are looked for with and without blur.
    camera
        ``(H, W, 3)`` float32, balanced with the frame's ``wb``.
    frame
        Its multipliers tell where channels clip.
    strengths
        What is wanted; a component of strength 0 is not looked for.
    every
        Look for both.
    """
    clip = frame.clip()
    shape = (camera.shape[0], camera.shape[1])
    is_mono = frame.cfa is not None and frame.cfa.name == "mono"
    if (every or strengths.defringe) and not is_mono:
        seen = estimate_lateral_color(_rows(camera, maps.noise), shape, clip)
        left = seen
        if maps.blur is not None:
            left = estimate_lateral_color(_rows(camera, maps.noise, maps.blur), shape, clip)
        maps = replace(maps, fringe=Fringe(seen, left, clip))
    if every or strengths.dehaze:
        maps = replace(maps, haze=estimate_haze(_rows(camera, maps.noise), shape, clip))
    return maps


def tell_optics(maps: Maps, strengths: Strengths) -> tuple[str, ...]:
    """Sentences about the fringes and the haze that strengths ask for."""
    notes: list[str] = []
    if strengths.defringe:
        fringe = maps.fringe
        told = "monochrome, there are no color fringes" if fringe is None else _spoken(fringe.seen)
        notes.append(f"--defringe: {told}")
    if strengths.dehaze and maps.haze is None:
        notes.append("--dehaze: no haze was found, nothing was taken away")
    elif strengths.dehaze and maps.noise is None:
        notes.append("--dehaze: no network tells the noise, which grows with what haze hid")
    return tuple(notes)


def _rows(camera: Image, *maps: Half | None) -> Callable[[int, int], Image]:
    def rows(start: int, end: int) -> Image:
        light = camera[start:end].copy()
        for each in maps:
            if each is not None:
                light -= each[start:end]
        return light

    return rows


def _spoken(found: LateralColor) -> str:
    corners = {name: sum(law) for name, law in (("red", found.red), ("blue", found.blue)) if any(law)}
    if not corners:
        return "no lateral color was found; only purple around blown light is taken away"
    shifts = " and ".join(f"{name} by {shift:+.2f} px" for name, shift in corners.items())
    return f"lateral color shifts {shifts} in the corners"
