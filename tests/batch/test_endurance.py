"""Two hundred files, ten kills, a full disk: nothing is lost, nothing is left."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rawfix.batch.journal import NAME as JOURNAL
from tests.batch.crowd import digests, make_dngs, rawfix, started, visible

pytestmark = pytest.mark.models


def tree_rss(process_id: int) -> int:
    """Bytes that a process and its children hold."""
    process = psutil.Process(process_id)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


@pytest.mark.slow
def test_two_hundred_files_of_all_sorts(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    good = make_dngs(folder, 170)
    bad = []
    for number in range(10):
        (folder / f"cut{number}.dng").write_bytes(good[number].read_bytes()[: 1500 + 400 * number])
        (folder / f"empty{number}.nef").touch()
        (folder / f"text{number}.cr2").write_text("no picture\n" * 50)
        bad += [f"cut{number}.dng", f"empty{number}.nef", f"text{number}.cr2"]
        shutil.copy(good[number], folder / f"same{number}.dng")
        (folder / f"link{number}.dng").symlink_to(good[number])
    held: dict[int, int] = {}
    statuses: dict[str, str] = {}
    with started("develop", folder, "-o", out, "--jobs", 2, "--json") as run:
        assert run.stdout is not None and run.stderr is not None
        for line in run.stdout:
            event = json.loads(line)
            if event["event"] == "file":
                statuses[Path(event["source"]).name] = event["status"]
                held[len(statuses)] = tree_rss(run.pid) if len(statuses) in (20, 200) else 0
        complaints = run.stderr.read().splitlines()
        assert run.wait() == 1
    assert len(statuses) == 210
    assert sorted(name for name, status in statuses.items() if status == "failed") == sorted(bad)
    assert all(sum(name in line for line in complaints) == 1 for name in bad) and len(complaints) == len(bad)
    assert visible(out) == sorted([f"{p.stem}.tif" for p in good] + [f"same{n}.tif" for n in range(10)])
    assert held[200] <= 1.05 * held[20], held


@pytest.mark.slow
def test_killed_ten_times_and_resumed_the_outputs_are_the_same(tmp_path: Path) -> None:
    folder, whole, out = tmp_path / "in", tmp_path / "whole", tmp_path / "out"
    make_dngs(folder, 60)
    assert rawfix("develop", folder, "-o", whole, "--jobs", 2).returncode == 0
    chance = random.Random(0)
    for kill in range(1, 11):
        with started("develop", folder, "-o", out, "--jobs", 2) as run:
            while run.poll() is None and len(list(out.glob("0*.tif"))) < 5 * kill:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.1))
            run.kill()
    done = rawfix("develop", folder, "-o", out, "--jobs", 2, "--json")
    summary = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert summary["unchanged"] >= 50 and summary["done"] + summary["unchanged"] == 60
    assert digests(out) == digests(whole)
    assert [p.name for p in out.iterdir() if p.name.startswith(".")] == [JOURNAL]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk takes root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("format", ["tiff", "png", "jpeg"])
def test_a_full_disk_is_one_clear_line_and_no_half_file(
    tmp_path: Path, small_disk: Path, format: str
) -> None:
    folder = tmp_path / "in"
    make_dngs(folder, 4, (96, 128))
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (620 if format == "tiff" else 680) * 1024)
    full = rawfix("develop", folder, "-o", small_disk, "--format", format, "--jobs", 2)
    assert full.returncode in (1, 5), full
    assert len(full.stderr.splitlines()) == 1 and "is full; free some space" in full.stderr, full.stderr
    assert not list(small_disk.glob(".*partial*"))
    filler.unlink()
    on = rawfix("develop", folder, "-o", small_disk, "--format", format)
    assert on.returncode == 0, on.stderr
    reference = tmp_path / "reference"
    assert rawfix("develop", folder, "-o", reference, "--format", format).returncode == 0
    (small_disk / "filler").unlink(missing_ok=True)
    assert digests(small_disk) == digests(reference)
