"""``rawfix calibrate``: what rawfix measures of camera bodies and lenses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix.cli import exit_codes, options

app = typer.Typer(
    name="calibrate",
    help="Measure a camera's noise over its speeds, and a lens's sharpness; both are used automatically.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Camera = Annotated[
    str,
    typer.Option(
        help="Keep one calibration for every body of this name: for files that tell no serial number."
    ),
]
Body = Annotated[str, typer.Argument(help="The calibration's name, or a part of it.", show_default=False)]


@app.command(epilog=exit_codes.HELP)
def noise(
    files: Annotated[
        list[str], typer.Argument(help="RAW files of one body, or folders.", show_default=False)
    ],
    recursive: options.Recursive = False,
    camera: Camera = "",
    plot: Annotated[Path | None, typer.Option(help="Write the measurements and the law as SVG.")] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Measure shot, read, row and column noise by ISO: flat fields and dark frames, or ordinary ones."""
    from rawfix.cli.calibrations import noise as run

    raise typer.Exit(
        run(files, recursive=recursive, camera=camera, plot=plot, overwrite=overwrite, as_json=json)
    )


@app.command(epilog=exit_codes.HELP)
def psf(
    chart: Annotated[
        Path,
        typer.Argument(help="A RAW file of slanted edges: squares, about 5° turned.", show_default=False),
    ],
    camera: Camera = "",
    lens: Annotated[str, typer.Option(help="The lens, where the file does not name it.")] = "",
    json: options.Json = False,
) -> None:
    """Measure the point spread function over the field; kept for this body and lens."""
    from rawfix.cli.calibrations import psf as run

    raise typer.Exit(run(chart, camera=camera, lens=lens, as_json=json))


@app.command(name="list")
def list_calibrations(json: options.Json = False) -> None:
    """List the calibrations."""
    from rawfix.cli.calibrations import list_calibrations as run

    raise typer.Exit(run(as_json=json))


@app.command()
def show(body: Body, json: options.Json = False) -> None:
    """Show what was measured of one body."""
    from rawfix.cli.calibrations import show as run

    raise typer.Exit(run(body, as_json=json))


@app.command()
def forget(body: Body) -> None:
    """Delete a body's calibration."""
    from rawfix.cli.calibrations import forget as run

    raise typer.Exit(run(body))
