"""From frame to finished file, whatever the format: pictures are rendered, negatives are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rawfix.batch.picture import write_picture
from rawfix.finish import Developed, Watch
from rawfix.frame import RawFrame
from rawfix.io.dng_negative import write_negative
from rawfix.io.provenance import Origin
from rawfix.negative import Negative, develop_negative
from rawfix.pipeline import Found, Progress, develop
from rawfix.settings import NEGATIVES, Settings


def develop_for(
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
    watch: Watch | None = None,
    keep: Callable[[Found], None] | None = None,
) -> Developed | Negative:
    """`develop` or `develop_negative`, as the settings' format asks; raises what they raise."""
    run = develop_negative if settings.format in NEGATIVES else develop
    return run(frame, settings, progress, watch, keep)


def write_output(
    path: Path, developed: Developed | Negative, settings: Settings, origin: Origin, *, overwrite: bool
) -> tuple[str, ...]:
    """Write what `develop_for` made, whole or not at all.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        See `rawfix.io.atomic.replacing`.
    """
    if isinstance(developed, Negative):
        return write_negative(
            path,
            developed.samples,
            developed.preview,
            developed.frame,
            developed.wb,
            settings,
            origin,
            overwrite=overwrite,
            replaced=developed.replaced,
        )
    return write_picture(path, developed, settings, origin, overwrite=overwrite)
