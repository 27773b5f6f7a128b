"""``rawfix badpixels learn``, ``list``, ``show`` and ``forget``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from rawfix.batch.inputs import find_sources
from rawfix.batch.learn import learn as learn_map
from rawfix.cli import exit_codes
from rawfix.cli.console import file_progress, out, print_json, refuse
from rawfix.cli.missed import Missed
from rawfix.errors import OutputError, RawfixError, SettingsError
from rawfix.io.bad_maps import BadMap, all_maps, choose_map, find_map, forget_map, path_of, united, write_map


def learn(
    files: list[str], *, recursive: bool, dark: bool, camera: str, add: bool, overwrite: bool, as_json: bool
) -> int:
    """Learn and keep a map; returns the exit code."""
    failed: list[Path] = []
    missed = Missed()

    def refused(path: Path, error: RawfixError) -> None:
        failed.append(path)
        refuse(error if path.name in str(error) else f"{path.name}: {error}")

    try:
        if add and overwrite:
            raise SettingsError("--add and --overwrite exclude each other")
        sources = [source.path for source in find_sources(files, recursive=recursive, missed=missed)]
        if not sources:
            return missed.all(" ".join(files))
        with file_progress(len(sources)) as progress:
            learnt = learn_map(
                sources,
                dark=dark,
                camera=camera,
                refused=refused,
                progress=lambda path: progress.finish(),
                begin=partial(check_absent, replaces=add or overwrite),
            )
        keep(learnt, add=add, overwrite=overwrite, as_json=as_json)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    return missed.code(exit_codes.SOME_FAILED if failed else exit_codes.DONE)


def keep(made: BadMap, *, add: bool, overwrite: bool, as_json: bool = False) -> None:
    """Write a map, alone or united with the body's, and tell; raises `SettingsError`, `OutputError`."""
    before = find_map(made.camera, made.serial) if add else None
    kept = made if before is None else united(before, made)
    check_absent(kept.camera, kept.serial, replaces=overwrite or add)
    path = write_map(kept, overwrite=overwrite or add)
    if as_json:
        print_json({**facts(kept), "path": str(path)})
    else:
        out.print(f"{kept.name}: {len(kept.sites)} bad pixels from {origin(kept)} → {path}", soft_wrap=True)


def check_absent(camera: str, serial: str, *, replaces: bool) -> None:
    """Refuse a body that has a map already, unless that is to be replaced; raises `OutputError`."""
    if not replaces and path_of(camera, serial).exists():
        name = f"{camera} {serial}".strip()
        raise OutputError(f"{name}: has a map already; use --overwrite to replace it, or --add")


def facts(found: BadMap) -> dict[str, Any]:
    """A map without its pixels, as plain values."""
    names = ("camera", "serial", "width", "height", "made", "source", "frames", "iso", "seconds", "kinds")
    return {**{name: getattr(found, name) for name in names}, "pixels": len(found.sites)}


def origin(found: BadMap) -> str:
    """What a map was made from, in words."""
    text = f"{found.frames} {found.source}" if found.frames else found.source
    if found.iso:
        low, high = found.iso
        text += f", ISO {low:g}" + (f"–{high:g}" if high != low else "")
    if found.seconds:
        low, high = found.seconds
        text += f", {low:.3g}" + (f"–{high:.3g} s" if high != low else " s")
    return text


def list_maps(*, as_json: bool) -> int:
    """Print every map; returns the exit code."""
    try:
        maps = all_maps()
    except SettingsError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    if as_json:
        for found in maps:
            print_json(facts(found))
        return exit_codes.DONE
    if not maps:
        out.print("No maps yet: rawfix badpixels learn --dark FILES")
        return exit_codes.DONE
    table = Table("body", "sensor", "bad pixels", "made", "from")
    for found in maps:
        cells = (
            found.name,
            f"{found.width} × {found.height}",
            str(len(found.sites)),
            found.made,
            origin(found),
        )
        table.add_row(*(Text(cell) for cell in cells))
    out.print(table)
    return exit_codes.DONE


def show(name: str, *, as_json: bool) -> int:
    """Print one map; returns the exit code."""
    try:
        found = choose_map(name)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    if as_json:
        print_json({**facts(found), "sites": [list(site) for site in found.sites]})
        return exit_codes.DONE
    table = Table(title=Text(found.name), show_header=False, title_justify="left")
    kinds = ", ".join(f"{number} {kind}" for kind, number in found.kinds.items() if number)
    rows = {
        "sensor": f"{found.width} × {found.height}",
        "made": found.made,
        "from": origin(found),
        "bad pixels": str(len(found.sites)) + (f": {kinds}" if kinds else ""),
        "file": str(path_of(found.camera, found.serial)),
    }
    for key, value in rows.items():
        table.add_row(key, Text(value))
    out.print(table)
    return exit_codes.DONE


def forget(name: str) -> int:
    """Delete one map; returns the exit code."""
    try:
        found = choose_map(name)
        forget_map(found)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    out.print(f"{found.name}: forgotten ({len(found.sites)} bad pixels)", soft_wrap=True)
    return exit_codes.DONE
