"""``pack``: crops of training pictures in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix.training.commands.shared import Data, fail


def pack(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle to write, .npz.")],
    megabytes: Annotated[float, typer.Option(help="Size of the bundle, about.")] = 50.0,
    seed: Annotated[int, typer.Option(help="Where crops are taken.")] = 1,
) -> None:
    """Bundle crops of training pictures, to train elsewhere."""
    from rawfix.training.data import pack as write

    try:
        count = write(data, output, megabytes, seed)
    except FileNotFoundError as error:
        fail(str(error))
    typer.echo(f"{output}: {count} pictures, {output.stat().st_size / 1e6:.1f} MB")
