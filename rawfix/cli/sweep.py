"""``rawfix sweep``: its options, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rawfix.cli import exit_codes, look, options


def sweep(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A RAW file, or its X.maps.tif of develop --save-maps.", show_default=False)
    ],
    denoise: Annotated[str, typer.Option(help="Strengths, -1…2 or auto, with commas.")] = "0,0.5,1",
    deblur: Annotated[str, typer.Option(help="Strengths, -1…2 or auto, with commas.")] = "0,0.5,1",
    detail: Annotated[
        str | None,
        typer.Option(help="Details, 0…1, with commas; then --denoise and --deblur take one strength each."),
    ] = None,
    upscale: look.Upscale = None,
    seed: look.Seed = 0,
    guard: look.Guard = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; default: beside the file.")
    ] = None,
    overwrite: options.Overwrite = False,
    defringe: look.Defringe = 0.0,
    dehaze: look.Dehaze = 0.0,
    wb: look.Wb = "as-shot",
    exposure: look.Exposure = 0.0,
    tone: look.Tone = None,
    highlights: look.Highlights = "rebuild",
    space: options.Space = None,
    linear: options.Linear = None,
    bad_pixels: look.BadPixels = "auto",
    quality: Annotated[str, typer.Option(help="Tier of the networks: fast, standard, best.")] = "standard",
    tile: options.Tile = 0,
    threads: options.Threads = 0,
    provider: options.Provider = "cpu",
    json: options.Json = False,
) -> None:
    """Compare strengths: a labelled contact sheet of them, and crops at full size; the networks run once.

    The crops show a flat dark place, where noise is seen best, and the strongest edge.
    """
    given = options.given_settings(context)
    given.pop("detail", None)
    raise typer.Exit(
        run(file, output or file.parent, given, denoise, deblur, detail, overwrite=overwrite, as_json=json)
    )


def run(
    file: Path,
    folder: Path,
    given: Mapping[str, Any],
    denoise: str,
    deblur: str,
    detail: str | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Sweep a file; returns the exit code."""
    from rawfix.batch import sweep as sweeping
    from rawfix.batch import sweep_detail as detailing
    from rawfix.batch.events import SCHEMA_VERSION
    from rawfix.batch.recipe import from_flat
    from rawfix.cli.console import err, file_progress, out, print_json, refuse
    from rawfix.errors import InferenceError, ModelError, RawfixError, SettingsError
    from rawfix.io.atomic import make_folder
    from rawfix.kept import SUFFIX
    from rawfix.settings import with_defaults

    rest = {name: value for name, value in given.items() if name not in ("denoise", "deblur")}
    try:
        if detail is not None:
            for name in ("denoise", "deblur"):
                rest[name] = _only(name, str(given.get(name, "0")))
            rest.setdefault("upscale", 2)
        elif {"upscale", "seed", "guard"} & set(given):
            raise SettingsError("--upscale, --seed and --no-guard: are for a sweep of --detail")
        networks = {"quality", "tile", "provider"} if detail is None else set()
        if file.name.endswith(SUFFIX) and (fixed := {"bad_pixels", *networks} & set(given)):
            told = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(fixed))
            raise SettingsError(f"{told}: what {file.name} keeps was made without; sweep the RAW file")
        settings = from_flat(with_defaults({**rest, "format": "png", "bits": 8}))
        if settings.quality == "auto":
            raise SettingsError("--quality auto: sweep takes a tier; give fast, standard or best")
        levels = (_levels("denoise", denoise), _levels("deblur", deblur))
        details = [] if detail is None else [_number(part) for part in detail.split(",")]
        if detail is None:
            sweeping.check_sweep(file, *levels, settings)
        else:
            detailing.check_details(file, details, settings)
        if not file.is_file():
            refuse(f"{file}: no input matched; check the path")
            return exit_codes.NO_INPUT
        make_folder(folder)
        with file_progress(1) as progress:
            found: sweeping.Sweep | detailing.DetailSweep

            def tile(done: int, total: int) -> None:
                progress.tile(file.name, done, total)

            if detail is None:
                found = sweeping.sweep(file, folder, *levels, settings, overwrite=overwrite, progress=tile)
            else:
                found = detailing.sweep_detail(
                    file, folder, details, settings, overwrite=overwrite, progress=tile
                )
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except RawfixError as error:
        refuse(str(error) if file.name in str(error) else f"{file.name}: {error}")
        broken = isinstance(error, ModelError) and not isinstance(error, InferenceError)
        return exit_codes.MODEL if broken else exit_codes.ALL_FAILED
    for note in found.notes:
        err.print(f"rawfix: {file.name}: note: {note}", soft_wrap=True)
    if as_json:
        facts = {"schema_version": SCHEMA_VERSION, "event": "sweep", "source": str(file)}
        print_json({**facts, **found.to_dict()})
    else:
        out.print(f"{file} → {found.sheet} and {len(found.crops)} crops", soft_wrap=True)
    return exit_codes.DONE


def _levels(name: str, text: str) -> list[Any]:
    from rawfix.errors import SettingsError

    try:
        return [look.strength(part.strip()) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"--{name} {text}: give strengths with commas, such as 0,0.5,1 or auto") from None


def _only(name: str, text: str) -> Any:
    """The one strength beside a sweep of details."""
    from rawfix.errors import SettingsError

    levels = _levels(name, text)
    if len(levels) != 1:
        raise SettingsError(f"--{name} {text}: give one strength where --detail is swept")
    return levels[0]


def _number(text: str) -> float:
    from rawfix.errors import SettingsError

    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"--detail {text}: give numbers from 0 to 1 with commas") from None
