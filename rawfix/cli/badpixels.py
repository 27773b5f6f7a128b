"""``rawfix badpixels``: the maps of bad pixels that rawfix keeps of camera bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix.cli import exit_codes, options

app = typer.Typer(
    name="badpixels",
    help="Learn, list, import and export maps of a camera body's bad pixels.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Camera = Annotated[
    str, typer.Option(help="Keep one map for every body of this name: for files that tell no serial number.")
]
Body = Annotated[str, typer.Argument(help="The map's name, or a part of it.", show_default=False)]
Add = Annotated[bool, typer.Option("--add", help="Add to the body's map instead of replacing it.")]


@app.command(epilog=exit_codes.HELP)
def learn(
    files: Annotated[
        list[str], typer.Argument(help="RAW files of one body, or folders.", show_default=False)
    ],
    recursive: options.Recursive = False,
    dark: Annotated[bool, typer.Option("--dark", help="They are dark frames: lens cap on.")] = False,
    camera: Camera = "",
    add: Add = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the body's map.")] = False,
    json: options.Json = False,
) -> None:
    """Learn a map from dark frames (one will do), or from eight or more ordinary frames of varied content."""
    from rawfix.cli.bad_maps import learn as run

    raise typer.Exit(
        run(files, recursive=recursive, dark=dark, camera=camera, add=add, overwrite=overwrite, as_json=json)
    )


@app.command(name="list")
def list_maps(json: options.Json = False) -> None:
    """List the maps."""
    from rawfix.cli.bad_maps import list_maps as run

    raise typer.Exit(run(as_json=json))


@app.command()
def show(body: Body, json: options.Json = False) -> None:
    """Show one map: what it was made from, and what it holds."""
    from rawfix.cli.bad_maps import show as run

    raise typer.Exit(run(body, as_json=json))


@app.command(name="import")
def import_list(
    file: Annotated[Path, typer.Argument(help="A list, or a DNG with its own.", show_default=False)],
    like: Annotated[
        Path, typer.Option(help="A RAW file of the body that the list is of.", show_default=False)
    ],
    format: Annotated[
        str,
        typer.Option(help="auto, dcraw, rawtherapee, sensor (column row, margins included), rows, opcodes."),
    ] = "auto",
    camera: Camera = "",
    add: Add = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the body's map.")] = False,
) -> None:
    """Keep another program's list of bad pixels as a body's map."""
    from rawfix.cli.bad_lists import import_list as run

    raise typer.Exit(run(file, like, format, camera=camera, add=add, overwrite=overwrite))


@app.command(name="export")
def export_list(
    body: Body,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", show_default=False)],
    format: Annotated[
        str, typer.Option(help="dcraw, rawtherapee, sensor, rows, or opcodes (a DNG's OpcodeList1).")
    ] = "rawtherapee",
    like: Annotated[
        Path | None, typer.Option(help="A RAW file of the body: sensor and opcodes need it.")
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a map as another program's list."""
    from rawfix.cli.bad_lists import export_list as run

    raise typer.Exit(run(body, output, format, like=like, overwrite=overwrite))


@app.command()
def forget(body: Body) -> None:
    """Delete a map."""
    from rawfix.cli.bad_maps import forget as run

    raise typer.Exit(run(body))
