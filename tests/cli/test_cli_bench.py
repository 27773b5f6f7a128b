"""``rawfix bench`` and ``--quality auto`` as a script meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rawfix.cli.app import app
from rawfix.nn.manifest import Model
from tests.batch.conftest import cache, golden_planes, make_model, manifest_of, tiers

__all__ = ["cache", "golden_planes", "make_model", "manifest_of", "tiers"]
MakeTiers = Callable[..., dict[str, Model]]


def rawfix(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def file_event(done: Result) -> dict[str, Any]:
    """What was said of the one file."""
    (event,) = (e for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "file")
    return event


def test_every_network_gets_a_line(tiers: MakeTiers) -> None:
    tiers("fast", "standard")
    done = rawfix("bench", "--megapixels", 0.1, "--threads", 1, "--json")
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["model"] for line in lines] == ["demosaic-bayer-fast", "demosaic-bayer-standard"]
    for line in lines:
        assert line["seconds_per_mp"] > 0 and line["peak_mib"] >= line["base_mib"] > 0
        assert line["gflop_per_s_with_halos"] >= line["gflop_per_s"] > 0
        assert line["threads"] == 1 and line["cpu"] and "ONNX" in line["runtime"]
    table = rawfix("bench", "--megapixels", "0.1", "--tier", "fast")
    assert table.exit_code == 0 and "demosaic-bayer-fast" in table.stdout
    assert "demosaic-bayer-standard" not in table.stdout


def test_the_whole_way_gets_a_table(tiers: MakeTiers, make_dng: Callable[..., Path]) -> None:
    tiers("standard")
    done = rawfix("bench", "--end-to-end", make_dng())
    assert done.exit_code == 0, done.stderr
    for word in ("read", "demosaic", "write", "all", "peak memory", "CPU"):
        assert word in done.stdout


def test_refusals_are_one_line(tiers: MakeTiers, tmp_path: Path) -> None:
    tiers("standard")
    for code, words in (
        (2, ["x.dng"]),
        (2, ["--megapixels", "0"]),
        (2, ["--tier", "quick"]),
        (2, ["--end-to-end", "x.dng", "--megapixels", "3"]),
        (2, ["--threads", "-1"]),
        (4, ["--tier", "best"]),
        (4, ["--end-to-end", "--tier", "best", "--megapixels", "0.2"]),
        (2, ["--provider", "abacus"]),
        (5, ["--end-to-end", tmp_path / "missing.dng"]),
    ):
        done = rawfix("bench", *words)
        assert done.exit_code == code, (words, done)
        assert len(done.stderr.splitlines()) == 1 and not done.stdout, (words, done)


def test_auto_tells_what_it_took(tiers: MakeTiers, make_dng: Callable[..., Path], tmp_path: Path) -> None:
    tiers("fast", "best", tile=256)
    name = ("--quality", "auto", "--name", "{stem}-{quality}", "--json", "-o", tmp_path / "out")
    done = rawfix("develop", make_dng(), *name)
    assert done.exit_code == 0, done.stderr
    result = file_event(done)
    assert result["quality"] == "best" == result["settings"]["quality"]
    assert result["models"] == ["demosaic-bayer-best"] and result["expected_seconds"] < 30
    assert Path(result["target"]).name == "a-best.tif" and Path(result["target"]).is_file()
    hurried = rawfix("develop", make_dng("b.dng"), *name, "--time-budget", 1e-9)
    result = file_event(hurried)
    assert any("no tier fits 1e-09 s" in note for note in result["notes"])
    assert Path(result["target"]).name == f"b-{result['quality']}.tif"


@pytest.mark.parametrize(
    "words", [["--time-budget", "3"], ["--quality", "auto", "--time-budget", "0"]], ids=" ".join
)
def test_a_budget_without_meaning_is_refused(
    make_dng: Callable[..., Path], words: list[str], cache: Path
) -> None:
    done = rawfix("develop", make_dng(), *words)
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1
    assert "--time-budget" in done.stderr


def test_for_a_tier_that_is_not_installed_the_nearest_stands_in(
    tiers: MakeTiers, make_dng: Callable[..., Path]
) -> None:
    tiers("fast", "best")
    done = rawfix("develop", make_dng())
    assert done.exit_code == 0
    assert "note: demosaic-bayer-fast was used: standard is not installed" in done.stderr
