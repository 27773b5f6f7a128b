"""Before and after, small and at 100 %: what a report shows of a frame.

*Before* is the same sensor data demosaiced by averaging neighbours, with its noise, blur and bad pixels, and then
rendered like the other; so the two differ by what the networks did and nothing else.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.color.spaces import WORKING, space_named
from rawfix.finish import cut
from rawfix.frame import Image, RawFrame
from rawfix.io.atomic import replacing
from rawfix.io.jpeg import encode_jpeg
from rawfix.settings import Settings
from rawfix.stages.normalize import normalize
from rawfix.stages.orient import orient
from rawfix.stages.render import render
from rawfix.stages.to_working import to_working
from rawfix.stages.white_balance import wb_ratio

THUMBNAIL, CROP = 360, 320
"""Longer side of a thumbnail, about; side of a crop."""
_MARGIN = 8


@dataclass(slots=True, eq=False)
class After:
    """The developed frame as far as a report shows it; in the working space, not yet upright.

    Attributes
    ----------
    small, crop
        ``(H, W, 3)`` float32.
    y, x
        Where the crop begins in the frame.
    step
        Pixels of the frame to one of the thumbnail.
    """

    small: Image
    crop: Image
    y: int
    x: int
    step: int


def look(working: Image) -> After:
    """Take thumbnail and crop of the ``working`` stage; the crop where there is most to see."""
    height, width = working.shape[:2]
    step = max(1, max(height, width) // THUMBNAIL)
    small = shrink(working, step)
    busy = np.abs(np.diff(np.clip(small.mean(2), 0, 1), axis=1))
    cells = max(1, min(CROP // step, *small.shape[:2]))
    total = np.pad(busy, ((1, 0), (1, 1))).cumsum(0).cumsum(1)
    inside = total[cells:, cells:] - total[:-cells, cells:] - total[cells:, :-cells] + total[:-cells, :-cells]
    top, left = np.unravel_index(int(np.argmax(inside)), inside.shape)
    y, x = (min(int(start) * step, max(size - CROP, 0)) for start, size in ((top, height), (left, width)))
    return After(small, working[y : y + CROP, x : x + CROP].copy(), y, x, step)


def shrink(image: Image, step: int) -> Image:
    """Means over blocks of ``step`` pixels; what is left at the far borders is dropped."""
    height, width = (max(1, size // step) for size in image.shape[:2])
    step_y, step_x = min(step, image.shape[0]), min(step, image.shape[1])
    blocks = image[: height * step_y, : width * step_x].reshape(height, step_y, width, step_x, -1)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def pictures(
    frame: RawFrame, after: After, settings: Settings, wb: tuple[float, float, float]
) -> dict[str, str]:
    """The pictures as data URIs: ``small_before, small_after, crop_before, crop_after``.

    Where pixels are not square, only what was developed is shown.
    """
    made = {"small_after": after.small, "crop_after": after.crop}
    if frame.pixel_aspect == 1:
        light = normalize(frame)
        y, x = after.y, after.x
        height, width = after.crop.shape[:2]
        part = np.s_[max(0, y - _MARGIN) : y + height + _MARGIN, max(0, x - _MARGIN) : x + width + _MARGIN]
        top, left = y - part[0].start, x - part[1].start
        cfa = frame.cfa.shift(part[0].start, part[1].start) if frame.cfa is not None else None
        crop = average(light[part], cfa, 1)[top : top + height, left : left + width]
        ratio = np.asarray(wb_ratio(wb, frame.wb), np.float32)
        small = average(light, frame.cfa, after.step)
        for name, camera in (("small_before", small), ("crop_before", crop)):
            camera = cut(camera * ratio, wb)
            made[name] = (
                camera
                if settings.space == "camera"
                else to_working(camera, frame.cam_to_xyz, exposure=settings.exposure)
            )
    tone = "none" if settings.space == "camera" else settings.tone
    space = WORKING if settings.space == "camera" else space_named("srgb")
    found = {}
    for name, image in made.items():
        display = render(orient(image, frame.orientation), space, tone, False, 8)
        encoded = encode_jpeg(np.ascontiguousarray(display, np.uint8), 85)
        found[name] = "data:image/jpeg;base64," + base64.b64encode(encoded).decode("ascii")
    return found


def average(light: Image, cfa: Cfa | None, step: int) -> Image:
    """Demosaic by averages: over blocks of ``step`` pixels, or, where that is 1, over the neighbourhood.

    Parameters
    ----------
    light
        ``(H, W)`` mosaic, white-balanced, or ``(H, W, 3)``.
    cfa
        Phased to its first pixel; None for full color.
    step
        Side of a block.

    Returns
    -------
    Image
        ``(H // step, W // step, 3)``.
    """
    if light.ndim == 3 or cfa is None:
        return shrink(light, step)
    if cfa.name == "mono":
        return np.repeat(shrink(light[..., None], step), 3, 2)
    index = cfa.channels((light.shape[0], light.shape[1]))
    planes = []
    for channel in range(3):
        mask = (index == channel).astype(np.float32)
        values, weights = light * mask, mask
        if step >= 2 * max(cfa.period):
            values, weights = (
                shrink(values[..., None], step)[..., 0],
                shrink(weights[..., None], step)[..., 0],
            )
        else:
            reach = max(2, max(cfa.period))
            values, weights = _blur(values, reach), _blur(weights, reach)
            if step > 1:
                values, weights = (shrink(plane[..., None], step)[..., 0] for plane in (values, weights))
        planes.append(values / np.maximum(weights, np.float32(1e-6)))
    return np.stack(planes, -1).astype(np.float32)


def _blur(plane: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """A triangle over ``2 · reach − 1`` pixels along both axes, zeros beyond the borders."""
    for axis in (0, 1):
        padded = np.pad(plane, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)])
        total = np.zeros_like(plane)
        for offset in range(1 - reach, reach):
            weight = np.float32(1 - abs(offset) / reach)
            total += weight * np.take(padded, range(reach + offset, reach + offset + plane.shape[axis]), axis)
        plane = total
    return plane


def fragment_path(folder: Path, target: Path) -> Path:
    """Where a target's part of a report waits for the others."""
    from rawfix.batch.identity import digest

    return folder / f"{digest(str(target.absolute()))[:24]}.json"


def save_fragment(folder: Path, target: Path, facts: dict[str, Any]) -> None:
    """Put a part of a report aside, whole or not at all; raises `OutputError`."""
    path = fragment_path(folder, target)
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(facts), encoding="ascii")
