"""``rawfix adjust``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rawfix.batch.adjust import Treatment, adjust, plan_adjustments
from rawfix.batch.events import summary_event
from rawfix.batch.inputs import expand
from rawfix.batch.recipe import from_flat
from rawfix.batch.tally import Tally
from rawfix.cli import exit_codes
from rawfix.cli.console import file_progress, print_json, refuse
from rawfix.cli.missed import Missed
from rawfix.cli.places import check_output
from rawfix.cli.telling import Telling
from rawfix.errors import OutputError, SettingsError
from rawfix.io.atomic import make_folder
from rawfix.io.stale import remove_stale
from rawfix.kept import SUFFIX
from rawfix.settings import with_defaults


def run(files: list[str], given: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    """Render every file; returns the exit code.

    Parameters
    ----------
    files
        Maps files, wildcards, folders.
    given
        Settings by their flat names, as far as the user said them.
    options
        The command's parameters.
    """
    missed = Missed()
    try:
        if options["overwrite"] and options["skip_existing"]:
            raise SettingsError("--overwrite and --skip-existing exclude each other")
        if options["strip"] not in (None, "private"):
            raise SettingsError(f"--strip {options['strip']}: there is private")
        settings = from_flat(with_defaults(given))
        found = find_maps_files(files, missed)
        if not found:
            return missed.all(" ".join(files))
        check_output(options["output"], files, len(found))
        planned = plan_adjustments(found, options["output"], options["name"], settings)
        folders = {adjustment.job.target.parent for adjustment in planned}
        for folder in sorted(folders) if options["output"] else ():
            make_folder(folder)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    treatment = Treatment(
        settings, options["overwrite"], options["skip_existing"], options["strip"] is not None
    )
    started = time.monotonic()
    tally, taken = Tally(len(planned)), dict[str, Path]()
    remove_stale(folders)
    with file_progress(len(planned)) as progress:
        telling = Telling(progress, options["json"])
        try:
            for adjustment in planned:
                result = adjust(adjustment, treatment, taken)
                tally.counts[result.status] += 1
                telling.result(result)
                if result.stops:
                    tally.stopped = result.stops
                    break
            code = (
                exit_codes.MODEL
                if tally.stopped == "model"
                else exit_codes.of_batch(tally.failed + tally.left, tally.total)
            )
        except KeyboardInterrupt:
            tally.stopped = "interrupt"
            code = exit_codes.INTERRUPTED
            refuse(f"interrupted with {tally.left} files left; finished files are complete")
    code = missed.code(code)
    if options["json"]:
        print_json(summary_event(tally, time.monotonic() - started, code))
    return code


def find_maps_files(files: list[str], missed: Missed) -> list[Path]:
    """The files named, and of folders those that ``--save-maps`` wrote; arguments without any are told."""
    found: dict[Path, None] = {}
    for name in files:
        path = Path(name)
        kept = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else expand([name], missed)
        if not kept and path.is_dir():
            missed(f"{name}: is a folder without *{SUFFIX}; name another folder, or files")
        found |= dict.fromkeys(kept)
    return list(found)
