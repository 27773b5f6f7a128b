"""From camera light to the finished picture: everything after the networks, and nothing that needs one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rawfix.color.spaces import WORKING, space_named
from rawfix.color.transfer import Display
from rawfix.frame import Image, RawFrame
from rawfix.io.ocio import open_view
from rawfix.io.writers import check_format
from rawfix.lens import Correction, check_lens_correction
from rawfix.nn.threads import thread_share
from rawfix.settings import Settings, Strengths
from rawfix.stages.highlights import rebuild_highlights
from rawfix.stages.infrared import crosstalk_matrix
from rawfix.stages.orient import orient, square_pixels
from rawfix.stages.render import render
from rawfix.stages.to_working import to_working
from rawfix.stages.white_balance import wb_multipliers, wb_ratio

Watch = Callable[[str, Image], None]
"""Called with the name and the image of each stage that was reached; the next stage may write over the image."""


@dataclass(frozen=True, slots=True, eq=False)
class Developed:
    """A finished picture and what was learnt on the way.

    Attributes
    ----------
    display
        ``(H, W, 3)`` uint8, uint16 or float32, upright, in the settings' space.
    bad
        ``(H, W)`` bool on the sensor's grid: samples replaced; None where none was looked for, nor known.
    wb
        Multipliers that were used.
    models
        Ids of the networks that ran.
    notes
        Sentences about what had to be assumed.
    strengths
        What was taken away, as numbers.
    lens
        The correction of the lens that was applied, in words; "" for none.
    """

    display: Display
    bad: NDArray[np.bool_] | None
    wb: tuple[float, float, float]
    models: tuple[str, ...]
    notes: tuple[str, ...] = ()
    strengths: Strengths = field(default_factory=Strengths)
    lens: str = ""


def check_look(settings: Settings) -> None:
    """Refuse, before a file is read, what cannot be rendered or written; raises `SettingsError`."""
    check_format(settings.format)
    if settings.ocio:
        open_view(settings.ocio, settings.ocio_display, settings.ocio_view)
    crosstalk_matrix(settings.ir_crosstalk)
    check_lens_correction(settings)
    if settings.wb != "auto":
        wb_multipliers(settings.wb, (1.0, 1.0, 1.0), np.eye(3))


def xyz_to_native(frame: RawFrame) -> NDArray[np.float64] | None:
    """XYZ → unbalanced camera, at any scale; None where the daylight balance is unknown."""
    if frame.daylight_wb is None:
        return None
    return np.asarray(np.linalg.inv(frame.cam_to_xyz) / np.asarray(frame.daylight_wb)[:, None])


def choose_wb(
    frame: RawFrame, settings: Settings, camera: Image
) -> tuple[tuple[float, float, float], tuple[str, ...]]:
    """The multipliers asked for, green = 1, and what had to be assumed for them."""
    if frame.cfa is not None and frame.cfa.name == "mono":
        return frame.wb, () if settings.wb == "as-shot" else ("monochrome: --wb has nothing to balance",)
    chosen = wb_multipliers(settings.wb, frame.wb, frame.cam_to_xyz, camera, xyz_to_native(frame))
    guessed = (
        frame.daylight_wb is None and settings.wb not in ("as-shot", "auto") and settings.wb.count(",") < 2
    )
    note = (
        f"the camera's daylight balance is unknown: --wb {settings.wb} takes the as-shot light for daylight"
    )
    return chosen, (note,) if guessed else ()


def cut(camera: Image, clip: tuple[float, float, float]) -> Image:
    """Cut every channel where the first one saturates, in place, so that what blew is neutral."""
    return np.minimum(camera, np.float32(min(clip)), out=camera)


def finish(
    camera: Image,
    frame: RawFrame,
    settings: Settings,
    watch: Watch | None = None,
    *,
    bad: NDArray[np.bool_] | None = None,
    models: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    lens: Correction | None = None,
) -> Developed:
    """White balance, highlights, lens, color, tone and depth.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32 as the sensor lay, linear, balanced with the frame's ``wb``, signed; written over.
    frame
        Of its mosaic, only the type matters: floating-point files do not saturate.
    settings
        What the user asked for; its strengths are those that `camera` has seen, as numbers.
    watch
        Called with each stage's result: ``camera``, ``working``.
    bad, models, notes
        What was learnt before, for the result.
    lens
        What to undo of the lens. It comes after highlights, which are known by the level at which the sensor clipped.

    Raises
    ------
    SettingsError
        See `check_look`.
    """
    if watch:
        watch("camera", camera)
    camera = square_pixels(camera, frame.pixel_aspect)
    chosen, said = choose_wb(frame, settings, camera)
    notes += said
    if settings.ir_crosstalk and not (frame.cfa is not None and frame.cfa.has_infrared):
        notes += ("--ir-crosstalk: the sensor measures no infrared, nothing was taken away",)
    if (ratio := wb_ratio(chosen, frame.wb)) != (1.0, 1.0, 1.0):
        for channel, gain in enumerate(ratio):
            camera[..., channel] *= np.float32(gain)
    if frame.mosaic.dtype == np.uint16:  # floating-point files do not saturate
        if settings.highlights == "rebuild":
            camera = rebuild_highlights(camera, frame.clip(chosen), in_place=True)
        else:
            camera = cut(camera, frame.clip(chosen))
    threads = thread_share(settings.threads or None)
    if lens is not None:
        camera = lens.apply(camera, threads)
    tone: str = settings.tone
    if settings.space == "camera":
        working, space, tone = camera, WORKING, "none"
        working *= np.float32(2.0**settings.exposure)
    else:
        working = to_working(camera, frame.cam_to_xyz, exposure=settings.exposure, in_place=True)
        space = space_named(settings.space)
    del camera
    if watch:
        watch("working", working)
    view = None
    if settings.ocio:
        view, name = open_view(settings.ocio, settings.ocio_display, settings.ocio_view)
        space, tone = space_named("aces2065-1"), "none"
        notes += (f"no color profile is embedded: the values are for OpenColorIO's {name}",)
    upright = orient(working, frame.orientation)
    display = render(upright, space, tone, settings.linear, settings.render_bits, threads, view)
    text = "" if lens is None else lens.text
    return Developed(display, bad, chosen, models, notes, settings.strengths, text)
