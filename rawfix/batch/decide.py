"""What is to be done about one output: make it, make it again, leave it, or refuse."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rawfix.batch.calibrated import calibration_digest
from rawfix.batch.identity import FileState, digest, settings_digest
from rawfix.batch.journal import Entry, Journal
from rawfix.batch.known_bad import known_digest
from rawfix.batch.options import Options
from rawfix.batch.recipe import Recipe
from rawfix.errors import ManifestError, ModelError
from rawfix.io.presence import is_there
from rawfix.io.provenance import sidecars_of
from rawfix.io.read import MOSAIC_SUFFIXES
from rawfix.nn.manifest import find_models
from rawfix.settings import Settings

Kind = Literal["develop", "replace", "unchanged", "skip", "refuse"]


@dataclass(frozen=True, slots=True)
class Action:
    """``kind`` and, in words, why; ``entry`` is what the journal says of the file as it is."""

    kind: Kind
    reason: str = ""
    entry: Entry | None = None


def decide(
    source: Path,
    target: Path,
    sides: tuple[Path, ...],
    journal: Journal,
    recipe: Recipe,
    options: Options,
    installed: Callable[[], dict[str, str]],
) -> Action:
    """Decide about one output.

    Parameters
    ----------
    source, target, sides
        Input, output, and other files asked for along with it.
    journal
        Of the target's folder.
    recipe, options
        The request.
    installed
        Id → sha256 of the networks there are; asked only where it matters.
    """
    try:
        exists = is_there(target)
    except OSError as error:
        reason = f"{source.name}: its output cannot be written: {error.strerror}; give another -o or --name"
        return Action("refuse", reason)
    if not exists or target.is_dir():
        return Action("develop")
    if options.skip_existing:
        return Action("skip", "exists")
    if not source.exists():
        return Action("develop", "its source is missing")
    entry = journal.find(target)
    stale = "" if entry is None else stale_because(entry, source, sides, journal, recipe, options, installed)
    if options.overwrite:
        resumed = entry is not None and not stale and entry.run == options.run
        return Action("unchanged" if resumed else "replace", "" if resumed else "overwritten", entry)
    if entry is None:
        changed = journal.knows(target)
        why = "was changed since rawfix wrote it" if changed else "exists already"
        return Action("refuse", f"{target.name}: {why}; use --overwrite to replace it")
    if not stale:
        return Action("unchanged", entry=entry)
    other = entry.source
    if other is not None and other != source.absolute() and other.exists():
        return Action("refuse", f"{target.name}: was made of {other}; give this one another --name")
    if options.update:
        return Action("replace", stale, entry)
    return Action(
        "refuse", f"{target.name}: exists already, and {stale}; use --update or --overwrite to make it again"
    )


def stale_because(
    entry: Entry,
    source: Path,
    sides: tuple[Path, ...],
    journal: Journal,
    recipe: Recipe,
    options: Options,
    installed: Callable[[], dict[str, str]],
) -> str:
    """Why an output would differ if it were made again; "" where it would not."""
    if entry.source_state is None or not entry.source_state.matches(source):
        return "its source has changed"
    settings = recipe.settings_for(entry.camera, entry.iso)
    if entry.settings != settings_digest(settings):
        return "the settings are others"
    if entry.carried != carried_digest(source, options, entry.camera, settings):
        return "its sidecar, its description, its map of bad pixels, its calibration, or what is stripped, has changed"
    if any(p.absolute() not in entry.sides or (journal.knows(p) and not p.exists()) for p in sides):
        return "what is asked for along with it is missing"
    present = installed() if entry.models else {}
    if any(present.get(name) != sha256 for name, sha256 in entry.models.items()):
        return "its network has changed"
    return ""


def carried_digest(source: Path, options: Options, camera: str, settings: Settings) -> str:
    """By which a change of sidecars, description, map of bad pixels, calibration, or of what is left out, is told."""
    sidecars = []
    described = source.suffix.lower() in MOSAIC_SUFFIXES
    beside = (source.with_suffix(".toml"),) if described else ()
    for path in (*sidecars_of(source), *beside):
        with suppress(OSError):
            sidecars.append([path.name, FileState.of(path).sha256])
    given = [asdict(options.mosaic)] if described and options.mosaic is not None else []
    known = known_digest(source, camera, options.bad_pixels(settings.bad_pixels))
    measured = calibration_digest(source, camera)
    return digest(
        [options.strip_private, sidecars, *given, *filter(None, (known, measured, options.signed_by))]
    )


def installed_models() -> dict[str, str]:
    """Id → sha256 of every installed network; none where they cannot be read (developing will say so)."""
    try:
        return {model.manifest.id: model.manifest.sha256 for model in find_models()}
    except (ModelError, ManifestError):
        return {}
