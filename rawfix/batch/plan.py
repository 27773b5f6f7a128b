"""Which output belongs to which input, decided before anything is developed."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rawfix.batch.options import Options
from rawfix.errors import OutputError, SettingsError
from rawfix.io.presence import is_there
from rawfix.io.sequence import reel_and_frame
from rawfix.io.writers import SUFFIXES

ALSO = {".tiff": "tiff", ".jpeg": "jpeg"}
"""Other suffixes a named output file may have."""
NAME_FIELDS = ("stem", "ext", "seq", "reel", "frame", "camera", "iso", "space", "quality")
DEFAULT_NAME = "{stem}"
NEGATIVE_NAME = "{stem}-rawfix"
"""Default name of DNGs, whose sources are often DNGs too."""
_OTHER = frozenset((".webp", ".bmp", ".gif", ".heic", ".jp2", ".psd"))
"""Formats a user may ask for by name, and which are not written: no folder is made of such a name."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to develop. ``target`` may hold fields known only after reading: ``{camera}``, ``{iso}``, a
    ``{quality}`` that time decides. ``known_as`` is the source's path where it is read from a copy."""

    source: Path
    target: Path
    fields: Mapping[str, object]
    needs_frame: bool = False
    known_as: Path | None = None


def _check_template(name: str) -> list[str]:
    try:
        used = [field for _, field, _, _ in string.Formatter().parse(name) if field is not None]
    except ValueError as error:
        raise SettingsError(f"--name {name!r}: {error}") from None
    for field in used:
        if field not in NAME_FIELDS:
            raise SettingsError(
                f"--name {name!r}: unknown field {{{field}}}; there are {', '.join(NAME_FIELDS)}"
            )
    if "/" in name or "\\" in name:
        raise SettingsError(f"--name {name!r}: a file name, not a path; the folder is given by -o")
    return used


def _film(source: Path) -> dict[str, object]:
    parsed = reel_and_frame(source)
    if parsed is None:
        raise SettingsError(
            f"{source}: no frame number ends its name; leave {{reel}} and {{frame}} out of --name"
        )
    return {"reel": parsed[0], "frame": parsed[1]}


def _formats_of(output: Path) -> tuple[str, ...]:
    """The formats a file name may speak of; none for the name of a folder."""
    suffix = output.suffix.lower()
    return tuple(format for format, own in SUFFIXES.items() if suffix == own or ALSO.get(suffix) == format)


def fill(job: Job, **late: object) -> Path:
    """The job's target with every field of its name filled in."""
    template = job.target.name
    try:
        name = template.format(**{key: _plain(value) for key, value in {**job.fields, **late}.items()})
    except (ValueError, KeyError, IndexError) as error:
        raise SettingsError(f"--name {template!r}: {error}") from None
    return job.target.with_name(name)


def _plain(value: object) -> object:
    """A field's text without what no file name may hold."""
    return "".join("_" if c in '/\\:*?"<>|' else c for c in value) if isinstance(value, str) else value


def plan(
    sources: list[Path],
    output: Path | None,
    name: str,
    format: str,
    *,
    space: str = "",
    quality: str = "",
    below: Mapping[Path, Path] | None = None,
) -> list[Job]:
    """One job a source.

    Parameters
    ----------
    sources
        Input files.
    output
        A folder (existing, or without suffix, or for several files); a file, for one input; or None: beside
        each source.
    name
        Template of the file's stem, see `NAME_FIELDS`.
    format
        Output format; decides the suffix.
    space, quality
        Of the settings, for the template.
    below
        Folders to make within ``output``, by source: what `find_sources` found below a folder keeps its place.

    Raises
    ------
    SettingsError
        The template is malformed, one file is named for several inputs or for another format, or two inputs
        would share an output.
    """
    used = _check_template(name)
    suffix = SUFFIXES[format]
    named = () if output is None or is_folder(output) else _formats_of(output)
    is_file = bool(named)
    if is_file and format not in named:
        raise SettingsError(
            f"-o {output}: a name for {named[0]}, not for {format}; use --format {named[0]} or a folder"
        )
    if is_file and len(sources) > 1:
        raise SettingsError(f"-o {output}: one file for {len(sources)} inputs; give a folder")
    if is_file and name != DEFAULT_NAME:
        raise SettingsError(f"-o {output} names the file already; leave out --name or give a folder")
    if output is not None and not is_folder(output) and output.suffix.lower() in _OTHER:
        raise SettingsError(f"-o {output}: rawfix writes {', '.join(SUFFIXES.values())}")
    if name == DEFAULT_NAME and suffix == ".dng":
        name = NEGATIVE_NAME
    jobs = []
    for number, source in enumerate(sources, start=1):
        if is_file:
            assert output is not None
            target = output.with_name(output.name.replace("{", "{{").replace("}", "}}"))
        else:
            folder = source.parent if output is None else output / (below or {}).get(source, "")
            target = folder / f"{name}{suffix}"
        ext = source.suffix.lstrip(".")
        fields = {"stem": source.stem, "ext": ext, "seq": number, "space": space, "quality": quality}
        if {"reel", "frame"} & set(used):
            fields |= _film(source)
        late = {"camera", "iso", *(("quality",) if quality == "auto" else ())}
        jobs.append(Job(source, target, fields, needs_frame=bool(set(used) & late)))
    taken: dict[str, Path] = {}
    for job in jobs:
        target = fill(job, camera="camera", iso=100)
        key = target_key(target)
        if key == target_key(job.source):
            raise SettingsError(f"{job.source}: would be written over itself; use -o or --name")
        if key in taken and not job.needs_frame:
            raise SettingsError(
                f"{taken[key]} and {job.source} would both be written to {target}; "
                "use --name '{stem}-{ext}' or '{stem}-{seq:04}'"
            )
        taken[key] = job.source
    return jobs


def check_sides(jobs: Iterable[Job], options: Options) -> None:
    """No two jobs whose names are known share what is written along with their targets; raises `SettingsError`."""
    taken: dict[str, Path] = {}
    for job in jobs:
        for side in () if job.needs_frame else options.sides(fill(job)):
            other = taken.setdefault(target_key(side), job.source)
            if other != job.source:
                raise SettingsError(
                    f"{other} and {job.source} would both write {side}; "
                    "use --name '{stem}-{ext}' or '{stem}-{seq:04}'"
                )


def is_folder(output: Path) -> bool:
    """Whether ``-o`` names a folder that exists; raises `SettingsError` where that cannot be told."""
    try:
        return is_there(output) and output.is_dir()
    except OSError as error:
        raise SettingsError(f"-o {output}: {error.strerror}; give another folder") from None


def check_claim(target: Path, source: Path, claim: Callable[[Path], bool]) -> None:
    """No two inputs of a run share an output, and none is its own; raises `OutputError`."""
    if target_key(target) == target_key(source):
        raise OutputError(f"{source}: would be written over itself; use -o or --name")
    if not claim(target):
        raise OutputError(
            f"{target}: was written for another input of this run; add {{stem}} or {{seq:04}} to --name"
        )


def target_key(path: Path) -> str:
    """By what two paths are the same file; file systems may ignore case."""
    return str(path.resolve()).casefold()
