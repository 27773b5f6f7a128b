"""The process that carries out one job and ends: whatever a file does to its decoder, it does it here.

Messages to the parent are tuples: ``("tile", done, total)``, ``("done", facts)``, ``("refused", kind, text)``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rawfix.errors import RawfixError
from rawfix.nn.threads import share_threads
from rawfix.server.limits import Limits
from rawfix.server.order import Order, place
from rawfix.server.wire import kind_of

_LARGEST_OUTPUT = 64 << 30


def main(connection: Connection, folder: Path, order: Order, limits: Limits) -> None:
    """Carry out one job in a folder of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = str(limits.threads)
    share_threads(limits.threads)
    confine(limits)
    source = order.parts["raw"]
    try:
        connection.send(("done", carry_out(connection, folder, order, limits)))
    except (RawfixError, MemoryError) as error:
        greedy = f"{order.named}: takes more memory than this server grants a job"
        text = greedy if isinstance(error, MemoryError) else str(error)
        text = text.replace(str(source), order.named).replace(source.name, order.named)
        connection.send(("refused", kind_of(error), text.replace(f"{folder}{os.sep}", "")))


def confine(limits: Limits) -> None:
    """Bound this process's address space and files, and leave no core; where the system has such limits.

    Accelerators reserve address space without end: there the parent's watch over resident memory is the bound.
    """
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, _LARGEST_OUTPUT)
    if limits.provider == "cpu" and sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + limits.memory)


def _lower(which: int, bound: int) -> None:
    import resource

    _, most = resource.getrlimit(which)
    bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
    with suppress(ValueError, OSError):
        resource.setrlimit(which, (bound, bound))


def _end_with_parent(connection: Connection) -> None:
    """A server that dies takes its jobs with it: nothing is ever sent here, so what comes is the end."""
    with suppress(EOFError, OSError):
        connection.recv()
    os._exit(1)


def carry_out(connection: Connection, folder: Path, order: Order, limits: Limits) -> dict[str, Any]:
    """Read, develop and write; returns facts for the client, raises `RawfixError`."""
    from rawfix.batch import run
    from rawfix.batch.decide import Action, installed_models
    from rawfix.batch.options import Options
    from rawfix.batch.plan import Job
    from rawfix.batch.recipe import Recipe
    from rawfix.batch.work import Work
    from rawfix.pipeline import check_settings

    settings = replace(order.settings, provider=limits.provider)
    check_settings(settings, every="maps" in order.files)
    target = place(folder, "picture", settings.format)
    job = Job(order.parts["raw"], target, {}, known_as=order.known_as)
    listed = order.parts.get("bad_pixels")
    options = Options(
        save_stages=folder if {"camera", "working"} & set(order.files) else None,
        bad_map=place(folder, "bad-map", settings.format) if "bad-map" in order.files else None,
        save_maps="maps" in order.files,
        strip_private=order.strip_private,
        mosaic=order.mosaic,
        previews=folder if order.previews else None,
        lists={} if listed is None else {settings.bad_pixels: listed},
        calibration=order.parts.get("calibration"),
    )
    work = run.read(job, Action("develop"), Recipe(settings), options, lambda target: True)
    assert isinstance(work, Work)
    run.compute(work, lambda done, total: connection.send(("tile", done, total)))
    result = run.write(work)
    files = [file for file in order.files if place(folder, file, settings.format).exists()]
    return {
        **result.to_dict(),
        "source": order.named,
        "sha256": work.state.sha256,
        "models": _digests(result.models, installed_models()),
        "pictures": work.pictures,
        "files": {file: _facts(place(folder, file, settings.format)) for file in files},
    }


def _digests(models: tuple[str, ...], installed: Mapping[str, str]) -> dict[str, str]:
    return {name: installed.get(name, "") for name in models}


def _facts(path: Path) -> dict[str, Any]:
    from rawfix.batch.identity import FileState

    state = FileState.of(path)
    return {"size": state.size, "sha256": state.sha256}
