"""A standard output that takes no more ends a command at once, in one line."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from rawfix.batch.journal import Journal
from tests.batch.crowd import COMMAND, make_dngs, rawfix, started, visible

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full"),  # noqa: PTH110
]


def test_a_reader_that_goes_ends_the_run_and_no_file_is_half_done(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    make_dngs(folder, 12)
    with started("develop", folder, "-o", out, "--json") as run:
        assert run.stdout is not None and run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        begun = time.monotonic()
        assert run.wait(timeout=50) == 1 and time.monotonic() - begun < 50
        said = run.stderr.read()
    assert said.count("\n") == 1 and said.startswith("rawfix: standard output: ")
    made = visible(out)
    assert 0 < len(made) < 12 and all(not name.startswith(".") for name in made)
    assert all(Journal(out).find(out / name) is not None for name in made)
    assert rawfix("develop", folder, "-o", out).returncode == 0


@pytest.mark.parametrize("words", [("info", "{}", "--json"), ("info", "{}"), ("--help",), ("develop", "{}")])
def test_a_full_output_is_told_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    (source,) = make_dngs(tmp_path, 1)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *(word.format(source) for word in words)],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("rawfix: standard output: "), done.stderr


def test_a_closed_output_is_as_good_as_none(tmp_path: Path) -> None:
    (source,) = make_dngs(tmp_path, 1)
    command = shlex.join([*COMMAND, "develop", str(source), "--json"])
    done = subprocess.run(["sh", "-c", f"{command} >&-"], stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr and visible(tmp_path) == ["0000.dng", "0000.tif"]
