"""The options that commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rawfix.cli import exit_codes
from rawfix.cli.headerless import input_bits
from rawfix.cli.look import LOOK
from rawfix.cli.places import check_name, output_path
from rawfix.settings import STRENGTHS

if TYPE_CHECKING:
    from rawfix.cli.request import Request

_OUTPUT, _RUN = "Output", "Run"

FilesFrom = Annotated[
    str | None, typer.Option(help="Read file names from a list, one a line; - is standard input.")
]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Folders within folders too.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Output file, or folder; default: beside each input.", metavar="PATH",
        parser=output_path,
    ),
]  # fmt: skip
Name = Annotated[
    str,
    typer.Option(
        help="Name of outputs: {stem} {ext} {seq:04} {camera} {iso} {space} {quality}.", callback=check_name
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Leave outputs that exist.")]
Update = Annotated[
    bool,
    typer.Option("--update", help="Make again the outputs whose source, settings or network have changed."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]

Preset = Annotated[
    str | None,
    typer.Option(help="Settings by camera and ISO: a saved name, or a .toml file.", rich_help_panel=LOOK),
]

Format = Annotated[
    str | None,
    typer.Option(
        help="tiff (the default), png, jpeg, exr, jxl, avif, dng (linear), dng-cfa.", rich_help_panel=_OUTPUT
    ),
]
Bits = Annotated[
    int | None,
    typer.Option(
        help="8, 16 or 32 (float TIFF, EXR); AVIF 8, 10, 12. Default 16, JPEG 8, AVIF 10. 9 to 15: as --input-bits.",
        rich_help_panel=_OUTPUT,
    ),
]
Space = Annotated[
    str | None,
    typer.Option(
        help="srgb (the default), display-p3, adobe-rgb, rec2020 (EXR's), prophoto, acescg, aces2065-1, camera.",
        rich_help_panel=_OUTPUT,
    ),
]
Linear = Annotated[
    bool | None,
    typer.Option(
        "--linear",
        help="Linear light, no transfer curve (EXR and camera: always).",
        rich_help_panel=_OUTPUT,
        show_default=False,
    ),
]
Exr = Annotated[
    str | None,
    typer.Option(
        help="EXR as aces2065-1 (the container of SMPTE ST 2065-4) or acescg.", rich_help_panel=_OUTPUT
    ),
]
ExrCompression = Annotated[
    str | None,
    typer.Option(
        help="none, rle, zips, zip (the default), piz, pxr24, dwaa or dwab (both lossy).",
        rich_help_panel=_OUTPUT,
    ),
]
PictureQuality = Annotated[
    int | None,
    typer.Option(help="1 to 100. Default JPEG 95, AVIF 90, JPEG XL 100 (lossless).", rich_help_panel=_OUTPUT),
]
DngCompression = Annotated[
    str | None,
    typer.Option(
        help="none (the default), ljpeg (lossless), jxl (lossless, for readers of DNG 1.7.1 only).",
        rich_help_panel=_OUTPUT,
    ),
]
BadMap = Annotated[
    Path | None,
    typer.Option(help="Write the defects found as PNG (several inputs: a folder).", rich_help_panel=_OUTPUT),
]
_OCIO = "OpenColorIO, instead of --space and --tone"
Ocio = Annotated[
    str | None,
    typer.Option(help="Configuration: a file, or ocio://NAME.", metavar="CONFIG", rich_help_panel=_OCIO),
]
OcioDisplay = Annotated[str | None, typer.Option(help="Default: the configuration's.", rich_help_panel=_OCIO)]
OcioView = Annotated[str | None, typer.Option(help="Default: the display's.", rich_help_panel=_OCIO)]
Mhl = Annotated[
    bool,
    typer.Option("--mhl", help="Write an ASC MHL hash list of the output folder.", rich_help_panel=_OUTPUT),
]
Strip = Annotated[
    str | None,
    typer.Option(
        help="private: leave out places, serial numbers, names, free text and maker notes.",
        rich_help_panel=_OUTPUT,
    ),
]
C2paKey = Annotated[
    Path | None,
    typer.Option(help="Sign outputs (C2PA) with this private key, PEM.", rich_help_panel=_OUTPUT),
]
C2paCert = Annotated[
    Path | None,
    typer.Option(help="The key's certificate chain, leaf first, PEM.", rich_help_panel=_OUTPUT),
]
SaveStages = Annotated[
    Path | None, typer.Option(help="Folder for the stages as float TIFF.", rich_help_panel=_OUTPUT)
]

SaveMaps = Annotated[
    bool,
    typer.Option(
        "--save-maps",
        help="Keep what the networks found beside the output, for rawfix adjust.",
        rich_help_panel=_OUTPUT,
    ),
]

Quality = Annotated[
    str, typer.Option(help="Tier of the networks: fast, standard, best or auto.", rich_help_panel=_RUN)
]
TimeBudget = Annotated[
    float | None,
    typer.Option(
        help="With --quality auto: seconds a picture for the networks. Default 30.",
        metavar="SECONDS",
        rich_help_panel=_RUN,
    ),
]
Tile = Annotated[int, typer.Option(help="Side of a tile; 0: the model's own.", rich_help_panel=_RUN)]
Threads = Annotated[int, typer.Option(help="CPU threads; 0: all this process may use.", rich_help_panel=_RUN)]


def check_provider(name: str) -> str:
    """A provider that rawfix knows, whether it is installed or not."""
    from rawfix.nn.session import PROVIDERS

    if name not in PROVIDERS:
        raise typer.BadParameter(f"{name!r} is no provider; there are {', '.join(PROVIDERS)}")
    return name


Provider = Annotated[
    str,
    typer.Option(
        help="ONNX Runtime provider: cpu, cuda, coreml, …", callback=check_provider, rich_help_panel=_RUN
    ),
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", help="Files at a time; threads are shared out.", rich_help_panel=_RUN)
]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        help="What all processes may take, such as 4G; files wait, tiles shrink.", rich_help_panel=_RUN
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Have the workers of a Dask scheduler do it, such as tcp://scheduler:8786.",
        metavar="ADDRESS",
        rich_help_panel=_RUN,
    ),
]
ClusterFiles = Annotated[
    str,
    typer.Option(
        help="shared: workers see inputs and outputs under the same names; ship: files travel.",
        metavar="shared|ship",
        rich_help_panel=_RUN,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(help="Write a page with before and after of every file.", rich_help_panel=_RUN),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.", rich_help_panel=_RUN)]

_SERVER = "Development by another machine, which runs rawfix serve"
Server = Annotated[
    str | None,
    typer.Option(
        help="Its address; files are sent there, outputs written here.",
        metavar="URL",
        rich_help_panel=_SERVER,
    ),
]
Token = Annotated[
    str,
    typer.Option(
        envvar="RAWFIX_TOKEN", help="What it asks for.", show_default=False, rich_help_panel=_SERVER
    ),
]
ServerCa = Annotated[
    Path | None,
    typer.Option(help="Certificates to trust, PEM; default: the system's.", rich_help_panel=_SERVER),
]

SETTINGS = (
    "denoise_method", "deblur_method",
    "quality", "time_budget", "space", "linear", "tone", "exposure", "wb", "highlights", "ir_crosstalk",
    "lens_correction", "bad_pixels",
    "format", "bits",
    "exr", "exr_compression", "picture_quality", "ocio", "ocio_display", "ocio_view", "dng_compression",
    "upscale", "detail", "seed", "guard",
    "tile", "threads", "provider",
)  # fmt: skip
"""Parameters that are fields of `Settings`; those of `Strengths` are `STRENGTHS`."""


def given_settings(context: typer.Context) -> dict[str, Any]:
    """Settings by their flat names, as far as the user said them on the command line."""
    said = {
        name
        for name in (*STRENGTHS, *SETTINGS)
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    if "bits" in said and input_bits(context.params["bits"], context.params.get("format")) is not None:
        said.remove("bits")  # it speaks of the input
    return {name: value for name, value in context.params.items() if name in said}


def request_of(context: typer.Context) -> Request:
    """What a command asks for; ends it with a line on stderr where that has no meaning."""
    from rawfix.batch import presets
    from rawfix.cli.console import refuse
    from rawfix.cli.request import Request
    from rawfix.errors import ModelError, SettingsError

    try:
        name = context.params["preset"]
        preset = presets.Preset({}) if name is None else presets.load(name)
        return Request.of(presets.recipe(preset, given_settings(context)), context.params)
    except (SettingsError, ModelError) as error:
        refuse(error)
        code = exit_codes.USAGE if isinstance(error, SettingsError) else exit_codes.MODEL
        raise typer.Exit(code) from None
