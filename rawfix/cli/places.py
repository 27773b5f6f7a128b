"""Where outputs go and what they are called: what has no meaning is refused before a file is read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from rawfix.errors import SettingsError

_EXAMPLE = {
    "stem": "a", "ext": "dng", "seq": 1, "reel": "A", "frame": 1, "camera": "a", "iso": 100, "space": "a",
    "quality": "a",
}  # fmt: skip


def output_path(text: str | Path) -> Path:
    """A file or folder as it was written; neither the empty name nor standard output is one."""
    if str(text) in ("", "-"):
        raise typer.BadParameter(f"{str(text)!r} names neither a file nor a folder")
    return Path(text)


def check_name(name: str | None) -> str | None:
    """A template of file names that can be filled in, and leaves a name."""
    if name is None:
        return None
    known = " ".join(f"{{{field}}}" for field in _EXAMPLE)
    if not name.strip(". "):
        raise typer.BadParameter(f"{name!r} names no file; give letters, or of {known}")
    try:
        name.format(**_EXAMPLE)
    except KeyError:
        return name  # an unknown field is refused with the plan
    except (ValueError, IndexError, AttributeError, TypeError):
        raise typer.BadParameter(
            f"{name!r} is no template; the fields are {known}, such as {{seq:04}}"
        ) from None
    return name


def check_folder(option: str, path: Path) -> None:
    """Refuse a file where a folder is meant; raises `SettingsError`."""
    if path.exists() and not path.is_dir():
        raise SettingsError(f"{option} {path}: is a file, not a folder; choose another name")


def check_output(
    output: Path | None, words: list[str], found: int, suffixes: Iterable[str] | None = None
) -> None:
    """Refuse to take a mistyped file name, or a file, for a folder; raises `SettingsError`.

    Parameters
    ----------
    output
        What ``-o`` names.
    words
        The inputs as the user named them.
    found
        How many files they are.
    suffixes
        Those of the pictures that are written; default: all there are.
    """
    suffixes = picture_suffixes() if suffixes is None else suffixes
    if output is None or output.is_dir() or output.suffix.lower() in suffixes:
        return
    check_folder("-o", output)
    if found == 1 and output.suffix and not any(Path(word).is_dir() for word in words):
        raise SettingsError(
            f"-o {output}: {output.suffix} is no format; name a file with {', '.join(suffixes)}, or a folder that "
            "exists"
        )


def picture_suffixes() -> tuple[str, ...]:
    """What the name of a picture may end in."""
    from rawfix.batch.plan import ALSO
    from rawfix.io.writers import SUFFIXES

    return (*dict.fromkeys(SUFFIXES.values()), *ALSO)
