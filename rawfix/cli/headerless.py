"""Options that describe a mosaic without a RAW container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rawfix.io.mosaic_facts import MosaicFacts

_PANEL = "Mosaics without a RAW container (.raw .bin .npy .tif .png); or a NAME.toml beside them"

Cfa = Annotated[
    str | None,
    typer.Option(
        help="Filter array: a name (xtrans), a Bayer phase (RGGB) or rows (GB/RI).", rich_help_panel=_PANEL
    ),
]
Size = Annotated[
    str | None, typer.Option(help="WIDTHxHEIGHT of .raw and .bin.", metavar="WxH", rich_help_panel=_PANEL)
]
Black = Annotated[
    str | None,
    typer.Option(help="Black level: one, or R,G,B[,IR]. Default 0.", metavar="LEVEL", rich_help_panel=_PANEL),
]
White = Annotated[
    str | None,
    typer.Option(
        help="Saturation level. Default: the greatest of so many bits.",
        metavar="LEVEL",
        rich_help_panel=_PANEL,
    ),
]
_BITS_HELP = "Significant bits of a sample, 8 to 16."
InputBits = Annotated[int | None, typer.Option(help=_BITS_HELP, rich_help_panel=_PANEL)]
InfoBits = Annotated[
    int | None, typer.Option("--input-bits", "--bits", help=_BITS_HELP, rich_help_panel=_PANEL)
]
ByteOrder = Annotated[
    str | None, typer.Option(help="Of 16-bit words: little (default) or big.", rich_help_panel=_PANEL)
]
Packing = Annotated[
    str | None,
    typer.Option(
        help="Of packed 10 and 12 bits: mipi or genicam (10p, 12p). Default: by their looks.",
        rich_help_panel=_PANEL,
    ),
]
Matrix = Annotated[
    str | None,
    typer.Option(
        help="Nine numbers by commas, row by row: white-balanced camera to linear sRGB.",
        rich_help_panel=_PANEL,
    ),
]
InfoWb = Annotated[
    str | None, typer.Option(help="Multipliers of red, green, blue.", metavar="R,G,B", rich_help_panel=_PANEL)
]

_OPTIONS = ("cfa", "size", "black", "white", "byte_order", "packing", "matrix")


def facts_of(parameters: Mapping[str, Any]) -> MosaicFacts:
    """A command's parameters as facts; raises `SettingsError` for a value without meaning.

    ``--wb R,G,B`` is the light under which the mosaic was taken, too; ``--bits 9`` to ``15`` are the sensor's.
    """
    from rawfix.errors import SettingsError
    from rawfix.io.mosaic_facts import MosaicFacts

    values = {name: parameters.get(name) for name in _OPTIONS}
    values["bits"] = parameters.get("input_bits")
    of_input = input_bits(parameters.get("bits"), parameters.get("format"))
    if of_input is not None and values["bits"] not in (None, of_input):
        raise SettingsError(f"--bits {of_input} and --input-bits {values['bits']} contradict each other")
    values["bits"] = of_input if of_input is not None else values["bits"]
    wb = parameters.get("wb")
    if wb and (wb.count(",") == 2 or "format" not in parameters):
        values["wb"] = wb
    return MosaicFacts.from_values(values)


def input_bits(bits: int | None, format: str | None) -> int | None:
    """``--bits`` where it speaks of the input; None where of the output, as it always does for AVIF."""
    return bits if format != "avif" and bits is not None and 8 < bits < 16 else None


def check_facts(given: MosaicFacts, sources: Iterable[Path], wb_is_look: bool) -> None:
    """Refuse a description of mosaics where no input is one; raises `SettingsError`."""
    from dataclasses import replace

    from rawfix.errors import SettingsError
    from rawfix.io.mosaic_facts import MosaicFacts
    from rawfix.io.read import MOSAIC_SUFFIXES

    said = replace(given, wb=None) if wb_is_look else given
    if said != MosaicFacts() and not any(path.suffix.lower() in MOSAIC_SUFFIXES for path in sources):
        raise SettingsError(
            "--cfa, --size, --black, --white, --input-bits (--bits 9 to 15), --byte-order, --packing and --matrix "
            f"describe mosaics without a RAW container ({' '.join(sorted(MOSAIC_SUFFIXES))}); no input is one"
        )
