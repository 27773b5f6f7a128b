"""What a command line names in vain is told, and shows in the exit code."""

from __future__ import annotations

from dataclasses import dataclass

from rawfix.cli import exit_codes
from rawfix.cli.console import refuse


@dataclass(slots=True)
class Missed:
    """Tells of arguments without files as `find_sources` finds them, and remembers that there were any."""

    any: bool = False

    def __call__(self, cause: str) -> None:
        self.any = True
        refuse(cause)

    def all(self, named: str) -> int:
        """The exit code where nothing was found in what was named."""
        if not self.any:
            refuse(f"{named}: no input matched; name RAW files or folders")
        return exit_codes.NO_INPUT

    def code(self, code: int) -> int:
        """The exit code of a run over what was found."""
        return exit_codes.SOME_FAILED if self.any and code == exit_codes.DONE else code
