"""``rawfix preset show`` and ``rawfix preset save``: their options."""

from __future__ import annotations

from typing import Annotated

import typer

from rawfix.cli import exit_codes, look, options

app = typer.Typer(help="Show and save presets: settings by camera and ISO.", no_args_is_help=True)


@app.command(epilog=exit_codes.HELP)
def show(
    name: Annotated[
        str | None,
        typer.Argument(help="A saved name, or a .toml file; default: list all.", show_default=False),
    ] = None,
    camera: Annotated[str | None, typer.Option(help="What it comes to for this camera.")] = None,
    iso: Annotated[float | None, typer.Option(help="What it comes to at this ISO.")] = None,
    json: options.Json = False,
) -> None:
    """Print a preset, or what it comes to for a camera and an ISO."""
    from rawfix.cli.preset import show as run

    raise typer.Exit(run(name, camera=camera, iso=iso, as_json=json))


@app.command(epilog=exit_codes.HELP)
def save(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name, or a .toml file.", show_default=False)],
    camera: Annotated[
        str | None, typer.Option(help="Add a rule for these cameras; * for what differs.")
    ] = None,
    iso: Annotated[str | None, typer.Option(help="Add a rule for this range, such as 800-3200.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a preset, or a rule.")] = False,
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
    quality: options.Quality = "standard",
    time_budget: options.TimeBudget = None,
) -> None:
    """Save the settings given; with --iso or --camera, as a rule for those frames only."""
    from rawfix.cli.preset import save as run

    given = options.given_settings(context)
    raise typer.Exit(run(name, given, camera=camera, iso=iso, overwrite=overwrite))
