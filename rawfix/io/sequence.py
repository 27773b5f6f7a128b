"""Reel and frame number, as film sets write them into file names."""

from __future__ import annotations

import re
from pathlib import Path

_NUMBERED = re.compile(r"(?P<reel>.*?)(?:(?P<mark>[_.\- ])|(?=\d{3}))(?P<frame>\d+)")


def reel_and_frame(source: Path) -> tuple[str, int] | None:
    """What stands before the number that ends a file's stem, and that number; None where none does.

    ``A001_C002_0101AB_000123.dng`` is frame 123 of ``A001_C002_0101AB``: reel and clip stay together, because
    a frame number counts within the clip. A mark (``_ . -`` or a space) before the number is dropped; without
    one, at least three digits make a number (``DSC01234``). A file that is a number only (``000123.dng``)
    belongs to the reel its folder is named after.
    """
    stem = source.stem
    if stem.isdecimal() and stem.isascii():
        return source.absolute().parent.name or "reel", int(stem)
    match = _NUMBERED.fullmatch(stem)
    return None if match is None or not match["reel"] else (match["reel"], int(match["frame"]))
