"""The knob in one picture: error to the right, distance to natural pictures upwards, a point a detail."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN = 640, 420, 70
PAPER, INK, LINE, RIVAL = (255, 255, 255), (40, 40, 40), (30, 100, 190), (190, 90, 30)


def draw_knob(figures: Mapping[str, Mapping[str, float]]) -> Picture.Image:
    """Y-PSNR against perceptual distance, the details joined by a line.

    Parameters
    ----------
    figures
        ``psnr_y`` and ``distance`` by method; those called ``detail N`` are joined in their order.
    """
    points = {name: (each["psnr_y"], each["distance"]) for name, each in figures.items()}
    (left, right), (low, high) = (_range([p[axis] for p in points.values()]) for axis in (0, 1))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x = MARGIN + (point[0] - left) / (right - left) * (WIDTH - 2 * MARGIN)
        return x, HEIGHT - MARGIN - (point[1] - low) / (high - low) * (HEIGHT - 2 * MARGIN)

    sheet = Picture.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    draw.rectangle((MARGIN, MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN), outline=INK)
    for step in range(5):
        x_value, y_value = left + (right - left) * step / 4, low + (high - low) * step / 4
        x, y = at((x_value, y_value))
        draw.text((x - 16, HEIGHT - MARGIN + 6), f"{x_value:.2f}", INK, font)
        draw.text((12, y - 8), f"{y_value:.3f}", INK, font)
    draw.text((WIDTH // 2 - 50, HEIGHT - 30), "Y-PSNR, dB", INK, font)
    draw.text((12, MARGIN - 40), "SqueezeNet distance (less is more natural)", INK, font)
    joined = [at(point) for name, point in points.items() if name.startswith("detail")]
    draw.line(joined, LINE, 2)
    for name, point in points.items():
        x, y = at(point)
        color = LINE if name.startswith("detail") else RIVAL
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=color)
        draw.text((x + 7, y - 8), name, color, font)
    return sheet


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.1 * (high - low) or 0.5
    return low - room, high + room
