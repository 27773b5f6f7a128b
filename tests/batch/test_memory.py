"""Memory is foreseen, shared out, and refused where it does not suffice."""

from __future__ import annotations

import pytest

from rawfix.batch.memory import PARENT, WORKER, Budget, TileCost, fit_tile, parse_size, shared
from rawfix.errors import SettingsError

COST = TileCost(512, 64, 39.0)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4G", 4 << 30), ("1.5GiB", 3 << 29), ("800m", 800 << 20), ("100 MB", 100 << 20), ("7", 7)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "4X", "1,5G"])
def test_no_size_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--max-memory"):
        parse_size(text)


def test_processes_are_as_many_as_memory_allows() -> None:
    assert shared(16 << 30, 4)[0] == 4
    few, left = shared(PARENT + 2 * WORKER + (100 << 20), 8)
    assert few in (1, 2) and left > 0
    with pytest.raises(SettingsError, match="give"):
        shared(PARENT, 1)


def test_tiles_shrink_before_a_file_is_refused() -> None:
    pixels = 10_000_000
    own, size = fit_tile("a.dng", pixels, 0, [COST], 8 << 30)
    assert own == 0
    smaller, less = fit_tile("a.dng", pixels, 0, [COST], size - 1)
    assert 0 < smaller < COST.tile and less < size
    with pytest.raises(SettingsError, match=r"a.dng: 10.0 megapixels"):
        fit_tile("a.dng", pixels, 0, [COST], 100 << 20)


def test_files_wait_until_there_is_room_in_the_order_they_asked() -> None:
    budget = Budget(100)
    for number, size in enumerate((60, 60, 30, 300)):
        budget.ask(number, size)
    assert budget.grants() == [0]
    budget.release(0)
    assert budget.grants() == [1, 2]
    budget.release(1)
    assert budget.grants() == []
    budget.release(2)
    assert budget.grants() == [3], "alone, whatever its size: it was foreseen to fit"
