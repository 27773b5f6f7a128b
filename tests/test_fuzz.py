"""Damaged RAW files, drawn by a seed, through info and develop: refused in a line or developed, never worse."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import fuzz as script
from scripts.fuzzing import Findings, fuzz, sources_in
from scripts.mutants import MUTATIONS, mutant

SAMPLES = Path(os.environ.get("RAWFIX_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "raw"))
COUNT = 40


@pytest.fixture
def sources(tmp_path: Path, make_dng: Callable[..., Path]) -> list[Path]:
    return [
        make_dng(f"{name}.dng", size=(64, 96), pattern=name.replace("-", "/")) for name in ("RG-GB", "GB-RG")
    ]


def test_the_same_seed_makes_the_same_mutants(sources: list[Path]) -> None:
    for number in range(20):
        data, name = mutant(sources, 5, number)
        assert (data, name) == mutant(sources, 5, number)
        assert data != mutant(sources, 6, number)[0]
        assert data not in [path.read_bytes() for path in sources]


def test_every_mutation_is_drawn(sources: list[Path]) -> None:
    names = "".join(mutant(sources, 1, number)[1] for number in range(80))
    assert all(mutation in names for mutation in MUTATIONS)


def test_damaged_dngs_of_our_own_are_answered_for(sources: list[Path], tmp_path: Path) -> None:
    found = fuzz(sources, range(12), 3, tmp_path / "fuzz", together=12)
    assert found.faults == []
    assert {command: sum(counts.values()) for command, counts in found.outcomes.items()} == {
        "info": 12,
        "develop": 12,
    }


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample RAW files; set RAWFIX_SAMPLES")
def test_damaged_files_of_cameras_are_answered_for(tmp_path: Path) -> None:
    found = fuzz(sources_in(SAMPLES, 420_000), range(COUNT), 11, tmp_path, together=COUNT)
    assert found.faults == []
    assert found.mutants == COUNT


def test_a_process_that_dies_or_falls_silent_is_a_fault(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge itself: a command that crashes, one that says nothing, and one that prints a traceback."""
    for code, expected in (
        ("import os; os.kill(os.getpid(), 11)", "exit code -11"),
        ("import time; time.sleep(60)", "no word for"),
        ("raise RuntimeError", "traceback"),
    ):
        monkeypatch.setattr("scripts.fuzzing._RUN", code)
        found = fuzz(sources, range(2), 1, tmp_path / "fuzz", together=2, waiting=1.5)
        assert any(expected in fault for fault in found.faults), (code, found.faults)
        assert any((tmp_path / "fuzz" / "kept").iterdir())


def test_the_script_reports_what_was_found(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(*given: object, tell: Callable[[Findings], None], **more: object) -> Findings:
        findings = Findings(mutants=7, faults=["develop: exit code -11"])
        tell(findings)
        return findings

    report = tmp_path / "report.json"
    monkeypatch.setattr("scripts.fuzz.fuzz", found)
    monkeypatch.setattr("sys.argv", ["fuzz", str(tmp_path), "--count", "7", "--report", str(report)])
    assert script.main() == 1
    assert json.loads(report.read_text())["mutants"] == 7
    monkeypatch.setattr("sys.argv", ["fuzz", str(tmp_path), "--largest", "1"])
    assert script.main() == 3
