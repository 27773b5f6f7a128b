"""Which files were meant: names, wildcards, folders and lists."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rawfix.batch.journal import Journal
from rawfix.errors import SettingsError

RAW_SUFFIXES = frozenset(
    (
        ".3fr", ".ari", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dcs", ".dng", ".drf", ".erf",
        ".fff", ".gpr", ".iiq", ".k25", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef",
        ".ptx", ".pxn", ".raf", ".raw", ".rw2", ".rwl", ".rwz", ".sr2", ".srf", ".srw", ".x3f",
    )
)  # fmt: skip
"""What a folder is searched for; a file named by itself may be called anything."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input file, and the folder below the one asked for in which it was found (``.`` elsewhere)."""

    path: Path
    below: Path = Path()


def find_sources(
    patterns: Iterable[str],
    listed: Iterable[str] = (),
    *,
    recursive: bool | None = False,
    suffixes: frozenset[str] = RAW_SUFFIXES,
    missed: Callable[[str], None] = lambda cause: None,
) -> list[Source]:
    """Input files in the order given, once each; wildcards are expanded where the shell did not.

    A name without wildcard is passed on even where no such file exists, so that its refusal can be told. Of a
    folder, the files are taken by their suffix, sorted; those that begin with a dot are left out. One
    file reached by two names (through a link, say) is taken by the first.

    Parameters
    ----------
    patterns
        File names, wildcards, folders.
    listed
        File names and folders of a list (`read_list`), in which nothing is a wildcard.
    recursive
        Whether folders within folders are searched; None where that cannot be asked for.
    suffixes
        Of the files taken of a folder.
    missed
        Told in a line of every argument that holds no file, and of every folder that cannot be read.
    """
    found: dict[str, Source] = {}
    given = []
    for pattern in patterns:
        matches = _matches(pattern)
        if not matches:
            missed(f"{pattern}: no input matched; check the path and the wildcard")
        given += matches
    for path in [*given, *map(Path, listed)]:
        if not _is_folder(path):
            found.setdefault(os.path.realpath(path), Source(path))
            continue
        unread: list[str] = []
        sources = list(_search(path, bool(recursive), suffixes, unread.append))
        if not sources and not unread:
            unread.append(_without_files(path, recursive, suffixes))
        for cause in unread:
            missed(cause)
        for source in sources:
            found.setdefault(os.path.realpath(source.path), source)
    return list(found.values())


def expand(patterns: Iterable[str], missed: Callable[[str], None] = lambda cause: None) -> list[Path]:
    """The paths of `find_sources`."""
    return [source.path for source in find_sources(patterns, recursive=None, missed=missed)]


def read_list(name: str) -> list[str]:
    """File names from a list, one a line, or separated by NUL as ``find -print0`` writes them; ``-`` is stdin.

    Raises
    ------
    SettingsError
        The list cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise SettingsError(f"--files-from {name}: {error.strerror}; give a list of files, or -") from None
    parts = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(part) for part in parts if part.strip()]


def _matches(pattern: str) -> list[Path]:
    """The pattern itself where it is a name; else the files it matches, and folders only where it names one."""
    if not glob.has_magic(pattern) or os.path.lexists(pattern):
        return [Path(pattern)]
    return [Path(p) for p in sorted(glob.glob(pattern, recursive=True)) if not Path(p).is_dir()]  # noqa: PTH207


def _is_folder(path: Path) -> bool:
    """Whether it is a folder for sure; what cannot be told is passed on as a file, so that its refusal can be told."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _without_files(folder: Path, recursive: bool | None, suffixes: frozenset[str]) -> str:
    """What to say of a folder in which nothing was found."""
    kind = "RAW files" if suffixes is RAW_SUFFIXES else "pictures"
    deeper = recursive is False and any(path.is_dir() for path in folder.iterdir())
    remedy = "give -r to search the folders in it" if deeper else "name another folder, or files"
    return f"{folder}: is a folder without {kind}; {remedy}"


def _search(
    folder: Path, recursive: bool, suffixes: frozenset[str], missed: Callable[[str], None]
) -> Iterator[Source]:
    """Files of a folder, then of those in it, but for RAW files that rawfix wrote (a DNG may be an output).

    Folders that cannot be read are told of and passed over, links to folders not followed.
    """

    def unreadable(error: OSError) -> None:
        missed(f"{error.filename}: cannot be searched: {error.strerror}; change its permissions")

    for base, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
        journal = Journal(Path(base))
        for name in sorted(names):
            path = Path(base, name)
            suffix = path.suffix.lower()
            ours = suffix in RAW_SUFFIXES and journal.knows(path)
            if not name.startswith(".") and suffix in suffixes and not ours:
                yield Source(path, Path(base).relative_to(folder))
