"""The command line: parse, call, print. Only here typer and rich."""

from __future__ import annotations


def main() -> None:
    """Entry point of ``rawfix``."""
    from rawfix.cli.app import app
    from rawfix.cli.streams import streams

    with streams():
        app()
