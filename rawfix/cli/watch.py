"""``rawfix watch``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rawfix.batch.execute import prepare
from rawfix.batch.inputs import Source
from rawfix.batch.watch import arrivals
from rawfix.cli import exit_codes
from rawfix.cli.console import err, refuse
from rawfix.cli.develop import carry_out, terminated_like_interrupted
from rawfix.cli.places import check_output
from rawfix.cli.request import Request
from rawfix.errors import OutputError, SettingsError


def run(request: Request, folder: Path, *, recursive: bool, settle: float) -> int:
    """Develop what comes into a folder until interrupted, or the folder is gone; returns the exit code."""
    try:
        if not folder.is_dir():
            raise SettingsError(f"{folder}: is no folder to watch")
        if not 0 <= settle <= 3600:
            raise SettingsError(f"--settle {settle:g}: give 0 to 3600 seconds")
        if "{seq" in request.name:
            raise SettingsError(f"--name {request.name!r}: files that come one by one have no {{seq}}")
        check_output(request.output, [str(folder)], 0)
        request.plan([Source(folder / "example.dng")])
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    with terminated_like_interrupted():
        try:
            if not request.json:
                err.print(f"rawfix: watching {folder}; Ctrl-C ends it", soft_wrap=True)
            for sources in arrivals(folder, recursive=recursive, settle=settle):
                code = _develop(request, sources)
                if code in (exit_codes.INTERRUPTED, exit_codes.MODEL):
                    return code
            refuse(f"{folder}: is gone; watch another folder, or this one when it is back")
            return exit_codes.SOME_FAILED
        except KeyboardInterrupt:
            pass
    return exit_codes.INTERRUPTED


def _develop(request: Request, sources: list[Source]) -> int:
    """Develop those that are not up to date."""
    try:
        planned = prepare(request.plan(sources), request.recipe, request.options())
        steps = [step for step in planned.steps if step[1] is None or step[1].kind != "unchanged"]
        if not steps:
            return exit_codes.DONE
        request.make_folders([job for job, _ in steps])
    except SettingsError as error:
        if len(sources) > 1:  # two of them want one name: each by itself, the first one gets it
            return max(_develop(request, [source]) for source in sources)
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    return carry_out(replace(planned, steps=steps), request)
