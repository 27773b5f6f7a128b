"""Picture strips: the hardest crops of a picture, each method beside the truth, enlarged and labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from rawfix.io.atomic import replacing
from rawfix.training.evaluation.protocol import Photo

SIDE, STEP, ZOOM, CROPS = 128, 16, 2, 2
LABEL, GAP = 18, 4
PAPER, INK = (32, 32, 32), (235, 235, 235)


def color_detail(photo: Photo) -> NDArray[np.float64]:
    """Magnitude of the gradient of the color differences R − G and B − G: what demosaicing finds hard; ``(H, W)``."""
    wide = photo.astype(np.float64)
    chroma = wide[..., ::2] - wide[..., 1:2]
    down, across = np.diff(chroma, axis=0, append=chroma[-1:]), np.diff(chroma, axis=1, append=chroma[:, -1:])
    return np.asarray(np.abs(down).sum(2) + np.abs(across).sum(2))


def hardest(photo: Photo, side: int = SIDE, count: int = CROPS) -> list[tuple[int, int]]:
    """Top left corners of the windows with most color detail, hardest first, none overlapping another."""
    height, width = photo.shape[:2]
    side_y, side_x = min(side, height), min(side, width)
    total = np.pad(color_detail(photo).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, cols = np.arange(0, height - side_y + 1, STEP), np.arange(0, width - side_x + 1, STEP)
    below, right = rows + side_y, cols + side_x
    score = total[below][:, right] - total[rows][:, right] - total[below][:, cols] + total[rows][:, cols]
    chosen: list[tuple[int, int]] = []
    while len(chosen) < count and np.isfinite(score.max()):
        row, col = np.unravel_index(int(score.argmax()), score.shape)
        y, x = int(rows[row]), int(cols[col])
        chosen.append((y, x))
        taken = (np.abs(rows - y) < side_y)[:, None] & (np.abs(cols - x) < side_x)[None, :]
        score = np.where(taken, -np.inf, score)
    return chosen


def strip(pictures: dict[str, Photo], corners: list[tuple[int, int]], side: int = SIDE) -> Picture.Image:
    """One row a corner, one column a method: crops of ``side``, `ZOOM` times nearest-neighbor, names above."""
    rows = []
    for y, x in corners:
        crops = [photo[y : y + side, x : x + side] for photo in pictures.values()]
        rows.append([crop.repeat(ZOOM, 0).repeat(ZOOM, 1) for crop in crops])
    heights = [row[0].shape[0] for row in rows]
    width = rows[0][0].shape[1]
    size = (len(pictures) * (width + GAP) - GAP, LABEL + sum(heights) + GAP * (len(rows) - 1))
    sheet = Picture.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    for col, name in enumerate(pictures):
        draw.text((col * (width + GAP) + 4, 3), name, INK, font=font)
        top = LABEL
        for row, height in zip(rows, heights, strict=True):
            sheet.paste(Picture.fromarray(row[col]), (col * (width + GAP), top))
            top += height + GAP
    return sheet


def write(sheet: Picture.Image, path: Path) -> None:
    """Write a PNG in whole, over one that is there; raises `rawfix.errors.OutputError`."""
    with replacing(path, overwrite=True) as temporary:
        sheet.save(temporary, format="PNG")


def file_name(name: str) -> str:
    """A picture's name as that of its strip: folders become dashes."""
    return name.replace("/", "-").rsplit(".", 1)[0] + ".png"
