"""The commands and their options; bodies import what they need, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix import __version__
from rawfix.cli import exit_codes

app = typer.Typer(
    name="rawfix",
    help="Develop RAW photographs with networks that know bad pixels.",
    epilog=exit_codes.HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rawfix {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Develop RAW photographs with networks that know bad pixels."""


@app.command(epilog=exit_codes.HELP)
def develop(
    files: Annotated[
        list[str], typer.Argument(help="RAW files: DNG, CR2, NEF, ARW, RAF, CRW …", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Output file, or folder; default: beside each input."),
    ] = None,
    name: Annotated[
        str, typer.Option(help="Name of outputs: {stem} {ext} {seq:04} {camera} {iso} {space} {quality}.")
    ] = "{stem}",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help="Leave outputs that exist.")] = False,
    denoise: Annotated[
        float, typer.Option(help="How much noise to remove, -1…2.", rich_help_panel="Look")
    ] = 0.0,
    deblur: Annotated[
        float, typer.Option(help="How much blur to remove, -1…2.", rich_help_panel="Look")
    ] = 0.0,
    wb: Annotated[
        str,
        typer.Option(help="as-shot, daylight, auto, R,G,B, KELVIN or KELVIN,TINT.", rich_help_panel="Look"),
    ] = "as-shot",
    exposure: Annotated[float, typer.Option(help="Stops.", metavar="EV", rich_help_panel="Look")] = 0.0,
    tone: Annotated[
        str, typer.Option(help="standard (filmic) or none.", rich_help_panel="Look")
    ] = "standard",
    highlights: Annotated[
        str,
        typer.Option(
            help="Clipped channels: rebuild, or clip where the first one does.", rich_help_panel="Look"
        ),
    ] = "rebuild",
    format: Annotated[str, typer.Option(help="tiff, png or jpeg.", rich_help_panel="Output")] = "tiff",
    bits: Annotated[
        int | None,
        typer.Option(help="8, 16 or 32 (float TIFF). Default 16, JPEG 8.", rich_help_panel="Output"),
    ] = None,
    space: Annotated[
        str,
        typer.Option(
            help="srgb, display-p3, adobe-rgb, rec2020, prophoto, acescg, aces2065-1, camera.",
            rich_help_panel="Output",
        ),
    ] = "srgb",
    linear: Annotated[
        bool,
        typer.Option(
            "--linear", help="Linear light, no transfer curve (camera: always).", rich_help_panel="Output"
        ),
    ] = False,
    bad_map: Annotated[
        Path | None,
        typer.Option(
            help="Write the defects found as PNG (several inputs: a folder).", rich_help_panel="Output"
        ),
    ] = None,
    save_stages: Annotated[
        Path | None, typer.Option(help="Folder for the stages as float TIFF.", rich_help_panel="Output")
    ] = None,
    quality: Annotated[
        str, typer.Option(help="Tier of the networks: fast, standard, best.", rich_help_panel="Run")
    ] = "standard",
    tile: Annotated[int, typer.Option(help="Side of a tile; 0: the model's own.", rich_help_panel="Run")] = 0,
    threads: Annotated[
        int, typer.Option(help="CPU threads; 0: all this process may use.", rich_help_panel="Run")
    ] = 0,
    provider: Annotated[
        str, typer.Option(help="ONNX Runtime provider: cpu, cuda, coreml, …", rich_help_panel="Run")
    ] = "cpu",
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a file on stdout.", rich_help_panel="Run")
    ] = False,
) -> None:
    """Develop RAW files into pictures."""
    from rawfix.cli.develop import run

    values = {
        "strengths": {"denoise": denoise, "deblur": deblur},
        "quality": quality,
        "space": space,
        "linear": linear,
        "tone": tone,
        "exposure": exposure,
        "wb": wb,
        "highlights": highlights,
        "format": format,
        "bits": bits if bits is not None else (8 if format == "jpeg" else 16),
        "tile": tile,
        "threads": threads,
        "provider": provider,
    }
    raise typer.Exit(
        run(
            files,
            values,
            output=output,
            name=name,
            overwrite=overwrite,
            skip_existing=skip_existing,
            bad_map=bad_map,
            save_stages=save_stages,
            as_json=json,
        )
    )


@app.command(epilog=exit_codes.HELP)
def info(
    files: Annotated[list[str], typer.Argument(help="RAW files.", show_default=False)],
    defects: Annotated[bool, typer.Option(help="Look for defects with the network.")] = True,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file on stdout.")] = False,
) -> None:
    """Show what a RAW file holds: sensor, filter array, levels, white balance, noise, defects."""
    from rawfix.cli.info import run

    raise typer.Exit(run(files, look_for_defects=defects, as_json=json))


@app.command(epilog=exit_codes.HELP)
def models(
    verify: Annotated[bool, typer.Option("--verify", help="Check hashes and run every test patch.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a model on stdout.")] = False,
) -> None:
    """List the networks that are installed."""
    from rawfix.cli.models import run

    raise typer.Exit(run(verify=verify, as_json=json))


@app.command(epilog=exit_codes.HELP)
def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check this installation: libraries, networks, threads, providers."""
    from rawfix.cli.doctor import run

    raise typer.Exit(run(as_json=json))
