"""Planted defects: as many as stated, of the stated kinds, with the truth of where they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.physics.defects import DRAWS, MODES, Defects, Draw, Mode, corrupt, mark, plant


def ramp(height: int = 64, width: int = 80) -> np.ndarray:
    return np.linspace(0.1, 0.9, height * width, dtype=np.float32).reshape(height, width)


def test_points_occur_at_their_rate() -> None:
    points, lines = mark((1000, 1000), Defects(probability=2e-3), np.random.default_rng(0))
    assert points.sum() == pytest.approx(2000, abs=5 * np.sqrt(2000))
    assert not lines.any()


def test_no_probability_is_no_defect() -> None:
    mosaic = ramp()
    corrupted, bad = plant(mosaic, Defects(probability=0), np.random.default_rng(0))
    np.testing.assert_array_equal(corrupted, mosaic)
    assert not bad.any()


def touching(points: np.ndarray) -> np.ndarray:
    """How many of the eight around a site are marked."""
    padded = np.pad(points, 1)
    height, width = points.shape
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.asarray(sum(padded[y : y + height, x : x + width].astype(int) for y, x in shifts))


def test_clusters_occur_at_their_rate_and_touch() -> None:
    points, _ = mark((1000, 1000), Defects(probability=0, clusters=400.0), np.random.default_rng(0))
    assert 400 < points.sum() < 5 * 400
    assert (touching(points)[points] > 0).mean() > 0.85


def test_clusters_hold_whole_blocks() -> None:
    points, _ = mark((1000, 1000), Defects(probability=0, clusters=400.0), np.random.default_rng(0))
    full = points[:-1, :-1] & points[1:, :-1] & points[:-1, 1:] & points[1:, 1:]
    assert 60 < full.sum() < 400


def test_half_of_the_clusters_read_one_value() -> None:
    rng = np.random.default_rng(1)
    values, bad = plant(np.full((1000, 1000), 0.3, np.float32), Defects(probability=0, clusters=400.0), rng)
    pairs = bad[:, :-1] & bad[:, 1:] & (touching(bad)[:, :-1] == 1)
    same = (values[:, :-1] == values[:, 1:])[pairs]
    assert 0.4 < same.mean() < 0.75


def test_lines_start_anywhere_and_run_to_the_end() -> None:
    rng = np.random.default_rng(0)
    whole = part = 0
    for _ in range(60):
        points, lines = mark((50, 70), Defects(probability=0, lines=0.5), rng)
        assert not points.any()
        if lines.sum() in (50, 70):
            whole += 1
        elif lines.any():
            part += 1
        if lines.any():
            assert lines[-1].any() or lines[:, -1].any()
    assert whole > 3
    assert part > 3


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_defect_changes_values(draw: Draw, mode: Mode) -> None:
    values = np.full(500, 0.3, np.float32)
    new = corrupt(values, draw, mode, 0.25, np.random.default_rng(0))
    assert new.dtype == np.float32
    assert np.isfinite(new).all()
    assert (new != values).mean() > 0.99


@pytest.mark.parametrize("mode", MODES)
def test_dead_is_black_and_stuck_is_white_in_every_mode(mode: Mode) -> None:
    values, rng = np.full(5, 0.3, np.float32), np.random.default_rng(0)
    assert (corrupt(values, "zero", mode, 0.25, rng) == 0).all()
    assert (corrupt(values, "saturation", mode, 0.25, rng) == 1).all()


def test_uniform_substitutes_fill_the_range() -> None:
    new = corrupt(np.full(20_000, 0.3, np.float32), "uniform", "substitute", 0.25, np.random.default_rng(0))
    assert new.min() >= 0
    assert new.max() <= 1
    assert new.var() == pytest.approx(1 / 12, rel=0.03)


def test_laplace_additions_have_the_stated_scale() -> None:
    values = np.full(50_000, 0.3, np.float32)
    delta = corrupt(values, "laplace", "add", 0.1, np.random.default_rng(0)) - values
    assert np.abs(delta).mean() == pytest.approx(0.1, rel=0.03)


def test_multiplication_never_changes_the_sign() -> None:
    new = corrupt(np.full(5000, 0.3, np.float32), "cauchy", "multiply", 0.5, np.random.default_rng(0))
    assert (new >= 0).all()


@given(
    st.integers(0, 2**32 - 1), st.floats(0, 0.2), st.sampled_from([0.0, 3000.0]), st.sampled_from([0.0, 2.0])
)
def test_only_marked_sites_change_and_stay_in_range(
    seed: int, probability: float, clusters: float, lines: float
) -> None:
    mosaic = ramp()
    before = mosaic.copy()
    corrupted, bad = plant(mosaic, Defects(probability, clusters, lines), np.random.default_rng(seed))
    np.testing.assert_array_equal(mosaic, before)
    np.testing.assert_array_equal(corrupted[~bad], mosaic[~bad])
    assert corrupted.dtype == np.float32
    assert corrupted[bad].min(initial=0) >= 0
    assert corrupted[bad].max(initial=0) <= 1


def test_dead_and_stuck_points_have_their_fifths() -> None:
    mosaic = ramp(400, 400)
    corrupted, bad = plant(mosaic, Defects(probability=0.2, scale=0.01), np.random.default_rng(0))
    share = 1 / len(DRAWS)
    assert (corrupted[bad] == 0).mean() == pytest.approx(share, abs=0.03)
    assert (corrupted[bad] == 1).mean() == pytest.approx(share, abs=0.05)


def test_the_same_generator_plants_the_same_defects() -> None:
    defects = Defects(probability=0.05, clusters=1000.0, lines=1.0)
    first, second = (plant(ramp(), defects, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    other, _ = plant(ramp(), defects, np.random.default_rng(6))
    assert (other != first[0]).any()


def test_lines_of_a_square_sensor_are_rows_and_columns() -> None:
    rows = columns = 0
    for seed in range(60):
        _, lines = mark((32, 32), Defects(probability=0, lines=1, clusters=0), np.random.default_rng(seed))
        if not lines.any():
            continue
        height, width = (np.ptp(np.nonzero(lines)[axis]) for axis in (0, 1))
        rows += height == 0 and width > 0
        columns += width == 0 and height > 0
    assert rows > 5
    assert columns > 5
