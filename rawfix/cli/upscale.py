"""``rawfix upscale``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rawfix.batch.enlarge import FORMATS, Order, enlarge_file, is_file, plan_enlarging
from rawfix.batch.events import pictures_event, summary_event
from rawfix.batch.inputs import find_sources
from rawfix.batch.plan import DEFAULT_NAME
from rawfix.batch.tally import Tally
from rawfix.cli import exit_codes
from rawfix.cli.console import file_progress, print_json, refuse
from rawfix.cli.develop import terminated_like_interrupted
from rawfix.cli.missed import Missed
from rawfix.cli.places import check_output
from rawfix.cli.telling import Telling
from rawfix.errors import ModelError, OutputError, SettingsError
from rawfix.io.atomic import make_folder
from rawfix.io.picture_file import SUFFIXES
from rawfix.io.stale import remove_stale
from rawfix.upscaling import Enlarging, upscale_model


def run(files: list[str], options: Mapping[str, Any]) -> int:
    """Enlarge every picture; returns the exit code.

    Parameters
    ----------
    files
        Pictures, wildcards, folders.
    options
        The command's parameters.
    """
    missed = Missed()
    try:
        order = order_of(options)
        sources = find_sources(files, recursive=options["recursive"], suffixes=SUFFIXES, missed=missed)
        own = DEFAULT_NAME if is_file(options["output"]) else f"{{stem}}-x{order.how.scale}"
        check_output(options["output"], files, len(sources), FORMATS)
        jobs = plan_enlarging(sources, options["output"], options["name"] or own, order)
        if not jobs:
            return missed.all(" ".join(files))
        upscale_model(order.how.scale, order.how.quality)
        folders = {job.target.parent for job in jobs}
        for folder in sorted(folders) if options["output"] else ():
            make_folder(folder)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except ModelError as error:
        refuse(error)
        return exit_codes.MODEL
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    if options["json"]:
        print_json(pictures_event(len(jobs), order.facts()))
    started = time.monotonic()
    tally, taken = Tally(len(jobs)), dict[str, Path]()
    remove_stale(folders)
    with terminated_like_interrupted(), file_progress(len(jobs)) as progress:
        telling = Telling(progress, options["json"])
        try:
            for job in jobs:
                result = enlarge_file(job, order, taken, telling.tile)
                tally.counts[result.status] += 1
                telling.result(result)
                if result.stops:
                    tally.stopped = result.stops
                    break
            code = exit_codes.of_batch(tally.failed + tally.left, tally.total)
            code = exit_codes.MODEL if tally.stopped == "model" else code
        except KeyboardInterrupt:
            tally.stopped = "interrupt"
            code = exit_codes.INTERRUPTED
            refuse(
                f"interrupted with {tally.left} files left; finished files are complete, give --skip-existing to go on"
            )
    code = missed.code(code)
    if options["json"]:
        print_json(summary_event(tally, time.monotonic() - started, code))
    return code


def order_of(options: Mapping[str, Any]) -> Order:
    """What the options ask for; raises `SettingsError`."""
    if options["strip"] not in (None, "private"):
        raise SettingsError(f"--strip {options['strip']}: there is private")
    output = options["output"]
    format = options["format"] or (FORMATS[output.suffix.lower()] if is_file(output) else "")
    names = ("scale", "detail", "seed", "quality", "tile", "threads", "provider")
    return Order(
        Enlarging(**{name: options[name] for name in names}),
        options["guard"],
        format,
        options["picture_quality"] or 0,
        options["overwrite"],
        options["skip_existing"],
        options["strip"] is not None,
    )
