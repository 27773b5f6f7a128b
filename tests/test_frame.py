"""A crop of a frame carries everything that is tied to positions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL
from rawfix.frame import RawFrame, crop
from rawfix.stages.normalize import normalize


def frame(family: str, seed: int = 0, deltas: bool = True, height: int = 31, width: int = 29) -> RawFrame:
    rng = np.random.default_rng(seed)
    cfa = CANONICAL[family]
    return RawFrame(
        mosaic=rng.integers(0, 4000, (height, width), np.uint16),
        cfa=cfa,
        black=rng.uniform(50, 90, cfa.period).astype(np.float32),
        white=(4000.0, 3900.0, 3800.0),
        wb=(2.0, 1.0, 1.5),
        cam_to_xyz=np.eye(3),
        noise=None,
        iso=None,
        orientation=1,
        camera="",
        lens="",
        black_rows=rng.normal(0, 3, height).astype(np.float32) if deltas else None,
        black_columns=rng.normal(0, 3, width).astype(np.float32) if deltas else None,
    )


@given(
    st.sampled_from(["bayer", "quad", "xtrans"]),
    st.integers(0, 13),
    st.integers(0, 13),
    st.integers(1, 16),
    st.integers(1, 16),
    st.booleans(),
)
def test_crop_then_normalize_is_normalize_then_crop(
    family: str, y: int, x: int, height: int, width: int, deltas: bool
) -> None:
    whole = frame(family, deltas=deltas)
    part = crop(whole, y, x, height, width)
    window = np.s_[y : y + height, x : x + width]
    np.testing.assert_array_equal(normalize(part), normalize(whole)[window])


def test_crop_shifts_the_filter_array_and_the_black_levels() -> None:
    whole = frame("bayer")
    part = crop(whole, 1, 0, 10, 10)
    assert part.cfa == CANONICAL["bayer"].shift(1, 0)
    np.testing.assert_array_equal(part.black, whole.black[::-1])
    assert part.black_rows is not None and whole.black_rows is not None
    np.testing.assert_array_equal(part.black_rows, whole.black_rows[1:11])


def test_crop_of_a_full_color_frame_keeps_its_channels() -> None:
    whole = dataclasses.replace(
        frame("bayer"), mosaic=np.zeros((31, 29, 3), np.uint16), cfa=None, black=np.zeros((1, 1), np.float32)
    )
    part = crop(whole, 3, 5, 7, 11)
    assert part.cfa is None
    assert part.mosaic.shape == (7, 11, 3)


def test_a_frame_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame("bayer").iso = 100.0  # type: ignore[misc]
