"""Many small RAW files, good and bad, and a command line to develop them."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from rawfix.batch.journal import NAME as JOURNAL
from rawfix.cfa import Cfa
from rawfix.io.dng import write_cfa_dng
from rawfix.physics.sensor import Sensor, expose
from tests.conftest import noise_at, scene

COMMAND = [sys.executable, "-c", "from rawfix.cli import main; main()"]


def make_dngs(folder: Path, count: int, size: tuple[int, int] = (48, 64)) -> list[Path]:
    """``count`` different frames, named ``0000.dng`` …"""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        iso = 100 * 2 ** (number % 4)
        sensor = Sensor(cfa=Cfa.from_rows("RG", "GB"), noise_model=noise_at(iso), iso=iso)
        frame, _ = expose(scene(*size), sensor, np.random.default_rng(number))
        paths.append(folder / f"{number:04}.dng")
        write_cfa_dng(paths[-1], frame)
    return paths


@contextmanager
def started(*words: object) -> Iterator[subprocess.Popen[str]]:
    """``rawfix`` while it runs, its outputs piped; it hears Ctrl-C even where the tests run in the background."""
    with subprocess.Popen(
        [*COMMAND, *map(str, words)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def rawfix(*words: object) -> subprocess.CompletedProcess[str]:
    """Run ``rawfix`` to its end."""
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def visible(folder: Path) -> list[str]:
    """Names in a folder but the journal's."""
    return sorted(path.name for path in folder.iterdir() if path.name != JOURNAL)


def digests(folder: Path) -> dict[str, str]:
    """Name → sha256 of all files of a folder but the journal."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in visible(folder)}
