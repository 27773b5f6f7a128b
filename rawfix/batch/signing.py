"""Outputs are signed where the user gives a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rawfix.batch.options import Options
from rawfix.io.atomic import Announce, announcing, finishing, replacing
from rawfix.io.c2pa import sign
from rawfix.io.provenance import Origin


@contextmanager
def signing(
    options: Options, target: Path, origin: Origin, note_side: Announce, *, overwrite: bool
) -> Iterator[None]:
    """Sign the target that is written in the body; nothing where no key was given.

    Parameters
    ----------
    options
        Tell the key, and where a manifest goes that the target cannot hold.
    target, origin
        The output, and what its manifest tells.
    note_side
        Announced such a manifest before it appears, see `rawfix.io.atomic.announcing`.
    overwrite
        Whether such a manifest may be replaced.

    Raises
    ------
    OutputError
        The target cannot be signed, or the manifest not be written.
    """
    credentials, beside = options.c2pa, options.manifest_path(target)
    if credentials is None:
        yield
        return

    def finish(temporary: Path, final: Path) -> None:
        if final != target:
            return
        manifest = sign(temporary, final, credentials, origin)
        if manifest is not None and beside is not None:
            with announcing(note_side), replacing(beside, overwrite) as path:
                path.write_bytes(manifest)

    with finishing(finish):
        yield
