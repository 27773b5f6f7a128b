"""The panel of text: many sizes, dark on light, light on dark, color on color."""

from __future__ import annotations

import numpy as np

from chart.paint import color, letters, write
from rawfix.frame import Image

_BLOCKS = (
    ("#ebe8e1", "#1a1a1a", "Light is counted"),
    ("#191b20", "#eceae4", "one color at a time"),
    ("#1f3f8f", "#f2c53d", "and every photosite"),
    ("#8e1f2f", "#8fd0c8", "sees a third of it"),
)
_SENTENCE = "the quick brown fox jumps over the lazy dog while 0123456789 {curly} [square] (round) & @ # % wait in line"
_SIZES = (30.0, 22.0, 17.0, 13.0, 10.0, 8.0, 6.5)
"""Pixels, for blocks of half of 340."""


def text(height: int, width: int, rng: np.random.Generator) -> Image:
    """Four blocks of the same sizes, each in its own pair of colors."""
    picture = np.empty((height, width, 3), np.float32)
    middle_y, middle_x = height // 2, width // 2
    scale = height / 340
    for number, (paper, ink, title) in enumerate(_BLOCKS):
        row, column = divmod(number, 2)
        block = picture[
            row * middle_y : height if row else middle_y, column * middle_x : width if column else middle_x
        ]
        block[...] = color(paper)
        y = 5.0 * scale
        for line, size in enumerate(_SIZES):
            words = (
                title
                if line == 0
                else _fitting(f"{size:g} {_SENTENCE}", size * scale, width / 2 - 24 * scale)
            )
            write(block, words, y, 14 * scale, size * scale, color(ink))
            y += (1.12 * size + 4.5) * scale
    return picture


def _fitting(sentence: str, size: float, width: float) -> str:
    """As many whole words of a sentence as a width holds."""
    words = sentence.split()
    while letters(" ".join(words), size).shape[1] > width:
        words.pop()
    return " ".join(words)
