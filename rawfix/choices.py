"""What an option may be, and what each output format holds."""

from __future__ import annotations

from typing import Literal

Space = Literal["srgb", "display-p3", "adobe-rgb", "rec2020", "prophoto", "acescg", "aces2065-1", "camera"]
Tone = Literal["standard", "none"]
Format = Literal["tiff", "png", "jpeg", "exr", "jxl", "avif", "dng", "dng-cfa"]
Bits = Literal[8, 10, 12, 16, 32]
Exr = Literal["", "aces2065-1", "acescg"]
ExrCompression = Literal["", "none", "rle", "zips", "zip", "piz", "pxr24", "dwaa", "dwab"]
DngCompression = Literal["none", "ljpeg", "jxl"]
Highlights = Literal["rebuild", "clip"]
LensChoice = Literal["off", "auto", "dng", "lensfun"]
DenoiseMethod = Literal["network", "classical"]
DeblurMethod = Literal["network", "richardson-lucy"]
Tier = Literal["fast", "standard", "best"]
Quality = Literal[Tier, "auto"]
Scale = Literal[1, 2, 4]
SEEDS = 1 << 63
"""Seeds are whole numbers below this one."""

DEFAULT_TIME_BUDGET = 30.0
"""Seconds a picture that ``--quality auto`` may spend in its networks."""

FORMAT_BITS: dict[str, tuple[int, ...]] = {
    "tiff": (8, 16, 32),
    "png": (8, 16),
    "jpeg": (8,),
    "exr": (16, 32),
    "jxl": (8, 16),
    "avif": (8, 10, 12),
    "dng": (16,),
    "dng-cfa": (16,),
}
"""Bit depths of each output format; 32 is floating point, as is EXR's 16."""
DEFAULT_BITS: dict[str, int] = dict.fromkeys(FORMAT_BITS, 16) | {"jpeg": 8, "avif": 10}
NEGATIVES = ("dng", "dng-cfa")
"""Formats that hold the picture before color and tone."""
LOSSY = {"jpeg": 95, "jxl": 100, "avif": 90}
"""Formats with a quality, and the one they take by themselves; JPEG XL and AVIF are lossless at 100."""
