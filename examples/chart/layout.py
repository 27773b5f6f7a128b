"""The whole scene: panels on a gray card, each with its caption."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chart.lettering import text
from chart.light import gradients, patches, spheres, window
from chart.materials import deep_shadow, fabric, foliage
from chart.paint import color, write
from chart.resolution import siemens_star, slanted_edges, wires, zone_plate
from rawfix.frame import Image

HEIGHT, WIDTH = 1304, 1960
_CARD, _CAPTION = "#757575", "#efefef"
_MARGIN, _GUTTER, _PANEL = 40, 24, 340
_TOP, _PITCH = 122, 388
_SEED = 20240607

Painter = Callable[[int, int, np.random.Generator], Image]

_ROWS: tuple[tuple[tuple[Painter, int, str], ...], ...] = (
    (
        (slanted_edges, 340, "Slanted edges, 5° and 85°"),
        (siemens_star, 340, "Siemens star, 72 spokes"),
        (zone_plate, 340, "Zone plate, to Nyquist"),
        (patches, 788, "Natural, muted and saturated colors; grays"),
    ),
    (
        (foliage, 500, "Leaves and twigs"),
        (fabric, 420, "Tartan and shirting"),
        (spheres, 560, "Highlights, to 8 times white"),
        (window, 328, "Blown window, 6 times white"),
    ),
    (
        (text, 620, "Lettering, 30 to 6.5 pixels"),
        (wires, 400, "Wires and hairs, from 1/4 pixel"),
        (gradients, 420, "Smooth gradients"),
        (deep_shadow, 368, "Deep shadow, to 1/1000 of white"),
    ),
)
"""Painter, width and caption of each panel, for a scene of `HEIGHT` × `WIDTH`."""


def render_scene(height: int = HEIGHT, width: int = WIDTH) -> Image:
    """Draw the scene.

    Parameters
    ----------
    height, width
        Pixels; the layout is scaled to fit and centred. Fine patterns keep their pitch in pixels.

    Returns
    -------
    Image
        ``(height, width, 3)`` float32, linear sRGB, not negative; 1 is white, highlights reach 8. The same
        at every call.
    """
    scale = min(height / HEIGHT, width / WIDTH)
    top, left = (height - HEIGHT * scale) / 2, (width - WIDTH * scale) / 2
    scene = np.tile(color(_CARD), (height, width, 1))
    ink = color(_CAPTION)

    def at(base: float, offset: float) -> int:
        return round(offset + base * scale)

    write(scene, "rawfix", at(26, top), at(_MARGIN, left), 48 * scale, ink)
    write(scene, "a test chart in linear light", at(47, top), at(210, left), 26 * scale, ink * 0.75)
    note = "Drawn by formulas, exposed on a simulated sensor"
    write(scene, note, at(55, top), at(WIDTH - _MARGIN, left), 18 * scale, ink * 0.75, "right")
    for row, panels in enumerate(_ROWS):
        y, x = _TOP + row * _PITCH, _MARGIN
        for column, (painter, panel_width, caption) in enumerate(panels):
            rows = slice(at(y, top), at(y + _PANEL, top))
            columns = slice(at(x, left), at(x + panel_width, left))
            rng = np.random.default_rng((_SEED, row, column))
            scene[rows, columns] = painter(rows.stop - rows.start, columns.stop - columns.start, rng)
            write(scene, caption, at(y + _PANEL + 5, top), at(x, left), 16 * scale, ink)
            x += panel_width + _GUTTER
    return np.maximum(scene, 0)
