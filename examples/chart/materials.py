"""Panels with the texture of things: foliage, fabric, a wall in deep shadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chart.paint import Coordinates, Sheet, color, mix, shade, smooth, write
from rawfix.frame import Image

_LEAF = np.linspace(0, 1, 9)
_LEAF_HALF_WIDTH = 0.3 * np.sin(np.pi * _LEAF**0.8)
_BARK = (70, 54, 40)

_NAVY, _GOLD, _WINE = "#123a5e", "#e8c24a", "#8f2431"
_SETT = (
    (_NAVY, 26),
    (_GOLD, 3),
    (_NAVY, 8),
    (_GOLD, 3),
    (_NAVY, 26),
    (_WINE, 10),
    ("#e9e4d8", 4),
    (_WINE, 10),
    ("#1d5a4a", 26),
    ("#0d1a26", 6),
)
"""The tartan: yarns and their widths in pixels, of our own."""


def foliage(height: int, width: int, rng: np.random.Generator) -> Image:
    """Dead leaves in greens, of a power law of sizes, thinning out into twigs before a bright sky.

    References
    ----------
    Lee, Mumford and Huang 2001, "Occlusion models for natural images", doi:10.1023/A:1011109015675.
    """
    sheet = Sheet(height, width, "#000000")
    depth = np.arange(height) / height
    sky = mix(color("#9cc4e8"), color("#eef3f2"), smooth(0.0, 0.75, depth))
    sheet.fill_rows(mix(sky, color("#141f10"), smooth(0.6, 0.72, depth)))
    for x, lean in ((0.12, -1.35), (0.42, -1.5), (0.8, -1.75)):
        _branch(sheet, 1.02 * height, x * width, lean, 0.3 * height, 6.0, 7, rng)
    count = height * width // 16
    lengths = 6.5 * (1 - rng.random(count) * 0.98) ** -0.5
    for age, length in enumerate(lengths):
        y, x = rng.uniform(-0.03, 1.03, 2) * (height, width)
        ground = 0.5 + 0.16 * np.sin(5.2 * x / width + 0.6) + 0.05 * np.sin(17 * x / width)
        if rng.random() > smooth(ground - 0.28, ground + 0.12, y / height) ** 1.6:
            continue
        _leaf(sheet, y, x, length, rng, light=0.12 + 0.88 * (age / count) ** 1.5)
    return sheet.develop()


def _leaf(sheet: Sheet, y: float, x: float, length: float, rng: np.random.Generator, light: float) -> None:
    """A pointed leaf with a pale midrib, brighter the later it falls."""
    angle = rng.uniform(0, 2 * np.pi)
    along = np.concatenate([_LEAF, _LEAF[::-1]]) * length
    across = np.concatenate([_LEAF_HALF_WIDTH, -_LEAF_HALF_WIDTH[::-1]]) * length
    ripe, gloss = rng.beta(1.2, 3.5), light * rng.uniform(0.6, 1.1)
    shade_of_green = np.array([52, 104, 34]) + ripe * np.array([150, 62, 12]) + rng.normal(0, 5, 3)
    red, green, blue = (int(value) for value in np.clip(shade_of_green * gloss, 4, 250))
    cosine, sine = np.cos(angle), np.sin(angle)
    sheet.polygon(y + along * sine + across * cosine, x + along * cosine - across * sine, (red, green, blue))
    if length > 9:
        rib = np.array([0.05, 0.92]) * length
        pale = (min(red + 34, 255), min(green + 36, 255), min(blue + 22, 255))
        sheet.line(y + rib * sine, x + rib * cosine, 0.03 * length, pale)


def _branch(
    sheet: Sheet,
    y: float,
    x: float,
    angle: float,
    length: float,
    width: float,
    order: int,
    rng: np.random.Generator,
) -> None:
    """A branch that bends and forks ``order`` times, down to twigs of a quarter pixel."""
    span = np.linspace(0, 1, 6)
    heading = angle + rng.normal(0, 0.22) * span
    ys = y + np.concatenate([[0], np.cumsum(np.sin(heading[:-1]))]) * length / 5
    xs = x + np.concatenate([[0], np.cumsum(np.cos(heading[:-1]))]) * length / 5
    sheet.line(ys, xs, width, _BARK)
    if order == 0:
        return
    for side in (-1, 1):
        start = 5 if side < 0 else int(rng.integers(3, 6))
        turn = side * rng.uniform(0.18, 0.62)
        _branch(
            sheet,
            ys[start],
            xs[start],
            heading[start] + turn,
            length * rng.uniform(0.62, 0.84),
            width * 0.62,
            order - 1,
            rng,
        )


def fabric(height: int, width: int, rng: np.random.Generator) -> Image:
    """Draped cloth: a tartan in twill at the left, a fine striped shirting at the right."""
    yarns = np.stack([color(code) for code, count in _SETT for _ in range(count)])
    stripe, cloth = color("#2b4c86"), color("#eee9df")

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        fold = 7 * np.sin(x / 47 + y / 160) + 4 * np.sin(x / 21 - y / 75)
        slope = 7 / 47 * np.cos(x / 47 + y / 160) + 4 / 21 * np.cos(x / 21 - y / 75)
        warp, weft = x + 0.35 * fold + 0.1 * y, y + fold - 0.06 * x
        over = (np.floor(warp / 1.6) + np.floor(weft / 1.6)) % 4 < 2
        across, down = yarns[(warp % len(yarns)).astype(np.intp)], yarns[(weft % len(yarns)).astype(np.intp)]
        relief = 0.72 + 0.28 * np.cos(np.pi * np.where(over, warp, weft) / 0.8)
        tartan = np.where(over[..., None], across, down) * relief[..., None]
        # 2.9 pixels a stripe: resolved in full, aliased in each color's own samples.
        lines = mix(cloth, stripe, smooth(-0.35, 0.35, np.cos(2 * np.pi * warp / 2.9)))
        weave = 0.93 + 0.07 * np.cos(2 * np.pi * weft / 2.2)
        seam = width * 0.52 + 0.08 * (y - height / 2) + 3 * np.sin(y / 30)
        picture = np.where((x < seam)[..., None], tartan * 1.5, lines * weave[..., None])
        shadow = 1 - 0.45 * np.exp(-np.maximum(x - seam, 0) / 7) * (x > seam)
        light = np.clip(0.78 - 1.1 * slope, 0.15, 1.2) * shadow
        return np.asarray(picture * light[..., None])

    return shade(height, width, color_at)


def deep_shadow(height: int, width: int, rng: np.random.Generator) -> Image:
    """A brick wall that falls from a tenth of white to a thousandth, with faint lettering."""
    brick_y, brick_x = 17.0, 42.0
    tints = mix(color("#8a4a36"), color("#5d5f70"), rng.random((64, 64))) * rng.uniform(0.6, 1.4, (64, 64, 1))
    grain = rng.uniform(0.75, 1.25, (height + 1, width + 1))

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        course = np.floor(y / brick_y)
        shifted = x + (course % 2) * brick_x / 2
        wall = tints[course.astype(np.intp) % 64, np.floor(shifted / brick_x).astype(np.intp) % 64]
        joint = np.minimum(y % brick_y, shifted % brick_x) < 1.7
        wall = np.where(joint[..., None], color("#8d8a86"), wall)
        # A lamp beyond the upper left corner: inverse square, then the dark.
        reach = ((x + 30) ** 2 + (y + 40) ** 2) / width**2
        light = (0.02 / (0.03 + reach**1.5) + 0.009) * grain[y.astype(np.intp), x.astype(np.intp)]
        return np.asarray(wall * light[..., None])

    picture = shade(height, width, color_at)
    for line, share in (("shadow", 0.56), ("detail", 0.72)):
        write(picture, line, share * height, 0.94 * width, 0.13 * height, color("#23262e") * 0.5, "right")
    return picture
