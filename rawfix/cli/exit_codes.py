"""The exit codes, and what a run of many files amounts to."""

from __future__ import annotations

DONE = 0
SOME_FAILED = 1
USAGE = 2
NO_INPUT = 3
MODEL = 4
ALL_FAILED = 5
INTERRUPTED = 130

HELP = (
    "Exit codes: 0 all done or already there; 1 some files failed; 2 usage; 3 no input matched; "
    "4 a model is missing or failed its check; 5 all files failed; 130 interrupted."
)


def of_batch(failed: int, total: int) -> int:
    """The code for ``failed`` of ``total`` files."""
    if not failed:
        return DONE
    return ALL_FAILED if failed == total else SOME_FAILED
