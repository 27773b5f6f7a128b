"""The command line: parse, call, print. Only here typer and rich."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of ``rawfix``."""
    from rawfix.cli.app import app
    from rawfix.cli.exit_codes import INTERRUPTED

    try:
        app()
    except KeyboardInterrupt:
        sys.stderr.write(
            "rawfix: interrupted; finished files are complete, run again with --skip-existing to go on\n"
        )
        raise SystemExit(INTERRUPTED) from None
