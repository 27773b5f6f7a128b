"""Pictures in a table, each with a line that says what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from rawfix.io.atomic import replacing

_GAP, _TEXT, _RULE = 6, 16, 2
_PAPER, _INK = (32, 32, 32), (235, 235, 235)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A label, and pictures ``(h, w, 3)`` uint8 that stand side by side above it."""

    label: str
    pictures: tuple[NDArray[np.uint8], ...]


def write_sheet(path: Path, rows: list[list[Cell]], icc: bytes | None, *, overwrite: bool) -> None:
    """Write a table of cells as PNG; raises `OutputError`."""
    font = ImageFont.load_default(_TEXT)
    cells = [cell for row in rows for cell in row]
    inner = max(sum(picture.shape[1] + _RULE for picture in cell.pictures) for cell in cells)
    label = max(int(font.getlength(cell.label)) + 1 for cell in cells)
    wide = max(inner, label) + _GAP
    tall = max(picture.shape[0] for cell in cells for picture in cell.pictures) + _TEXT + 2 * _GAP
    size = (wide * max(map(len, rows)) + _GAP, tall * len(rows) + _GAP)
    sheet = Picture.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for row, line in enumerate(rows):
        for column, cell in enumerate(line):
            x, y = _GAP + column * wide, _GAP + row * tall
            draw.text((x, y + tall - _TEXT - 2 * _GAP), cell.label, _INK, font)
            for picture in cell.pictures:
                sheet.paste(Picture.fromarray(np.ascontiguousarray(picture)), (x, y))
                x += picture.shape[1] + _RULE
    with replacing(path, overwrite) as temporary:
        sheet.save(temporary, format="PNG", icc_profile=icc)
