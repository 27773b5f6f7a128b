"""The way of the light up to where a digital negative ends: before balance, color and tone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.color.spaces import space_named
from rawfix.errors import UnsupportedRawError
from rawfix.finish import Watch, choose_wb
from rawfix.frame import Image, RawFrame
from rawfix.lens import Correction, find_correction
from rawfix.nn.threads import thread_share
from rawfix.pipeline import Found, Progress, check_settings, enlarged
from rawfix.settings import Settings, Strengths
from rawfix.stages.highlights import rebuild_highlights
from rawfix.stages.normalize import normalize
from rawfix.stages.orient import square_pixels
from rawfix.stages.remosaic import remosaic
from rawfix.stages.render import render
from rawfix.stages.to_working import to_working
from rawfix.stages.white_balance import wb_ratio

PREVIEW_SIDE = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Negative:
    """What a DNG holds, and what was learnt on the way.

    Attributes
    ----------
    samples
        ``(H, W)`` uint16: the frame's own counts, restored; or ``(H, W, C)`` float32 light before white
        balance, black at 0, signed, the sensor's white at 1, C = 1 (monochrome) or 3, with square pixels. As
        the sensor lay.
    preview
        ``(h, w, 3)`` uint8 sRGB of the standard rendering, as the sensor lay, at most 1024 pixels a side.
    frame
        What was developed: its levels, filter array, color and noise are those of the samples.
    bad, wb, models, notes, strengths, lens
        As in `rawfix.pipeline.Developed`.
    replaced
        Numbers of the source's opcodes that must not be applied to the samples again.
    """

    samples: NDArray[Any]
    preview: NDArray[np.uint8]
    frame: RawFrame
    bad: NDArray[np.bool_] | None
    wb: tuple[float, float, float]
    models: tuple[str, ...]
    notes: tuple[str, ...] = ()
    strengths: Strengths = field(default_factory=Strengths)
    lens: str = ""
    replaced: frozenset[int] = frozenset()


def develop_negative(
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
    watch: Watch | None = None,
    keep: Callable[[Found], None] | None = None,
) -> Negative:
    """Restore one frame and stop before anything is decided that a RAW developer decides.

    For ``dng-cfa``, and wherever highlights are to clip, they stay as the sensor recorded them, each channel
    at its own white. For ``dng`` they are rebuilt, and rise above the sensor's white.

    Parameters
    ----------
    frame, settings, progress, watch, keep
        As for `rawfix.pipeline.develop`; the settings' format is ``dng`` or ``dng-cfa``.

    Raises
    ------
    UnsupportedRawError
        Also where ``dng-cfa`` is asked for a frame that holds no mosaic of red, green and blue.
    SettingsError, ModelError
        See there.
    """
    check_settings(settings)
    as_mosaic = settings.format == "dng-cfa"
    if as_mosaic and frame.cfa is None:
        raise UnsupportedRawError("is demosaiced already, dng-cfa needs a mosaic; use --format dng")
    if as_mosaic and frame.cfa is not None and frame.cfa.has_infrared:
        raise UnsupportedRawError("dng-cfa holds no infrared, which this mosaic measures; use --format dng")
    lens, said = find_correction(frame, settings, (frame.mosaic.shape[0], frame.mosaic.shape[1]))
    found = enlarged(frame, settings, progress, keep)
    lens = lens.without_lateral_color() if lens is not None and found.realigned else lens
    camera, bad, models = found.camera, found.bad, found.models
    if watch:
        watch("camera", camera)
    chosen, notes = choose_wb(frame, settings, camera)
    notes = (*found.notes, *said, *notes)
    look = render_preview(camera, frame, settings, chosen, lens)
    samples: NDArray[Any]
    if as_mosaic:
        samples = remosaic(camera, normalize(frame), frame)
        return Negative(samples, look, frame, bad, chosen, models, notes, found.strengths)
    # Readers do not stretch a LinearRaw picture whose DefaultScale says so (darktable 4.2, RawTherapee 5.9).
    camera = square_pixels(_mended(camera, frame, settings, chosen), frame.pixel_aspect)
    if lens is not None:
        camera = lens.apply(camera, thread_share(settings.threads or None))
    samples = to_native(camera, frame, settings, chosen)
    text, replaced = ("", frozenset[int]()) if lens is None else (lens.text, lens.replaces)
    return Negative(samples, look, frame, bad, chosen, models, notes, found.strengths, text, replaced)


def _mended(camera: Image, frame: RawFrame, settings: Settings, wb: tuple[float, float, float]) -> Image:
    """With highlights as the settings ask, in place, and then balanced with ``wb``."""
    is_mono = frame.cfa is not None and frame.cfa.name == "mono"
    return camera if is_mono or settings.highlights == "clip" else _mend(camera, frame, wb)


def to_native(camera: Image, frame: RawFrame, settings: Settings, wb: tuple[float, float, float]) -> Image:
    """Undo the white balance, in place; ``(H, W, C)``, C = 1 for monochrome sensors."""
    if frame.cfa is not None and frame.cfa.name == "mono":
        return camera[..., :1]
    balance = wb if settings.highlights == "rebuild" else frame.wb
    for channel, gain in enumerate(balance):
        camera[..., channel] /= np.float32(gain)
    return camera


def render_preview(
    camera: Image,
    frame: RawFrame,
    settings: Settings,
    wb: tuple[float, float, float],
    lens: Correction | None = None,
) -> NDArray[np.uint8]:
    """The standard rendering, reduced by a whole factor, not turned."""
    factor = -(-max(camera.shape[:2]) // PREVIEW_SIDE)
    small = square_pixels(reduce(camera, factor), frame.pixel_aspect)
    small = small.copy() if small is camera else small
    small = _mend(small, frame, wb)
    if lens is not None:
        small = lens.apply(small)
    working = to_working(small, frame.cam_to_xyz, exposure=settings.exposure)
    return np.asarray(render(working, space_named("srgb"), "standard", linear=False, bits=8), np.uint8)


def reduce(image: Image, factor: int) -> Image:
    """Means of ``factor × factor`` pixels; rows and columns beyond the last whole block are left out."""
    if factor == 1:
        return image
    height, width = (max(1, side // factor) for side in image.shape[:2])
    rows = [
        image[y * factor : (y + 1) * factor, : width * factor].reshape(-1, width, factor, image.shape[2])
        for y in range(height)
    ]
    return np.stack([block.mean((0, 2), dtype=np.float32) for block in rows])


def _mend(camera: Image, frame: RawFrame, wb: tuple[float, float, float]) -> Image:
    """Balance with ``wb`` instead of the frame's own, and rebuild what clipped; in place."""
    if (ratio := wb_ratio(wb, frame.wb)) != (1.0, 1.0, 1.0):
        for channel, gain in enumerate(ratio):
            camera[..., channel] *= np.float32(gain)
    # Floating-point files do not saturate.
    return (
        rebuild_highlights(camera, frame.clip(wb), in_place=True)
        if frame.mosaic.dtype == np.uint16
        else camera
    )
