"""Panels that measure sharpness and aliasing: edges, star, zone plate, wires."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chart.paint import Coordinates, Sheet, color, mix, shade, smooth
from rawfix.frame import Image

_ANGLE = np.deg2rad(5.0)
_EDGES = (("#d9d9d9", "#202020"), ("#1f4fa8", "#f0b429"), ("#2f7d4f", "#c8327d"), ("#c73a2c", "#3fb3b8"))


def slanted_edges(height: int, width: int, rng: np.random.Generator) -> Image:
    """Four squares turned by 5°: edges at 5° and 85°, black on white and color on color."""
    half_y, half_x = height / 2, width / 2
    grounds = np.stack([color(ground) for ground, _ in _EDGES])
    squares = np.stack([color(square) for _, square in _EDGES])

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        tile = (y >= half_y).astype(np.intp) * 2 + (x >= half_x)
        dy, dx = y % half_y - half_y / 2, x % half_x - half_x / 2
        along, across = dx * np.cos(_ANGLE) + dy * np.sin(_ANGLE), dy * np.cos(_ANGLE) - dx * np.sin(_ANGLE)
        inside = np.maximum(np.abs(along), np.abs(across)) < 0.31 * min(half_y, half_x)
        return np.where(inside[..., None], squares[tile], grounds[tile])

    return shade(height, width, color_at)


def siemens_star(height: int, width: int, rng: np.random.Generator) -> Image:
    """A star of 72 spokes: Nyquist at 23 pixels from the centre."""
    paper, ink = color("#e6e4df"), color("#181818")
    radius = 0.47 * min(height, width)

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        dy, dx = y - height / 2, x - width / 2
        distance = np.hypot(dy, dx)
        spokes = np.sin(72 * np.arctan2(dy, dx)) > 0
        hub = distance < 7
        ring = np.abs(distance - radius) < 1
        dark = (spokes & (distance < radius)) & ~hub | ring
        return mix(paper, ink, np.where(hub, 0.5, dark))

    return shade(height, width, color_at, factor=6)


def zone_plate(height: int, width: int, rng: np.random.Generator) -> Image:
    """A circular chirp that reaches Nyquist at the middle of the edges and fades out beyond."""
    reach = min(height, width) / 2

    def color_at(y: Coordinates, x: Coordinates) -> NDArray[np.floating]:
        distance = np.hypot(y - height / 2, x - width / 2)
        wave = np.cos(np.pi * distance**2 / (2 * reach)) * (1 - smooth(reach, 1.06 * reach, distance))
        return np.repeat((0.36 * (1 + wave))[..., None], 3, axis=2)

    return shade(height, width, color_at, factor=6)


def wires(height: int, width: int, rng: np.random.Generator) -> Image:
    """Power lines of 0.4 to 2 pixels before an evening sky, and hairs of light on a dark ground."""
    sheet = Sheet(height, width, "#000000", factor=8)
    horizon = round(0.58 * height)
    sky = np.linspace(0, 1, horizon)
    rows = mix(color("#4f86c6"), color("#f6d7a8"), sky**1.3)
    sheet.fill_rows(np.concatenate([rows, np.tile(color("#15181d"), (height - horizon, 1))]))
    _pylon(sheet, 0.05 * height, horizon, 0.2 * width, 0.055 * width)
    _pylon(sheet, 0.2 * height, horizon, 0.83 * width, 0.036 * width)
    _cables(sheet, height, width)
    _hairs(sheet, horizon, height, width, rng)
    return sheet.develop()


def _pylon(sheet: Sheet, top: float, bottom: float, x: float, half: float) -> None:
    """A lattice mast with three arms."""
    steel = (38, 42, 52)
    levels = np.linspace(0.08, 1, 10)
    for side in (-1, 1):
        sheet.line(np.array([top, bottom]), np.array([x, x + side * half]), 1.4, steel)
        for upper, lower in pairwise(levels):
            ends = top + (bottom - top) * np.array([upper, lower])
            sheet.line(ends, np.array([x + side * half * upper, x - side * half * lower]), 0.6, steel)
    for share in (0.12, 0.28, 0.44):
        y = top + (bottom - top) * share
        sheet.line(np.array([y, y]), np.array([x - 1.2 * half, x + 1.2 * half]), 1.2, steel)


def _cables(sheet: Sheet, height: int, width: int) -> None:
    """Sagging cables through the arms of both masts, thinner from one to the next."""
    span = np.linspace(0, 1, 60)
    for number, thickness in enumerate((2.0, 1.5, 1.0, 0.75, 0.5, 0.4)):
        level, side = divmod(number, 2)
        left = 0.05 + 0.53 * (0.12 + 0.16 * level)
        right = 0.2 + 0.38 * (0.12 + 0.16 * level)
        for start, end, y0, y1 in (
            (-0.45, 0.2, left + 0.06, left),
            (0.2, 0.83, left, right),
            (0.83, 1.3, right, right + 0.04),
        ):
            shift = (side - 0.5) * 2
            x = (
                start
                + (end - start) * span
                + shift * np.interp(start + (end - start) * span, [0.2, 0.83], [0.066, 0.043])
            )
            y = y0 + (y1 - y0) * span + 0.32 * (end - start) * 4 * span * (1 - span) * 0.3
            sheet.line(y * height, x * width, thickness, (24, 26, 34))


def _hairs(sheet: Sheet, top: int, height: int, width: int, rng: np.random.Generator) -> None:
    """A fan of straight bright lines, and loose curved strands."""
    fan = ((235, 235, 230), (240, 190, 90), (230, 90, 80), (110, 190, 235), (150, 210, 120))
    for number, angle in enumerate(np.deg2rad(np.linspace(3, 87, 22))):
        reach = 0.37 * height
        x = np.array([0.06, 0.06]) * width + np.array([0.15, 1]) * reach * np.cos(angle)
        y = 0.97 * height - np.array([0.15, 1]) * reach * np.sin(angle)
        sheet.line(y, x, 0.375 + 0.125 * (number % 4), fan[number % len(fan)])
    span = np.linspace(0, 1, 48)
    for _ in range(46):
        root, tip = 0.46 + 0.46 * rng.random(), 0.1 * rng.normal()
        curl, phase = 0.02 + 0.03 * rng.random(), rng.uniform(0, 6.3)
        x = (root + tip * span**2 + curl * np.sin(5 * span + phase) * span) * width
        y = height - span * (0.28 + 0.1 * rng.random()) * height
        tone = rng.uniform(0.45, 1)
        sheet.line(
            y, x, rng.choice([0.25, 0.375, 0.5, 0.75]), (int(238 * tone), int(196 * tone), int(142 * tone))
        )
