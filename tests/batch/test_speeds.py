"""A speed that was measured is remembered where, and only where, it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rawfix.batch.speeds import circumstances, recall, remember
from rawfix.nn.manifest import Model
from rawfix.nn.measure import Speed

MakeTiers = Callable[..., dict[str, Model]]
SPEED = Speed(seconds=0.5, runs=5, megapixels=4.0)


def test_what_is_remembered_is_recalled(tiers: MakeTiers) -> None:
    here = circumstances(tiers("fast")["fast"], "cpu", 2)
    assert recall(here) == (None, ())
    assert remember(here, SPEED) == ()
    assert recall(here) == (SPEED, ())
    assert remember(here, replace(SPEED, seconds=0.7)) == ()
    assert recall(here)[0] == replace(SPEED, seconds=0.7)


@pytest.mark.parametrize(
    "other",
    [{"threads": 3}, {"provider": "cuda"}, {"sha256": "f" * 64}, {"cpu": "Z80"}, {"runtime": "none"}],
    ids=lambda other: next(iter(other)),
)
def test_a_speed_holds_nowhere_else(tiers: MakeTiers, other: dict[str, object]) -> None:
    here = circumstances(tiers("fast")["fast"], "cpu", 2)
    remember(here, SPEED)
    assert recall(replace(here, **other)) == (None, ())  # type: ignore[arg-type]


def test_no_threads_stand_for_all(tiers: MakeTiers) -> None:
    assert circumstances(tiers("fast")["fast"], "cpu", 0).threads >= 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: json.dumps({**json.loads(text), "speed": {"seconds": 0.5}}),
        lambda text: text.replace("0.5", "NaN"),
        lambda text: text.replace("0.5", "-0.5"),
        lambda text: text.replace("0.5", '"0.5"'),
        lambda text: text.replace("cpu", "gpu"),
        lambda text: "\0\xff",
    ],
)
def test_a_damaged_file_is_ignored_with_a_note(tiers: MakeTiers, damage: Callable[[str], str]) -> None:
    here = circumstances(tiers("fast")["fast"], "cpu", 2)
    remember(here, SPEED)
    here.path().write_text(damage(here.path().read_text()), encoding="latin-1")
    speed, (note,) = recall(here)
    assert speed is None and here.path().name in note and "ignored" in note
    assert remember(here, SPEED) == () and recall(here) == (SPEED, ())


def test_a_folder_that_cannot_be_written_costs_a_note(
    tiers: MakeTiers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RAWFIX_CACHE_DIR", str(tmp_path / "file" / "cache"))
    (note,) = remember(circumstances(tiers("fast")["fast"], "cpu", 2), SPEED)
    assert "not remembered" in note


def test_nothing_else_is_left_in_the_folder(tiers: MakeTiers, cache: Path) -> None:
    here = circumstances(tiers("fast")["fast"], "cpu", 2)
    remember(here, SPEED)
    assert [path for path in cache.rglob("*") if path.is_file()] == [here.path()]
