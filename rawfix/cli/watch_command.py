"""``rawfix watch``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix.cli import look, options


def watch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where the files come.", show_default=False)],
    recursive: options.Recursive = False,
    settle: Annotated[
        float, typer.Option(help="Seconds for which a file must not have grown.", metavar="SECONDS")
    ] = 2.0,
    output: options.Output = None,
    name: options.Name = "{stem}",
    skip_existing: options.SkipExisting = False,
    update: Annotated[
        bool | None,
        typer.Option(
            "--update/--no-update",
            help="Make again the outputs whose source, settings or network have changed. Default: yes, but with "
            "--skip-existing.",
            show_default=False,
        ),
    ] = None,
    preset: options.Preset = None,
    denoise: look.Denoise = 0.0,
    denoise_luma: look.DenoiseLuma = None,
    denoise_chroma: look.DenoiseChroma = None,
    deblur: look.Deblur = 0.0,
    defringe: look.Defringe = 0.0,
    dehaze: look.Dehaze = 0.0,
    denoise_method: look.DenoiseMethod = "network",
    deblur_method: look.DeblurMethod = "network",
    wb: look.Wb = "as-shot",
    exposure: look.Exposure = 0.0,
    tone: look.Tone = None,
    highlights: look.Highlights = "rebuild",
    ir_crosstalk: look.IrCrosstalk = "",
    lens_correction: look.LensCorrection = "off",
    upscale: look.Upscale = None,
    detail: look.Detail = 0.0,
    seed: look.Seed = 0,
    guard: look.Guard = True,
    bad_pixels: look.BadPixels = "auto",
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
    dng_compression: options.DngCompression = None,
    strip: options.Strip = None,
    c2pa_key: options.C2paKey = None,
    c2pa_cert: options.C2paCert = None,
    quality: options.Quality = "standard",
    time_budget: options.TimeBudget = None,
    tile: options.Tile = 0,
    threads: options.Threads = 0,
    provider: options.Provider = "cpu",
    jobs: options.Jobs = 1,
    max_memory: options.MaxMemory = None,
    json: options.Json = False,
) -> None:
    """Develop the RAW files that come into a folder, each when it is complete, until Ctrl-C.

    What was developed before and would come out the same is left as it is, also after a restart.
    """
    from rawfix.cli.watch import run

    context.params["update"] = not skip_existing if update is None else update
    raise typer.Exit(run(options.request_of(context), folder, recursive=recursive, settle=settle))
