"""``export``: a model folder from a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rawfix.training.commands.shared import fail, read_sources


def export(
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Of a run.")],
    models: Annotated[Path, typer.Option("--models", help="Folder of models to write into.")] = Path(
        "models"
    ),
    metrics: Annotated[
        Path | None, typer.Option(help="JSON with measured figures for manifest and card.")
    ] = None,
    data_card: Annotated[
        Path | None, typer.Option(help="JSON list of {name, license}: what the pictures were.")
    ] = None,
    views: Annotated[
        int,
        typer.Option(
            help="demosaic: ask the network so often, turned and mirrored, and average; is tier best.",
            min=1,
            max=8,
        ),
    ] = 1,
) -> None:
    """Write a checkpoint's network as a model folder: graph, manifest, test patch, card."""
    from rawfix.training.export import export as write

    figures = None if metrics is None else json.loads(metrics.read_text())
    try:
        folder = write(checkpoint, models, figures, read_sources(data_card), views)
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))
    typer.echo(str(folder))
