"""The commands and their options; bodies import what they need, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix import __version__
from rawfix.cli import (
    adjust_command,
    badpixels,
    calibrate,
    exit_codes,
    headerless,
    look,
    options,
    preset_commands,
    serve,
    sweep,
    upscale_command,
    usage,
    watch_command,
)

app = typer.Typer(
    name="rawfix",
    cls=usage.Commands,
    help="Develop RAW photographs with networks that know bad pixels.",
    epilog=exit_codes.HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(badpixels.app)
app.add_typer(calibrate.app)


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
    context: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(help="RAW files: DNG, CR2, NEF, ARW, RAF, CRW …, or folders.", show_default=False),
    ] = None,
    files_from: options.FilesFrom = None,
    recursive: options.Recursive = False,
    output: options.Output = None,
    name: options.Name = "{stem}",
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    update: options.Update = False,
    dry_run: options.DryRun = False,
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
    mhl: options.Mhl = False,
    c2pa_key: options.C2paKey = None,
    c2pa_cert: options.C2paCert = None,
    bad_map: options.BadMap = None,
    save_stages: options.SaveStages = None,
    save_maps: options.SaveMaps = False,
    quality: options.Quality = "standard",
    time_budget: options.TimeBudget = None,
    tile: options.Tile = 0,
    threads: options.Threads = 0,
    provider: options.Provider = "cpu",
    jobs: options.Jobs = 1,
    max_memory: options.MaxMemory = None,
    cluster: options.ClusterAddress = None,
    cluster_files: options.ClusterFiles = "shared",
    report: options.Report = None,
    json: options.Json = False,
    server: options.Server = None,
    token: options.Token = "",
    server_ca: options.ServerCa = None,
    cfa: headerless.Cfa = None,
    size: headerless.Size = None,
    input_bits: headerless.InputBits = None,
    black: headerless.Black = None,
    white: headerless.White = None,
    byte_order: headerless.ByteOrder = None,
    packing: headerless.Packing = None,
    matrix: headerless.Matrix = None,
) -> None:
    """Develop RAW files into pictures."""
    from rawfix.cli.develop import run

    if not files and not files_from:
        raise typer.BadParameter("name RAW files or folders, or give --files-from", context)
    request = options.request_of(context)
    raise typer.Exit(run(request, files or [], files_from=files_from, recursive=recursive, dry_run=dry_run))


@app.command(epilog=exit_codes.HELP)
def info(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(help="RAW files.", show_default=False)],
    defects: Annotated[bool, typer.Option(help="Look for defects with the network.")] = True,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file on stdout.")] = False,
    cfa: headerless.Cfa = None,
    size: headerless.Size = None,
    input_bits: headerless.InfoBits = None,
    black: headerless.Black = None,
    white: headerless.White = None,
    byte_order: headerless.ByteOrder = None,
    packing: headerless.Packing = None,
    wb: headerless.InfoWb = None,
    matrix: headerless.Matrix = None,
) -> None:
    """Show what a RAW file holds: sensor, filter array, levels, white balance, noise, defects."""
    from rawfix.cli.info import run

    raise typer.Exit(run(files, context.params, look_for_defects=defects, as_json=json))


@app.command(epilog=exit_codes.HELP)
def models(
    verify: Annotated[bool, typer.Option("--verify", help="Check hashes and run every test patch.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a model on stdout.")] = False,
) -> None:
    """List the networks that are installed."""
    from rawfix.cli.models import run

    raise typer.Exit(run(verify=verify, as_json=json))


@app.command(epilog=exit_codes.HELP)
def bench(
    file: Annotated[
        Path | None,
        typer.Argument(help="RAW file for --end-to-end; default: one that is drawn.", show_default=False),
    ] = None,
    end_to_end: Annotated[
        bool, typer.Option("--end-to-end", help="Time the whole way from file to file, stage by stage.")
    ] = False,
    tier: Annotated[
        list[str] | None, typer.Option(help="Only this tier: fast, standard, best; may be repeated.")
    ] = None,
    megapixels: Annotated[
        float | None, typer.Option(help="Size of the frame. Default 4, end to end 24.", metavar="N")
    ] = None,
    threads: options.Threads = 0,
    provider: options.Provider = "cpu",
    json: options.Json = False,
) -> None:
    """Measure speed and memory of the networks on this machine; --quality auto goes by it."""
    from rawfix.cli.bench import run

    raise typer.Exit(
        run(
            file,
            end_to_end=end_to_end,
            tiers=tier or [],
            megapixels=megapixels,
            threads=threads,
            provider=provider,
            as_json=json,
        )
    )


@app.command(epilog=exit_codes.HELP)
def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check this installation: libraries, networks, threads, providers."""
    from rawfix.cli.doctor import run

    raise typer.Exit(run(as_json=json))


app.command(epilog=exit_codes.HELP)(watch_command.watch)
app.command(epilog=exit_codes.HELP)(adjust_command.adjust)
app.command(epilog=exit_codes.HELP)(sweep.sweep)
app.command(epilog=exit_codes.HELP)(upscale_command.upscale)
app.command(epilog=exit_codes.HELP)(serve.serve)
app.add_typer(preset_commands.app, name="preset")
