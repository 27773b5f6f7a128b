"""What several commands take, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

Data = Annotated[Path, typer.Option("--data", help="Folder of photographs, or a bundle made by pack.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]


def fail(message: str) -> NoReturn:
    """Refuse, with one line."""
    typer.echo(f"rawfix.training: {message}", err=True)
    raise typer.Exit(2)


def read_sources(card: Path | None) -> list[dict[str, str]] | None:
    """The data sets a card names."""
    if card is None:
        return None
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
        return [{"name": str(entry["name"]), "license": str(entry["license"])} for entry in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        fail(f"--data-card {card}: not a JSON list of objects with name and license ({error})")


def settle(device: str, threads: int) -> None:
    """Check the device and set torch's threads."""
    import torch

    from rawfix.nn.threads import available_threads

    if device not in ("cpu", "cuda"):
        fail(f"--device {device}: give cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        fail("--device cuda: this torch sees no CUDA device; use --device cpu")
    torch.set_num_threads(threads or available_threads())
