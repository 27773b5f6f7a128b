"""From the working space to the values of a picture file."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np

from rawfix.color.matrices import Space, convert
from rawfix.color.spaces import WORKING
from rawfix.color.tone import apply_tone
from rawfix.color.transfer import Display, encode
from rawfix.frame import Image

_STRIP = 64


def render(
    working: Image,
    space: Space,
    tone: str,
    linear: bool,
    bits: Literal[8, 16, 32],
    threads: int = 1,
    view: Callable[[Image], Image] | None = None,
) -> Display:
    """Tone, output space, transfer curve and bit depth.

    The tone curve works in the working space, before the matrix, so that files in different spaces agree on
    every color both can hold. Only here are values clipped, and only for integers: what lies outside the
    output's gamut is cut off channel by channel at 0 and 1. Rounded to nearest, without dithering, so that
    equal input gives equal output.

    Parameters
    ----------
    working
        ``(H, W, 3)`` float32, linear Rec. 2020, signed, unbounded; not mutated. May be a view.
    space
        Output space, one of `rawfix.color.spaces.SPACES`.
    tone
        A name of `rawfix.color.tone.TONES`.
    linear
        Write linear light instead of the space's transfer curve.
    bits
        8 or 16 (integers), or 32: float32, never clipped.
    threads
        How many strips are worked on at a time; the result is the same for any number.
    view
        Takes the place of the transfer curve: ``space``'s light, unbounded, to values of which 1 is full.

    Returns
    -------
    Display
        ``(H, W, 3)``, C-contiguous. Peak memory is this array and a few strips.
    """
    dtype = {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]
    display = np.empty(working.shape, dtype)
    same = space.primaries == WORKING.primaries and space.white == WORKING.white
    matrix = None if same else np.ascontiguousarray(convert(WORKING, space).T.astype(np.float32))
    curve = "linear" if linear else space.transfer

    def fill(y: int) -> None:
        strip = apply_tone(tone, working[y : y + _STRIP])
        if matrix is not None:
            strip = strip @ matrix
        if view is not None:
            shown = view(strip)
            display[y : y + _STRIP] = shown if bits == 32 else _quantize(np.clip(shown, 0.0, 1.0), bits)
        elif bits == 32:
            display[y : y + _STRIP] = encode(curve, strip)
        else:
            display[y : y + _STRIP] = _quantize(encode(curve, np.clip(strip, 0.0, 1.0)), bits)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, range(0, working.shape[0], _STRIP)):
            pass
    return display


def _quantize(encoded: Image, bits: int) -> Image:
    """[0, 1] to whole numbers, still float32; exact to 0.01 of a step at 16 bits."""
    scaled = encoded * np.float32((1 << bits) - 1)
    np.rint(scaled, out=scaled)
    return scaled
