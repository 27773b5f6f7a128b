"""What goes to another machine with a file, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from rawfix import __version__
from rawfix.batch.decide import installed_models
from rawfix.batch.identity import digest
from rawfix.batch.journal import Entry
from rawfix.batch.options import Options
from rawfix.batch.plan import Job
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result
from rawfix.errors import CorruptRawError
from rawfix.io.bad_maps import maps_folder
from rawfix.io.calibrations import calibrations_folder
from rawfix.io.provenance import sidecars_of
from rawfix.io.read import MOSAIC_SUFFIXES


@dataclass(frozen=True, slots=True)
class Make:
    """What two machines must have in common for their pictures to be the same: rawfix, and network id → sha256."""

    version: str
    models: Mapping[str, str]

    @classmethod
    def here(cls) -> Make:
        """That of this machine."""
        return cls(__version__, installed_models())


@dataclass(frozen=True, slots=True)
class Luggage:
    """What every file of a run needs beside itself.

    Attributes
    ----------
    recipe, options
        The request.
    known
        The user's maps of bad pixels and calibrations: path below the data folder → content.
    lists
        Files named by ``--bad-pixels``: as named → content.
    threads
        CPU threads of each machine; 0: all that the worker may use.
    slots
        How many files each machine develops at a time, by its network name.
    staging
        A folder that every machine sees and that takes the outputs until they get their names; None: they come
        back as bytes.
    """

    recipe: Recipe
    options: Options
    known: Mapping[str, bytes]
    lists: Mapping[str, bytes]
    threads: int
    slots: Mapping[str, int]
    staging: Path | None

    @property
    def key(self) -> str:
        """By which one run's luggage is told from another's."""
        contents = {name: sha256(data).hexdigest() for name, data in {**self.known, **self.lists}.items()}
        return digest([self.recipe.to_dict(), repr(self.options), contents, self.threads, str(self.staging)])


def pack(
    recipe: Recipe, options: Options, threads: int, slots: Mapping[str, int], staging: Path | None
) -> Luggage:
    """Luggage with what this machine knows of bodies, lenses and bad pixels; keys stay here."""
    known: dict[str, bytes] = {}
    for folder in (maps_folder(), calibrations_folder()):
        known |= {f"{folder.name}/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.json"))}
    named = {settings.bad_pixels for settings in recipe.variants()} - {"auto", "off"}
    lists = {name: Path(name).read_bytes() for name in sorted(named)}
    options = replace(
        options,
        save_stages=options.save_stages and options.save_stages.absolute(),
        bad_map=options.bad_map and options.bad_map.absolute(),
        c2pa=None,
    )
    return Luggage(recipe, options, known, lists, threads, slots, staging)


@dataclass(frozen=True, slots=True)
class Order:
    """One file to be developed.

    Attributes
    ----------
    make
        What the machine that takes the order must be like.
    number, job
        The file's number in its run, and what is to be made of it; its source is an absolute path.
    shipped
        The source's own bytes and those of the files beside it that it is read with, by name; None where the
        worker sees them.
    mtime_ns
        When the source was changed last, nanoseconds.
    """

    make: Make
    luggage: Luggage
    number: int
    job: Job
    shipped: Mapping[str, bytes] | None = None
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """One file that was made, not yet under its name.

    Attributes
    ----------
    entry
        What the journal is to say of it; ``entry.path`` is where it goes.
    staged
        Where it lies for now, or its bytes.
    """

    entry: Entry
    staged: Path | bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an order.

    Attributes
    ----------
    result
        With the source and the target of the order's job.
    made
        Side outputs, then the target; nothing where the file failed.
    fragment
        Its part of the report.
    folder
        Where the staged files lie, to be deleted.
    lost
        Whether the process that developed was killed, so that another machine may do better.
    refusal
        Why this worker takes no orders of this run at all.
    """

    result: Result
    made: tuple[Made, ...] = ()
    fragment: Mapping[str, Any] | None = None
    folder: Path | None = None
    lost: bool = False
    refusal: str = ""


@dataclass(slots=True)
class Shipment:
    """A source and what lies beside it, read at one moment."""

    files: dict[str, bytes] = field(default_factory=dict)
    mtime_ns: int = 0


def ship(source: Path) -> Shipment:
    """Read a source, its sidecars and its description; raises `CorruptRawError`."""
    shipment = Shipment()
    try:
        before = source.stat()
        shipment.files[source.name] = source.read_bytes()
        after = source.stat()
    except OSError as error:
        raise CorruptRawError(f"{source.name}: {error.strerror}; name a file that can be read") from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise CorruptRawError(f"{source.name}: changed while it was read; try again when it is complete")
    shipment.mtime_ns = after.st_mtime_ns
    for path in beside(source):
        with suppress(OSError):
            shipment.files[path.name] = path.read_bytes()
    return shipment


def beside(source: Path) -> Iterable[Path]:
    """The files that a source is read with."""
    described = source.suffix.lower() in MOSAIC_SUFFIXES
    return (*sidecars_of(source), *((source.with_suffix(".toml"),) if described else ()))
