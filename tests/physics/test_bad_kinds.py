"""Defects by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rawfix.frame import RawFrame
from rawfix.physics.bad_kinds import KINDS, count_kinds, describe_kinds, split_shapes


def mask(*sites: tuple[int, int]) -> np.ndarray:
    bad = np.zeros((64, 80), bool)
    for y, x in sites:
        bad[y, x] = True
    return bad


def test_pixels_that_touch_by_a_corner_are_one_cluster() -> None:
    shapes = split_shapes(mask((3, 3), (4, 4), (5, 3), (20, 20), (20, 22), (63, 79), (62, 79)))
    assert (shapes.clusters, shapes.patches) == (2, 0)
    assert sorted(zip(*shapes.singles, strict=True)) == [(20, 20), (20, 22)]


def test_ten_that_touch_are_a_patch() -> None:
    bad = mask()
    bad[10:12, 10:15] = True
    assert (split_shapes(bad).clusters, split_shapes(bad).patches) == (0, 1)
    bad[11, 14] = False
    assert (split_shapes(bad).clusters, split_shapes(bad).patches) == (1, 0)


def test_rows_and_columns_are_lines_gaps_and_all() -> None:
    bad = mask((5, 5))
    bad[:, 30] = True
    bad[10:13, 30] = False
    bad[50, 40:] = True
    bad[::2, 70] = True  # one color of a column
    shapes = split_shapes(bad)
    assert (shapes.rows, shapes.columns, shapes.clusters) == (1, 2, 0)
    assert list(zip(*shapes.singles, strict=True)) == [(5, 5)]


def test_a_patch_that_is_long_both_ways_is_no_lines() -> None:
    bad = mask()
    bad[10:40, 20:50] = True
    bad[:, 70] = bad[55] = True
    shapes = split_shapes(bad)
    assert (shapes.rows, shapes.columns, shapes.clusters, shapes.patches) == (1, 1, 0, 1)


def test_pixels_at_two_ends_of_neighboring_rows_do_not_touch() -> None:
    assert split_shapes(mask((3, 79), (4, 0))).clusters == 0


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.3))
def test_groups_are_those_of_a_flood(seed: int, share: float) -> None:
    bad = np.random.default_rng(seed).random((14, 13)) < share
    left, sizes = bad.copy(), []
    while left.any():
        flood = np.zeros_like(left)
        flood[tuple(np.argwhere(left)[0])] = True
        while True:
            padded = np.pad(flood, 1)
            grown = left & np.logical_or.reduce(
                [padded[y : y + 14, x : x + 13] for y in range(3) for x in range(3)]
            )
            if (grown == flood).all():
                break
            flood = grown
        sizes.append(int(flood.sum()))
        left &= ~flood
    shapes = split_shapes(bad)
    assert shapes.singles[0].size == sizes.count(1)
    assert shapes.clusters == sum(1 < size <= 9 for size in sizes)
    assert shapes.patches == sum(size > 9 for size in sizes)


def test_single_pixels_are_told_by_value(make_frame: Callable[..., RawFrame]) -> None:
    frame = make_frame(np.full((64, 80, 3), 0.2, np.float32), iso=400)
    mosaic = frame.mosaic.copy()
    values = {(10, 10): 16383, (20, 20): 12000, (30, 30): 4000, (40, 40): 512, (40, 60): 600}
    for site, value in values.items():
        mosaic[site] = value
    counts = count_kinds(replace(frame, mosaic=mosaic), mask(*values, (50, 50)))
    assert tuple(counts) == KINDS
    assert {kind: n for kind, n in counts.items() if n} == {
        "warm": 1, "hot": 1, "dead": 2, "stuck": 1, "quiet": 1,
    }  # fmt: skip
    assert describe_kinds(counts) == "1 warm, 1 hot, 2 dead, 1 stuck, 1 quiet"
    assert describe_kinds({"cluster": 2, "patch": 2, "row": 1}) == "2 clusters, 2 patches, 1 row"
