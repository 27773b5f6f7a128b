"""``rawfix upscale``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix.cli import look, options
from rawfix.cli.places import check_name, output_path


def upscale(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(help="TIFF, PNG or JPEG pictures, or folders.", show_default=False)
    ],
    recursive: options.Recursive = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Output file, or folder; default: beside each picture.",
            metavar="PATH",
            parser=output_path,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of outputs: {stem} {ext} {seq:04} {quality}. Default {stem}-x2, {stem}-x4.",
            callback=check_name,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    scale: Annotated[int, typer.Option(help="2 or 4 times the resolution.", metavar="2|4")] = 2,
    detail: look.Detail = 0.0,
    seed: look.Seed = 0,
    guard: Annotated[
        str,
        typer.Option(
            help="The picture is what the enlarged one comes to when it is made small again: bicubic (of encoded "
            "values, as programs do), area (of light, as sensors do), or off."
        ),
    ] = "bicubic",
    format: Annotated[
        str | None, typer.Option(help="tiff, png or jpeg; default: the picture's own.", show_default=False)
    ] = None,
    picture_quality: Annotated[int | None, typer.Option(help="Of JPEG, 1 to 100. Default 95.")] = None,
    strip: options.Strip = None,
    quality: Annotated[str, typer.Option(help="Tier of the networks: fast, standard, best.")] = "standard",
    tile: options.Tile = 0,
    threads: options.Threads = 0,
    provider: options.Provider = "cpu",
    json: options.Json = False,
) -> None:
    """Enlarge finished pictures. Depth, profile and metadata stay; what was made up is told in the XMP."""
    from rawfix.cli.upscale import run

    raise typer.Exit(run(files, context.params))
