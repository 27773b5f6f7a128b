"""``rawfix adjust``: its options."""

from __future__ import annotations

from typing import Annotated

import typer

from rawfix.cli import options


def adjust(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(help="X.maps.tif of develop --save-maps, or folders.", show_default=False)
    ],
    output: options.Output = None,
    name: options.Name = "{stem}",
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    denoise: options.Denoise = 0.0,
    denoise_luma: options.DenoiseLuma = None,
    denoise_chroma: options.DenoiseChroma = None,
    deblur: options.Deblur = 0.0,
    defringe: options.Defringe = 0.0,
    dehaze: options.Dehaze = 0.0,
    wb: options.Wb = "as-shot",
    exposure: options.Exposure = 0.0,
    tone: options.Tone = None,
    highlights: options.Highlights = "rebuild",
    lens_correction: options.LensCorrection = "off",
    upscale: options.Upscale = None,
    detail: options.Detail = 0.0,
    seed: options.Seed = 0,
    guard: options.Guard = True,
    format: options.Format = None,
    bits: options.Bits = None,
    space: options.Space = None,
    linear: options.Linear = None,
    exr: options.Exr = None,
    exr_compression: options.ExrCompression = None,
    picture_quality: options.PictureQuality = None,
    ocio: options.Ocio = None,
    ocio_display: options.OcioDisplay = None,
    ocio_view: options.OcioView = None,
    strip: options.Strip = None,
    threads: options.Threads = 0,
    json: options.Json = False,
) -> None:
    """Render again with other strengths, balance or tone, from what develop --save-maps kept.

    No network runs, but for --upscale. The picture is bit for bit the one that develop makes with these options.
    """
    from rawfix.cli.adjust import run

    raise typer.Exit(run(files, options.given_settings(context), context.params))
