"""``rawfix develop``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rawfix.batch.plan import expand, plan
from rawfix.batch.run import Options, Result, run_job
from rawfix.cli import exit_codes
from rawfix.cli.console import err, file_progress, out, print_json, refuse
from rawfix.errors import ModelError, OutputError, RawfixError, SettingsError
from rawfix.pipeline import check_settings
from rawfix.settings import Settings


def run(
    files: list[str],
    values: dict[str, Any],
    *,
    output: Path | None,
    name: str,
    overwrite: bool,
    skip_existing: bool,
    bad_map: Path | None,
    save_stages: Path | None,
    as_json: bool,
) -> int:
    """Develop every file; returns the exit code."""
    try:
        if overwrite and skip_existing:
            raise SettingsError("--overwrite and --skip-existing exclude each other")
        settings = Settings.from_dict(values)
        check_settings(settings)
        sources = expand(files)
        if not sources:
            refuse(f"no input matched {' '.join(files)}")
            return exit_codes.NO_INPUT
        if bad_map is not None and len(sources) > 1 and bad_map.suffix.lower() == ".png":
            raise SettingsError(f"--bad-map {bad_map}: one file for {len(sources)} inputs; give a folder")
        jobs = plan(sources, output, name, settings.format, space=settings.space, quality=settings.quality)
        if output is not None:
            _make_folder(jobs[0].target.parent)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    options = Options(overwrite, skip_existing, save_stages, bad_map)
    failed = 0
    with file_progress(len(jobs)) as progress:
        for job in jobs:
            progress.start(job.source.name)
            try:
                result = run_job(job, settings, options, progress.tile)
            except ModelError as error:
                refuse(error)
                return exit_codes.MODEL
            except RawfixError as error:
                failed += 1
                refuse(error if job.source.name in str(error) else f"{job.source.name}: {error}")
                result = Result(job.source, job.target, "failed", error=str(error))
            _report(result, as_json)
            progress.finish()
    return exit_codes.of_batch(failed, len(jobs))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be created: {error.strerror}; choose another folder with -o"
        ) from error


def _report(result: Result, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict())
        return
    for note in result.notes:
        err.print(f"rawfix: {result.source.name}: note: {note}", markup=False, soft_wrap=True)
    if result.status == "done":
        defects = "" if result.bad_pixels is None else f", {result.bad_pixels} bad pixels repaired"
        text = f"{result.source} → {result.target} ({result.seconds:.1f} s{defects})"
        out.print(text, markup=False, soft_wrap=True)
    elif result.status == "skipped":
        out.print(f"{result.source} → {result.target} (exists, skipped)", markup=False, soft_wrap=True)
