"""Panels of color and brightness: patches, gradients, highlights beyond white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chart.paint import ColorAt, Coordinates, color, mix, shade, smooth
from rawfix.frame import Image

PATCHES = (
    ("#5b3a2c", "#9c6648", "#d3a283", "#efd0b8", "#6f8f4a", "#3f6132", "#7fa6cf", "#a9a08c"),
    ("#a8433d", "#c97b3c", "#d1b04a", "#86a548", "#3f9478", "#3b86a8", "#5a62ad", "#96508f"),
    ("#d81e1e", "#f07a12", "#f7d117", "#3fae2a", "#00a19a", "#0f6fd6", "#3a22b5", "#d3138c"),
    ("#f2f2f2", "#d2d2d2", "#b1b1b1", "#909090", "#707070", "#515151", "#343434", "#181818"),
)
"""Natural, muted, saturated and gray; chosen by eye for this chart."""

_BANDS = (
    ("#000000", "#f6f6f6"),
    ("#10162e", "#3c4a86", "#b0708f", "#f0a36a", "#fbe6b0"),
    ("#0c0404", "#b01c1c", "#ffd6cc"),
    ("#040c04", "#1f8a35", "#d8f5cf"),
    ("#04060f", "#2148c0", "#d0e0ff"),
    ("#e04848", "#e0c048", "#58c858", "#48b8d8", "#5a58d8", "#d04cb8", "#e04848"),
    ("#808080", "#c06a6a", "#808080", "#5f86c0", "#808080"),
)

_SPHERES = (
    (0.56, 0.15, 0.2, "#5e1414"),
    (0.47, 0.4, 0.27, "#101418"),
    (0.6, 0.655, 0.17, "#0f3d2e"),
    (0.5, 0.865, 0.2, "#14265e"),
)
"""y, x, radius (shares of height, width, height) and color."""

_PANES = ("#e8302a", "#2f6fe0", "#f5b81f", "#2fa653", "#a53cc4", "#f0722a", "#26b5c4")


def patches(height: int, width: int, rng: np.random.Generator) -> Image:
    """Thirty-two colors in four rows, the last one gray."""
    rows, columns = len(PATCHES), len(PATCHES[0])
    picture = np.tile(color("#262626"), (height, width, 1))
    gap = round(0.026 * height)
    tops = np.rint(gap + np.arange(rows + 1) * (height - gap) / rows).astype(int)
    lefts = np.rint(gap + np.arange(columns + 1) * (width - gap) / columns).astype(int)
    for row, codes in enumerate(PATCHES):
        for column, code in enumerate(codes):
            picture[tops[row] : tops[row + 1] - gap, lefts[column] : lefts[column + 1] - gap] = color(code)
    return picture


def gradients(height: int, width: int, rng: np.random.Generator) -> Image:
    """Seven smooth ramps, even to the eye: interpolated as square roots of light."""
    picture = np.empty((height, width, 3), np.float32)
    position = (np.arange(width) + 0.5) / width
    edges = np.rint(np.linspace(0, height, len(_BANDS) + 1)).astype(int)
    for band, top, bottom in zip(_BANDS, edges[:-1], edges[1:], strict=True):
        roots = np.sqrt(np.stack([color(code) for code in band]))
        knots = np.linspace(0, 1, len(band))
        picture[top:bottom] = np.stack([np.interp(position, knots, roots[:, c]) for c in range(3)], 1) ** 2
    return picture


def spheres(height: int, width: int, rng: np.random.Generator) -> Image:
    """Dark glossy spheres and beads under a softbox (2.5 × white) and small lamps (8 × white)."""
    picture = shade(height, width, _table(height, width))
    for y, x, radius, code in _SPHERES:
        _place(picture, y * height, x * width, radius * height, color(code))
    beads = np.linspace(0.035, 0.965, 26)
    tints = ("#2a2a2e", "#4a1a1a", "#1a3a3a", "#3a2a10", "#2a1a4a")
    for number, x in enumerate(beads):
        y = 0.855 + 0.055 * np.sin(np.pi * x) + 0.012 * np.sin(9 * x)
        _place(
            picture, y * height, x * width, (0.021 + 0.007 * (number % 3)) * height, color(tints[number % 5])
        )
    return picture


def _table(height: int, width: int) -> ColorAt:
    """A dark table before a darker wall, lit in the middle."""

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        glow = np.exp(-(((x / width - 0.45) / 0.5) ** 2) - ((y / height - 0.55) / 0.5) ** 2)
        table = smooth(0.625, 0.655, y / height + 0 * x)
        shadow = 1.0 - np.zeros_like(table)
        for sphere_y, sphere_x, radius, _ in _SPHERES:
            away_y = (y / height - sphere_y - 0.92 * radius) / (0.3 * radius)
            away_x = (x - sphere_x * width) / (1.25 * radius * height)
            shadow = shadow * (1 - 0.8 * np.exp(-1.5 * (away_y**2 + away_x**2)))
        picture = mix(color("#20242c"), color("#6d6154"), table)
        return picture * ((0.25 + 0.75 * glow) * shadow)[..., None]

    return color_at


def _place(picture: Image, y: float, x: float, radius: float, body: Image) -> None:
    """Paint one sphere over the picture, in place."""
    top, left = int(y - radius) - 1, int(x - radius) - 1
    side = int(2 * radius) + 3

    def color_at(sub_y: Coordinates, sub_x: Coordinates) -> NDArray[np.floating]:
        normal_y, normal_x = (sub_y + top - y) / radius, (sub_x + left - x) / radius
        square = normal_y**2 + normal_x**2
        normal_z = np.sqrt(np.maximum(1 - square, 0))
        return (
            np.concatenate([_gloss(normal_y, normal_x, normal_z, body), np.ones_like(square)[..., None]], 2)
            * (square < 1)[..., None]
        )

    layer = shade(side, side, color_at, factor=6)
    rows = slice(max(top, 0), min(top + side, picture.shape[0]))
    columns = slice(max(left, 0), min(left + side, picture.shape[1]))
    layer = layer[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    picture[rows, columns] = picture[rows, columns] * (1 - layer[..., 3:]) + layer[..., :3]


def _gloss(y: NDArray[np.floating], x: NDArray[np.floating], z: NDArray[np.floating], body: Image) -> Image:
    """Light from a glossy surface with normal ``(y, x, z)``, seen from +z."""
    lambert = np.maximum(-0.55 * x - 0.6 * y + 0.58 * z, 0)
    mirror_y, mirror_x = 2 * z * y, 2 * z * x
    front = z > np.sqrt(0.5)
    softbox = (np.abs(mirror_x + 0.5) < 0.15) & (np.abs(mirror_y + 0.48) < 0.2) & front
    softbox &= (np.abs(mirror_x + 0.5) > 0.01) & (np.abs(mirror_y + 0.48) > 0.01)
    light = 0.06 * (1 - z) ** 3 + 2.5 * softbox
    for lamp_y, lamp_x in ((-0.72, 0.3), (-0.6, 0.48), (-0.44, 0.62), (0.55, 0.4)):
        light = light + 8 * (((mirror_y - lamp_y) ** 2 + (mirror_x - lamp_x) ** 2 < 0.0011) & front)
    floor = 0.05 * smooth(0.25, 0.9, y)
    return np.asarray((0.04 + 0.9 * lambert)[..., None] * body + (light + floor)[..., None], np.float32)


def window(height: int, width: int, rng: np.random.Generator) -> Image:
    """A leaded window in a painted wall: clear panes of 2.5 to 6 × white within a border of colored glass."""
    panes = np.stack([color(code) for code in _PANES])
    half, pitch = 0.33 * width, 0.105 * height
    core, spring, sill = 0.62 * half, 0.43 * height, 0.43 * height + 3 * pitch
    third = core / 2

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        across, up = x - width / 2 + 0 * y, spring - y + 0 * x
        rim = np.hypot(across, np.maximum(up, 0))
        is_arch, is_sill = up > 0, y + 0 * x > sill
        ray = np.arctan2(up, across) / (np.pi / 7)
        course, column = -up / pitch, across / third
        number = np.where(is_arch, np.floor(ray), np.floor(course) + 3 * (across > 0))
        number = np.where(is_sill, np.clip(np.floor(column), -3, 2) + 5, number)
        clear = (rim < core) & ~is_sill
        sky = color("#cfe3ff") * mix(np.array(6.0), np.array(2.5), y / sill + 0 * x)
        glass = np.where(clear[..., None], sky, panes[number.astype(np.intp) % len(panes)] * 1.3)

        lead = np.abs(rim - core) < 1.6
        lead |= (_to_whole(ray) * rim * np.pi / 7 < 1.2) & is_arch & ~clear
        lead |= (_to_whole(course) * pitch < 1.2) & (~is_arch | clear)
        lead |= (_to_whole(column) * third < 1.2) & (clear | is_sill) & (np.abs(column) < 2.5)
        light = np.where(lead[..., None], color("#141414"), glass)

        down = np.maximum(-up - 4 * pitch, 0)
        away = np.maximum(rim / half - 1, 0) + down / half
        wall = color("#a4573f") * (0.3 + 0.6 * np.exp(-1.6 * away))[..., None]
        frame = (rim < half + 10) & (down < 10)
        wall = np.where(frame[..., None], color("#e9dcc4") * 0.85, wall)
        return np.where(((rim < half) & (down <= 0))[..., None], light, wall)

    return shade(height, width, color_at)


def _to_whole(value: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distance to the nearest whole number."""
    return np.asarray(np.abs(value - np.rint(value)))
