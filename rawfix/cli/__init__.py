"""The command line: parse, call, print. Only here typer and rich."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Entry point of ``rawfix``."""
    from rawfix.cli.app import app

    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a name or an arrow that the console's encoding lacks is no failure
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
