"""ASC MHL: hash lists of what was written, as film sets hand them over. The only module that knows ascmhl."""

from __future__ import annotations

import io
import platform
from collections.abc import Iterable
from contextlib import redirect_stderr
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from rawfix import __version__
from rawfix.errors import OutputError, SettingsError

_HASH = "xxh64"
_IGNORED = [".rawfix-*"]
"""What rawfix keeps in the folder for itself; a verification must not take it for a file that was added."""


def check_mhl() -> None:
    """Raise `SettingsError` where the library is not installed."""
    if find_spec("ascmhl") is None:
        raise SettingsError("--mhl needs ascmhl: pip install 'rawfix[mhl]'")


def record(root: Path, files: Iterable[Path]) -> tuple[str, ...]:
    """Add a generation with the hashes of these files to a folder's history, ``ROOT/ascmhl/NNNN_*.mhl``.

    A file that an earlier generation knows is verified against it; one that differs, because it was made
    again, stands in the list as failed, as the standard asks.

    Parameters
    ----------
    root
        The folder the history is of.
    files
        Finished files below ``root``; nothing is written for none.

    Returns
    -------
    tuple of str
        Sentences about files that differ from what was recorded.

    Raises
    ------
    OutputError
        The history is damaged, or the disk refuses.

    References
    ----------
    ASC Media Hash List v2.0 (American Society of Cinematographers, 2022).
    """
    from ascmhl.generator import MHLGenerationCreationSession
    from ascmhl.hasher import hash_file
    from ascmhl.hashlist import MHLCreatorInfo, MHLProcess, MHLProcessInfo, MHLTool
    from ascmhl.history import MHLHistory
    from ascmhl.ignore import MHLIgnoreSpec
    from ascmhl.utils import datetime_now_isostring
    from click import ClickException

    present = sorted({path.absolute() for path in files})
    if not present:
        return ()
    changed: list[str] = []
    try:
        # The library reports a difference on stderr itself.
        with redirect_stderr(io.StringIO()):
            history = MHLHistory.load_from_path(str(root.absolute()))
            session = MHLGenerationCreationSession(
                history, MHLIgnoreSpec(history.latest_ignore_patterns(), _IGNORED)
            )
            for path in present:
                state = path.stat()
                modified = datetime.fromtimestamp(state.st_mtime)
                same = session.append_file_hash(
                    str(path), state.st_size, modified, _HASH, hash_file(str(path), _HASH)
                )
                if not same:
                    changed.append(path.name)
            creator = MHLCreatorInfo()
            creator.tool = MHLTool("rawfix", __version__)
            creator.creation_date = datetime_now_isostring()
            creator.host_name = platform.node()
            process = MHLProcessInfo()
            process.process = MHLProcess("in-place")
            session.commit(creator, process)
    except ClickException as error:
        raise OutputError(f"{root / 'ascmhl'}: {' '.join(error.format_message().split())}") from error
    except OSError as error:
        raise OutputError(f"{root / 'ascmhl'}: cannot be written: {error.strerror or error}") from error
    return tuple(f"{name} differs from its hash in {root / 'ascmhl'}; recorded as failed" for name in changed)
