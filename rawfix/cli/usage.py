"""A command line without meaning is refused in a line, as everything else is."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from rawfix.cli import exit_codes
from rawfix.cli.console import refuse

USAGE_ERROR: type[Any] = typer.BadParameter.__mro__[1]
"""Click's UsageError, be it the installed click's or that of typer itself."""


class Commands(TyperGroup):
    """The root of all commands; refuses what it cannot parse, and sends to the help of the command meant."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line and end with its exit code; without ``standalone_mode`` return or raise, as click does."""
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except USAGE_ERROR as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()
            else:
                refuse(f"{describe(error)}; see {_path_of(error.ctx)} --help")
            sys.exit(exit_codes.USAGE)
        except typer.Abort:
            refuse("interrupted")
            sys.exit(exit_codes.INTERRUPTED)
        sys.exit(code or exit_codes.DONE)


def describe(error: Any) -> str:
    """What click found, after the name of the option."""
    text = str(error.message if isinstance(error, typer.BadParameter) else "") or str(error.format_message())
    text = text[:1].lower() + text[1:].rstrip(".")
    param = getattr(error, "param", None)
    names = [name for name in getattr(param, "opts", ()) if name.startswith("-")]
    return f"{max(names, key=len)}: {text}" if names and error.message else text


def _path_of(context: Any) -> str:
    """``rawfix preset save``, however rawfix was started."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name)
        context = context.parent
    return " ".join(("rawfix", *names))
