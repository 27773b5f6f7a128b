"""``rawfix develop``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rawfix.batch.inputs import find_sources, read_list
from rawfix.batch.plan import Job, plan
from rawfix.batch.run import Options, Result, run_job
from rawfix.cli import exit_codes
from rawfix.cli.console import err, file_progress, out, print_json, refuse
from rawfix.errors import InferenceError, ModelError, OutputError, RawfixError, SettingsError
from rawfix.io.atomic import make_folder
from rawfix.pipeline import check_settings
from rawfix.settings import Settings


def run(
    files: list[str],
    values: dict[str, Any],
    *,
    files_from: str | None,
    recursive: bool,
    output: Path | None,
    name: str,
    overwrite: bool,
    skip_existing: bool,
    bad_map: Path | None,
    save_stages: Path | None,
    strip: str | None,
    as_json: bool,
) -> int:
    """Develop every file; returns the exit code."""
    try:
        if overwrite and skip_existing:
            raise SettingsError("--overwrite and --skip-existing exclude each other")
        if strip not in (None, "private"):
            raise SettingsError(f"--strip {strip}: there is private")
        settings = Settings.from_dict(values)
        check_settings(settings)
        listed = read_list(files_from) if files_from else []
        found = find_sources(files, listed, recursive=recursive)
        sources = [source.path for source in found]
        if not sources:
            refuse(f"no input matched {' '.join(files) or files_from}")
            return exit_codes.NO_INPUT
        if bad_map is not None and bad_map.suffix.lower() not in ("", ".png"):
            raise SettingsError(f"--bad-map {bad_map}: is written as .png; or give a folder")
        if bad_map is not None and len(sources) > 1 and bad_map.suffix:
            raise SettingsError(f"--bad-map {bad_map}: one file for {len(sources)} inputs; give a folder")
        jobs = plan(
            sources, output, name, settings.format, space=settings.space, quality=settings.quality,
            below={source.path: source.below for source in found},
        )  # fmt: skip
        folders = [save_stages, *({job.target.parent for job in jobs} if output else ())]
        folders.append(None if bad_map is None else bad_map.parent if bad_map.suffix else bad_map)
        for folder in folders:
            if folder is not None:
                make_folder(folder)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    options = Options(overwrite, skip_existing, save_stages, bad_map, strip_private=strip is not None)
    try:
        return _run_all(jobs, settings, options, as_json)
    except KeyboardInterrupt:
        refuse("interrupted; finished files are complete, run again with --skip-existing to go on")
        return exit_codes.INTERRUPTED


def _run_all(jobs: list[Job], settings: Settings, options: Options, as_json: bool) -> int:
    """Develop one job after another; a file that fails does not stop the others, a broken model does."""
    failed = 0
    written: set[str] = set()
    with file_progress(len(jobs)) as progress:
        for job in jobs:
            progress.start(job.source.name)
            try:
                result = run_job(job, settings, options, written, progress.tile)
            except RawfixError as error:
                refuse(error if job.source.name in str(error) else f"{job.source.name}: {error}")
                result = Result(job.source, None, "failed", error=str(error))
                failed += 1
                if isinstance(error, ModelError) and not isinstance(error, InferenceError):
                    _report(result, as_json)
                    return exit_codes.MODEL
            _report(result, as_json)
            progress.finish()
    return exit_codes.of_batch(failed, len(jobs))


def _report(result: Result, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict())
        return
    for note in result.notes:
        err.print(f"rawfix: {result.source.name}: note: {note}", soft_wrap=True)
    if result.status == "done":
        defects = "" if result.bad_pixels is None else f", {result.bad_pixels} bad pixels repaired"
        text = f"{result.source} → {result.target} ({result.seconds:.1f} s{defects})"
        out.print(text, soft_wrap=True)
    elif result.status == "skipped":
        out.print(f"{result.source} → {result.target} (exists, skipped)", soft_wrap=True)
