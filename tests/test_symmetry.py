"""Turning and mirroring by views: nothing is copied, everything comes back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rawfix.symmetry import Symmetry

SYMMETRIES = st.sampled_from(list(Symmetry.all()))
SIDES = st.integers(1, 9)


def image(height: int, width: int) -> np.ndarray:
    return np.arange(height * width * 2).reshape(height, width, 2)


def test_there_are_eight() -> None:
    seen = {symmetry.apply(image(3, 3)).tobytes() for symmetry in Symmetry.all()}
    assert len(seen) == 8
    assert next(Symmetry.all()).is_identity


@given(SYMMETRIES, SIDES, SIDES)
def test_the_inverse_undoes(symmetry: Symmetry, height: int, width: int) -> None:
    moved = symmetry.apply(image(height, width))
    assert moved.shape[:2] == symmetry.shape((height, width))
    np.testing.assert_array_equal(symmetry.inverse.apply(moved), image(height, width))
    np.testing.assert_array_equal(symmetry.apply(symmetry.inverse.apply(moved)), moved)


@given(SYMMETRIES)
def test_moving_copies_nothing(symmetry: Symmetry) -> None:
    original = np.zeros((4, 5))
    assert np.shares_memory(symmetry.apply(original), original)


@given(SYMMETRIES, SIDES, SIDES, st.data())
def test_a_window_is_found_where_it_went(
    symmetry: Symmetry, height: int, width: int, data: st.DataObject
) -> None:
    y0, x0 = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    y1, x1 = data.draw(st.integers(y0 + 1, height)), data.draw(st.integers(x0 + 1, width))
    full = image(height, width)
    top, bottom, left, right = symmetry.box(y0, y1, x0, x1, (height, width))
    np.testing.assert_array_equal(
        symmetry.apply(full)[top:bottom, left:right], symmetry.apply(full[y0:y1, x0:x1])
    )
