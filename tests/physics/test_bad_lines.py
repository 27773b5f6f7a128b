"""Lines that are bad as a whole, told from a part of their samples; and bars of a scene, which are none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rawfix.physics.bad_lines import BadLines, find_lines

SHAPE = (480, 640)
NONE = BadLines((), ())


def scattered(share: float, seed: int = 0) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random(SHAPE) < share


@pytest.mark.parametrize("share", [0.12, 0.3, 0.95])
@pytest.mark.parametrize("elsewhere", [0.0, 1e-3, 1e-2])
def test_a_line_of_which_a_part_was_found_is_bad(share: float, elsewhere: float) -> None:
    bad, part = scattered(elsewhere, 1), scattered(share)
    bad[:, 100] |= part[:, 100]
    bad[33] |= part[33]
    assert find_lines(bad) == BadLines((33,), (100,))


def test_a_line_that_begins_inside_reaches_the_border() -> None:
    bad = scattered(1e-4, 1)
    bad[330:, 77] |= scattered(0.4)[330:, 77]
    assert find_lines(bad) == BadLines((), (77,))
    bad[430:, 77] = False
    assert find_lines(bad) == NONE


@pytest.mark.parametrize("share", [0.0, 1e-4, 1e-3, 1e-2])
def test_scattered_samples_are_no_line(share: float) -> None:
    for seed in range(20):
        assert find_lines(scattered(share, seed)) == NONE


def test_bars_within_the_scene_are_no_line() -> None:
    bad = scattered(1e-5)
    bad[153:235, 111] |= scattered(0.65)[153:235, 111]
    bad[200, 300:400] = True
    assert find_lines(bad) == NONE


def test_a_frame_that_is_bad_throughout_has_no_lines() -> None:
    for every in (np.ones(SHAPE, bool), scattered(0.3), np.zeros((0, 0), bool), np.zeros((0, 5), bool)):
        assert find_lines(every) == NONE


def test_marks_and_words() -> None:
    lines = BadLines((3,), (5, 6))
    marked = lines.mark(SHAPE)
    assert marked.sum() == 640 + 2 * 479
    assert marked[3].all() and marked[:, 5:7].all()
    assert lines.tell().endswith(": 1 row and 2 columns")
    assert BadLines((), (4,)).tell().endswith(": 1 column")
