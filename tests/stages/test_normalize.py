"""Counts become light by the formula, whatever shape black, white and frame have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import RawFrame
from rawfix.stages import normalize as module
from rawfix.stages.normalize import normalize

WHITE = (4000.0, 3900.0, 3800.0)
WB = (2.0, 1.0, 1.5)


def frame(
    height: int, width: int, cfa: Cfa | None = CANONICAL["bayer"], black_period: tuple[int, int] = (1, 1)
) -> RawFrame:
    rng = np.random.default_rng(0)
    shape = (height, width) if cfa else (height, width, 3)
    return RawFrame(
        mosaic=rng.integers(0, 4096, shape, np.uint16),
        cfa=cfa,
        black=rng.uniform(40, 90, black_period).astype(np.float32),
        white=WHITE,
        wb=WB,
        cam_to_xyz=np.eye(3),
        noise=None,
        iso=None,
        orientation=1,
        camera="",
        lens="",
    )


def by_hand(source: RawFrame) -> np.ndarray:
    """The formula, pixel by pixel, in float64."""
    light = np.zeros(source.mosaic.shape)
    for (y, x, *rest), count in np.ndenumerate(source.mosaic):
        if source.cfa is None:
            channel = rest[0]
        else:
            channel = source.cfa.pattern[y % source.cfa.period[0]][x % source.cfa.period[1]]
        black = float(source.black[y % source.black.shape[0], x % source.black.shape[1]])
        level = black
        if source.black_rows is not None:
            level += float(source.black_rows[y])
        if source.black_columns is not None:
            level += float(source.black_columns[x])
        light[(y, x, *rest)] = (float(count) - level) / (source.white[channel] - black) * source.wb[channel]
    return light


@given(
    st.integers(1, 23),
    st.integers(1, 23),
    st.sampled_from(["bayer", "quad", "xtrans", "mono", None]),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
)
def test_light_is_the_formula(
    height: int, width: int, family: str | None, period_y: int, period_x: int, deltas: bool
) -> None:
    source = frame(height, width, CANONICAL[family] if family else None, (period_y, period_x))
    if deltas:
        rng = np.random.default_rng(1)
        source = replace(
            source,
            black_rows=rng.normal(0, 4, height).astype(np.float32),
            black_columns=rng.normal(0, 4, width).astype(np.float32),
        )
    light = normalize(source)
    assert light.dtype == np.float32
    np.testing.assert_allclose(light, by_hand(source), atol=2e-6)


@pytest.mark.parametrize("cfa", [CANONICAL["bayer"], CANONICAL["xtrans"], None])
def test_a_frame_of_many_strips_is_as_one_of_few(monkeypatch: pytest.MonkeyPatch, cfa: Cfa | None) -> None:
    source = replace(frame(101, 15, cfa, (3, 2)), black_rows=np.linspace(-2, 2, 101, dtype=np.float32))
    whole = normalize(source)
    monkeypatch.setattr(module, "_STRIP", 7)
    np.testing.assert_array_equal(normalize(source), whole)


def test_only_rows_or_only_columns_may_have_deltas() -> None:
    rows = replace(frame(5, 4), black_rows=np.arange(5, dtype=np.float32))
    columns = replace(frame(5, 4), black_columns=np.arange(4, dtype=np.float32))
    for source in (rows, columns):
        np.testing.assert_allclose(normalize(source), by_hand(source), atol=2e-6)


def test_white_is_the_multiplier_and_black_is_zero() -> None:
    source = frame(6, 6, black_period=(2, 2))
    channels = CANONICAL["bayer"].channels((6, 6))
    at_white = replace(source, mosaic=np.asarray(WHITE, np.uint16)[channels])
    np.testing.assert_allclose(normalize(at_white), np.asarray(WB)[channels], rtol=1e-6)
    flat = replace(source, mosaic=np.full((6, 6), 64, np.uint16), black=np.full((1, 1), 64, np.float32))
    assert (normalize(flat) == 0).all()


def test_light_is_clipped_on_neither_side() -> None:
    source = replace(frame(2, 2), mosaic=np.array([[0, 65535], [65535, 0]], np.uint16))
    assert normalize(source).min() < 0
    assert normalize(source).max() > 10


def test_float_counts_of_a_full_color_frame_keep_their_fractions() -> None:
    source = frame(3, 3, None)
    source = replace(
        source, mosaic=np.full((3, 3, 3), 100.25, np.float32), black=np.zeros((1, 1), np.float32)
    )
    expected = 100.25 / np.asarray(WHITE) * WB
    np.testing.assert_allclose(normalize(source)[1, 1], expected, rtol=1e-6)


def test_the_frame_is_not_changed() -> None:
    source = frame(9, 9)
    before = source.mosaic.copy()
    source.mosaic.setflags(write=False)
    normalize(source)
    np.testing.assert_array_equal(source.mosaic, before)
