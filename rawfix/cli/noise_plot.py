"""A body's noise over its speeds as SVG: measurements as dots, the law as lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from rawfix.physics.noise_calibration import NoiseCalibration

_COLORS = ("#c0392b", "#27803b", "#2456a6")
_WIDTH, _HEIGHT, _LEFT, _TOP, _SIDE = 860, 420, 70, 60, 300


def noise_svg(name: str, noise: NoiseCalibration) -> str:
    """Two panels, shot and read variance over ISO, both axes logarithmic; red, green, blue."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
        f'<text x="{_LEFT}" y="28" font-size="16">{escape(name)}</text>'
    ]
    for panel, kind in enumerate(("shot", "read")):
        parts += _panel(noise, kind, _LEFT + panel * (_SIDE + 110))
    return "\n".join([*parts, "</svg>\n"])


def _panel(noise: NoiseCalibration, kind: str, left: int) -> list[str]:
    isos = [speed.iso for speed in noise.speeds]
    law = [[getattr(noise.law(iso), kind)[channel] for iso in isos] for channel in range(3)]
    measured = [[getattr(speed, kind)[channel] for speed in noise.speeds] for channel in range(3)]
    positive = [value for row in (*law, *measured) for value in row if value > 0]
    across = _axis(min(isos) / 1.3, max(isos) * 1.3, left, left + _SIDE)
    low, high = min(positive) / 1.5, max(positive) * 1.5
    up = _axis(low, high, _TOP + _SIDE, _TOP)
    parts = [
        f'<rect x="{left}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
        f'<text x="{left}" y="{_TOP - 8}">{kind} variance (of white)</text>',
        f'<text x="{left + _SIDE / 2}" y="{_TOP + _SIDE + 36}" text-anchor="middle">ISO</text>',
    ]
    for iso in isos:
        parts.append(
            f'<text x="{across(iso):.1f}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{iso:g}</text>'
        )
    for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1):
        y = up(10.0**power)
        parts.append(
            f'<line x1="{left}" x2="{left + _SIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">1e{power}</text>'
        )
    for channel, color in enumerate(_COLORS):
        line = " ".join(
            f"{across(iso):.1f},{up(value):.1f}"
            for iso, value in zip(isos, law[channel], strict=True)
            if value > 0
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}"/>')
        parts += [
            f'<circle cx="{across(iso):.1f}" cy="{up(value):.1f}" r="3.5" fill="{color}"/>'
            for iso, value in zip(isos, measured[channel], strict=True)
        ]
    return parts


def _axis(low: float, high: float, start: float, stop: float) -> Callable[[float], float]:
    """Where a value stands on a logarithmic axis."""
    scale = (stop - start) / (math.log(high) - math.log(low))
    return lambda value: start + scale * (math.log(value) - math.log(low))
