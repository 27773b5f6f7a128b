"""``export``: a model folder from a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

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
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Folder of strips, by evaluate --pictures: the first four by name go into the card."
        ),
    ] = None,
    average: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another checkpoint of the same training, to average the weights with; repeatable."
        ),
    ] = None,
) -> None:
    """Write a checkpoint's network as a model folder: graph, manifest, test patch, card."""
    from rawfix.training.export import export as write

    try:
        figures = None if metrics is None else _read_figures(metrics)
        folder = write(checkpoint, models, figures, read_sources(data_card), views, pictures, average or ())
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))
    typer.echo(str(folder))


def _read_figures(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"--metrics {path}: no JSON ({error}); give what evaluate --json wrote") from error
    if not isinstance(found, dict):
        raise ValueError(
            f"--metrics {path}: no figures but a {type(found).__name__}; give what evaluate --json wrote"
        )
    return found
