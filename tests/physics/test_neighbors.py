"""Neighbors of the same color, and the filling of worthless samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL
from rawfix.physics.neighbors import fill, inward, same_color_offsets


@pytest.mark.parametrize("family", CANONICAL)
def test_offsets_lead_to_the_same_color(family: str) -> None:
    cfa = CANONICAL[family]
    unit, offsets = cfa.unit(), same_color_offsets(cfa, 8)
    for y in range(cfa.period[0]):
        for x in range(cfa.period[1]):
            distances = (offsets[y, x] ** 2).sum(1)
            assert (np.diff(distances) >= 0).all() and distances[0] > 0
            for dy, dx in offsets[y, x]:
                assert unit[(y + dy) % cfa.period[0], (x + dx) % cfa.period[1]] == unit[y, x]


@given(st.integers(-8, 60), st.sampled_from([1, 2, 4, 6]), st.integers(20, 50))
def test_indices_beyond_the_frame_keep_their_phase(index: int, period: int, size: int) -> None:
    moved = int(inward(np.array([min(index, size + 7)]), size, period)[0])
    assert 0 <= moved < size
    assert (moved - min(index, size + 7)) % period == 0


@pytest.mark.parametrize("family", ["bayer", "xtrans", "rgbir4", "mono"])
def test_filling_forgets_what_stood_there(family: str) -> None:
    cfa, rng = CANONICAL[family], np.random.default_rng(0)
    mosaic = rng.random((40, 50)).astype(np.float32)
    bad = rng.random(mosaic.shape) < 0.1
    other = mosaic.copy()
    other[bad] = np.nan
    filled = fill(mosaic, cfa, bad)
    np.testing.assert_array_equal(filled, fill(other, cfa, bad))
    np.testing.assert_array_equal(filled[~bad], mosaic[~bad])


def test_filling_keeps_colors_apart() -> None:
    cfa = CANONICAL["bayer"]
    mosaic = cfa.channels((30, 30)).astype(np.float32)
    bad = np.random.default_rng(0).random((30, 30)) < 0.3
    np.testing.assert_allclose(fill(mosaic, cfa, bad), mosaic, atol=1e-6)


def test_a_wide_hole_takes_the_mean_of_its_color() -> None:
    cfa = CANONICAL["bayer"]
    mosaic = cfa.channels((60, 60)).astype(np.float32)
    bad = np.zeros((60, 60), bool)
    bad[10:50, 10:50] = True
    np.testing.assert_allclose(fill(mosaic, cfa, bad), mosaic, atol=1e-6)
    assert not fill(mosaic, cfa, np.ones((60, 60), bool)).any()
