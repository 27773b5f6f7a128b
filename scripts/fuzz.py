"""Damaged RAW files through the command line: nothing may crash, hang, or grow without bounds.

    python -m scripts.fuzz FOLDER_OF_RAW_FILES --count 2000 --seed 1 --report fuzz.json

Every mutant (`scripts/mutants.py`) goes through ``rawfix info`` and ``rawfix develop``, some at a time in one process
each, as a user's files do. What is looked for: a traceback, a process that dies by a signal, an exit code that is not
in the table, more than 60 seconds of computing (or --waiting) without a word, more than 2 GiB of memory in any
process, a file that is not answered for. The exit code is 1 where anything was found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from scripts.fuzzing import WAITING, Findings, fuzz, sources_in


def main() -> int:
    """Read the arguments, run, print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="RAW files to damage; folders within are searched too")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--together", type=int, default=25, help="mutants a command")
    parser.add_argument(
        "--largest", type=int, default=4_000_000, help="bytes of a source; larger ones are left out"
    )
    parser.add_argument("--waiting", type=float, default=WAITING, help="seconds a command may be silent")
    parser.add_argument("--keep", type=Path, help="folder for mutants that did what must not be")
    parser.add_argument("--report", type=Path, help="write what was found as JSON")
    given = parser.parse_args()
    sources = sources_in(given.folder, given.largest)
    if not sources:
        print(f"no file of at most {given.largest} bytes in {given.folder}", file=sys.stderr)
        return 3
    folder = given.keep or Path(tempfile.mkdtemp(prefix="rawfix-fuzz-"))

    def as_text(found: Findings) -> str:
        return json.dumps({"seed": given.seed, "first": given.first, **vars(found)}, indent=1)

    def tell(found: Findings) -> None:
        if given.report:
            given.report.write_text(as_text(found))

    numbers = range(given.first, given.first + given.count)
    found = fuzz(
        sources, numbers, given.seed, folder, together=given.together, waiting=given.waiting, tell=tell
    )
    print(as_text(found))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
