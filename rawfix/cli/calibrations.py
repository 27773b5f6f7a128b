"""``rawfix calibrate noise``, ``psf``, ``list``, ``show`` and ``forget``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from rawfix.batch.calibrated import calibrate_noise, calibrate_psf
from rawfix.batch.inputs import find_sources
from rawfix.classical import describe_psf
from rawfix.cli import exit_codes
from rawfix.cli.console import file_progress, out, print_json, refuse
from rawfix.cli.missed import Missed
from rawfix.cli.noise_plot import noise_svg
from rawfix.errors import OutputError, RawfixError, SettingsError
from rawfix.io.atomic import check_target, replacing
from rawfix.io.calibrations import (
    Calibration,
    all_calibrations,
    choose_calibration,
    forget_calibration,
    path_of,
    write_calibration,
)
from rawfix.physics.noise_calibration import NoiseCalibration


def noise(
    files: list[str], *, recursive: bool, camera: str, plot: Path | None, overwrite: bool, as_json: bool
) -> int:
    """Measure and keep a body's noise; returns the exit code."""
    failed: list[Path] = []
    missed = Missed()

    def refused(path: Path, error: RawfixError) -> None:
        failed.append(path)
        refuse(error if path.name in str(error) else f"{path.name}: {error}")

    try:
        if plot is not None:
            if plot.suffix.lower() != ".svg":
                raise SettingsError(f"--plot {plot}: is written as .svg")
            check_target(plot, overwrite)
        sources = [source.path for source in find_sources(files, recursive=recursive, missed=missed)]
        if not sources:
            return missed.all(" ".join(files))
        with file_progress(len(sources)) as progress:
            made = calibrate_noise(sources, camera, refused, lambda path: progress.finish())
        path = write_calibration(made)
        assert made.noise is not None
        if plot is not None:
            with replacing(plot, overwrite) as temporary:
                temporary.write_text(noise_svg(made.name, made.noise), encoding="utf-8")
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    if as_json:
        print_json({**asdict(made), "path": str(path)})
    else:
        out.print(_speeds(made.noise))
        out.print(f"{made.name}: {describe_noise(made.noise)} → {path}", soft_wrap=True)
    return missed.code(exit_codes.SOME_FAILED if failed else exit_codes.DONE)


def psf(chart: Path, *, camera: str, lens: str, as_json: bool) -> int:
    """Measure and keep a lens's PSF; returns the exit code."""
    try:
        calibration, made = calibrate_psf(chart, camera, lens)
        path = write_calibration(calibration)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except RawfixError as error:
        refuse(error if chart.name in str(error) else f"{chart.name}: {error}")
        return exit_codes.ALL_FAILED
    if as_json:
        print_json(
            {"camera": calibration.camera, "serial": calibration.serial, **asdict(made), "path": str(path)}
        )
    else:
        name = f"{calibration.name}, {made.lens or 'lens unknown'}"
        out.print(f"{name}: {describe_psf(made.psf)}, {made.edges} edges → {path}", soft_wrap=True)
    return exit_codes.DONE


def describe_noise(noise: NoiseCalibration) -> str:
    """Speeds and agreement with the law, in words."""
    isos = ", ".join(f"{speed.iso:g}" for speed in noise.speeds)
    return f"noise at ISO {isos}; {100 * noise.residual:.1f} % off the law"


def list_calibrations(*, as_json: bool) -> int:
    """Print every calibration; returns the exit code."""
    try:
        known = all_calibrations()
    except SettingsError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    if as_json:
        for each in known:
            print_json(asdict(each))
        return exit_codes.DONE
    if not known:
        out.print("No calibrations yet: rawfix calibrate noise FILES, rawfix calibrate psf CHART")
        return exit_codes.DONE
    table = Table("body", "noise at ISO", "lenses")
    for each in known:
        isos = "" if each.noise is None else ", ".join(f"{speed.iso:g}" for speed in each.noise.speeds)
        lenses = ", ".join(psf.lens or "unknown" for psf in each.psfs)
        table.add_row(*(Text(cell) for cell in (each.name, isos, lenses)))
    out.print(table)
    return exit_codes.DONE


def show(name: str, *, as_json: bool) -> int:
    """Print one calibration; returns the exit code."""
    try:
        found = choose_calibration(name)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    if as_json:
        print_json(_facts(found))
        return exit_codes.DONE
    out.print(Text(found.name))
    if found.noise is not None:
        out.print(_speeds(found.noise))
        out.print(f"{describe_noise(found.noise)}; made {found.noise_made}", soft_wrap=True)
    for known in found.psfs:
        text = f"{known.lens or 'lens unknown'}: {describe_psf(known.psf)}, {known.edges} edges, made {known.made}"
        out.print(Text(text), soft_wrap=True)
    return exit_codes.DONE


def forget(name: str) -> int:
    """Delete one calibration; returns the exit code."""
    try:
        found = choose_calibration(name)
        forget_calibration(found)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    out.print(f"{found.name}: forgotten", soft_wrap=True)
    return exit_codes.DONE


def _facts(found: Calibration) -> dict[str, Any]:
    return {**asdict(found), "path": str(path_of(found.camera, found.serial))}


def _speeds(noise: NoiseCalibration) -> Table:
    """One row a speed; variances of green."""
    table = Table("ISO", "shot", "read", "rows", "columns", "frames")
    for speed in noise.speeds:
        frames = f"{speed.frames}" + ("" if speed.is_measured else ", by the law")
        figures = (speed.shot[1], speed.read[1], speed.row, speed.column)
        table.add_row(f"{speed.iso:g}", *(f"{figure:.3g}" for figure in figures), frames)
    return table
