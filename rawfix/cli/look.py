"""The options that say how a picture looks, each said once."""

from __future__ import annotations

from typing import Annotated, Any

import typer

LOOK = "Look"


def strength(value: str | float) -> float | str:
    """A number, or ``auto``; raises `ValueError`, of which Typer makes a refusal."""
    if str(value).lower() == "auto":
        return "auto"
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{value!r} is no number from -1 to 2, such as 0.5, nor auto") from None


Denoise = Annotated[
    Any,
    typer.Option(
        help="How much noise to remove, -1…2, or auto.",
        parser=strength,
        metavar="STRENGTH",
        rich_help_panel=LOOK,
    ),
]
Deblur = Annotated[
    Any,
    typer.Option(
        help="How much blur to remove, -1…2, or auto.",
        parser=strength,
        metavar="STRENGTH",
        rich_help_panel=LOOK,
    ),
]
DenoiseLuma = Annotated[
    float | None,
    typer.Option(help="Noise of brightness, in place of --denoise.", rich_help_panel=LOOK),
]
DenoiseChroma = Annotated[
    float | None, typer.Option(help="Noise of color, in place of --denoise.", rich_help_panel=LOOK)
]
Defringe = Annotated[
    float,
    typer.Option(
        help="How much of color fringes to remove, -1…2: lateral color, purple around blown light.",
        rich_help_panel=LOOK,
    ),
]
Dehaze = Annotated[float, typer.Option(help="How much haze to remove, -1…2.", rich_help_panel=LOOK)]
DenoiseMethod = Annotated[
    str,
    typer.Option(
        help="network, or classical: non-local means on the mosaic, without a network.", rich_help_panel=LOOK
    ),
]
DeblurMethod = Annotated[
    str,
    typer.Option(
        help="network, or richardson-lucy: deconvolution by the calibrated or the frame's own blur.",
        rich_help_panel=LOOK,
    ),
]
Wb = Annotated[
    str, typer.Option(help="as-shot, daylight, auto, R,G,B, KELVIN or KELVIN,TINT.", rich_help_panel=LOOK)
]
Exposure = Annotated[float, typer.Option(help="Stops.", metavar="EV", rich_help_panel=LOOK)]
Tone = Annotated[
    str | None,
    typer.Option(help="standard (filmic, the default) or none (EXR: always).", rich_help_panel=LOOK),
]
Highlights = Annotated[
    str,
    typer.Option(help="Clipped channels: rebuild, or clip where the first one does.", rich_help_panel=LOOK),
]
IrCrosstalk = Annotated[
    str,
    typer.Option(
        help="RGB-IR: shares R,G,B of the infrared to take away, or 3×4 numbers.",
        rich_help_panel=LOOK,
        show_default=False,
    ),
]

LensCorrection = Annotated[
    str,
    typer.Option(
        help="Distortion, lateral color, vignetting: dng (the file's own), lensfun, auto (either), off.",
        metavar="off|auto|dng|lensfun",
        rich_help_panel=LOOK,
    ),
]

_UPSCALE = "More pixels"
Upscale = Annotated[
    int | None,
    typer.Option(help="2 or 4 times the resolution.", metavar="2|4", rich_help_panel=_UPSCALE),
]
Detail = Annotated[
    float,
    typer.Option(
        help="0 (least error) … 1 (most natural detail, some of it made up).",
        metavar="AMOUNT",
        rich_help_panel=_UPSCALE,
    ),
]
Seed = Annotated[
    int, typer.Option(help="Of the noise that detail is made of.", metavar="N", rich_help_panel=_UPSCALE)
]
Guard = Annotated[
    bool,
    typer.Option(
        "--guard/--no-guard",
        help="See that the enlarged picture averages to what the sensor saw.",
        rich_help_panel=_UPSCALE,
    ),
]

BadPixels = Annotated[
    str,
    typer.Option(
        help="Known before: auto (the body's map, the file's list), off, or a list, map or mask.",
        metavar="auto|off|FILE",
        rich_help_panel=LOOK,
    ),
]
