"""``rawfix adjust``: its options."""

from __future__ import annotations

from typing import Annotated

import typer

from rawfix.cli import look, options


def adjust(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(help="X.maps.tif of develop --save-maps, or folders.", show_default=False)
    ],
    output: options.Output = None,
    name: options.Name = "{stem}",
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    denoise: look.Denoise = 0.0,
    denoise_luma: look.DenoiseLuma = None,
    denoise_chroma: look.DenoiseChroma = None,
    deblur: look.Deblur = 0.0,
    defringe: look.Defringe = 0.0,
    dehaze: look.Dehaze = 0.0,
    wb: look.Wb = "as-shot",
    exposure: look.Exposure = 0.0,
    tone: look.Tone = None,
    highlights: look.Highlights = "rebuild",
    lens_correction: look.LensCorrection = "off",
    upscale: look.Upscale = None,
    detail: look.Detail = 0.0,
    seed: look.Seed = 0,
    guard: look.Guard = True,
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
