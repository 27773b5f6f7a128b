"""Training pairs hold together: what differs is marked, what is clean is light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL
from rawfix.training import synthesis
from rawfix.training.synthesis import (
    MosaicPair,
    add_points,
    draw_defects,
    draw_light,
    draw_noise,
    make_pair,
    ring,
)

pytestmark = pytest.mark.torch

SEEDS = st.integers(0, 2**32 - 1)


def photo(seed: int = 0, side: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def pair(seed: int, family: str = "bayer") -> MosaicPair:
    return make_pair(photo(), CANONICAL[family], np.random.default_rng(seed))


@given(SEEDS, st.sampled_from(["bayer", "quad", "xtrans", "rgbir2", "rgbir4"]))
def test_planes_have_their_shapes_and_are_finite(seed: int, family: str) -> None:
    made = pair(seed, family)
    for name in ("mosaic", "sigma", "known_bad", "noise"):
        plane = getattr(made, name)
        assert plane.shape == (48, 48)
        assert plane.dtype == np.float32
        assert np.isfinite(plane).all()
    assert made.clean.shape == (48, 48, 4 if "rgbir" in family else 3)
    assert made.clean.dtype == np.float32
    assert made.bad.dtype == np.bool_
    assert (made.sigma > 0).all()
    assert made.clean.min() >= 0


@given(SEEDS, st.sampled_from(["bayer", "quad", "rgbir4"]))
def test_a_sample_is_light_and_noise_unless_marked(seed: int, family: str) -> None:
    made = pair(seed, family)
    sound = CANONICAL[family].mosaic(made.clean) + made.noise
    unmarked = ~made.bad & (made.known_bad == 0)
    blown = sound >= 0.979 * made.clip[CANONICAL[family].channels((48, 48))]
    told = unmarked & ~blown
    np.testing.assert_allclose(made.mosaic[told], sound[told], atol=1e-5)
    lifted = unmarked & blown
    assert (made.mosaic[lifted] >= sound[lifted] - 1e-5).all()


@given(SEEDS)
def test_known_bad_is_bad_or_outside_of_the_frame(seed: int) -> None:
    made = pair(seed)
    assert set(np.unique(made.known_bad)) <= {0, 1}
    outside = (made.known_bad > 0) & ~made.bad
    inner = outside[24:-24, 24:-24] if outside.shape[0] > 48 else outside[24:24, 24:24]
    assert not inner.any()
    rows, cols = outside.all(1), outside.all(0)
    assert (outside == (rows[:, None] | cols[None])).all()


def test_a_ring_lies_just_inside_of_the_frame() -> None:
    outside = np.zeros((12, 12), bool)
    outside[:3] = True
    border = ring(outside, 2)
    assert border[3:5].all()
    assert border.sum() == 24


def test_some_patches_have_defects_some_are_told_and_some_have_none() -> None:
    made = [pair(seed) for seed in range(150)]
    # A patch of 48² has few defects: what counts is that each case occurs.
    assert 5 < sum(p.bad.any() for p in made) < 140
    assert any(p.known_bad.any() for p in made)
    assert any(p.bad.any() and not p.known_bad.any() for p in made)


@given(SEEDS)
def test_no_draw_of_light_moves_a_gray(seed: int) -> None:
    light = draw_light(np.random.default_rng(seed))
    np.testing.assert_allclose(light.rgb_to_camera.sum(1), 1, atol=1e-5)
    assert light.wb[1] == 1
    assert 0.3 <= light.exposure <= 2.2


@given(SEEDS)
def test_noise_and_defects_are_drawn_within_reason(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shot, read, structure = draw_noise(rng)
    assert 0 < read < shot < 0.1
    assert structure.row <= 0.15 * np.sqrt(read)
    defects = draw_defects(rng)
    assert defects is None or 0 < defects.probability < 0.01


def test_the_same_generator_makes_the_same_pair() -> None:
    first, second = pair(3), pair(3)
    for name in MosaicPair.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_sigma_is_near_the_spread_of_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "draw_defects", lambda rng: None)
    ratios = []
    for seed in range(60):
        flat = np.full((48, 48, 3), 120, np.uint8)
        made = make_pair(flat, CANONICAL["bayer"], np.random.default_rng(seed))
        if made.noise.any() and made.mosaic.max() < 1:
            ratios.append(float(np.sqrt(np.mean((made.noise / made.sigma) ** 2))))
    assert len(ratios) > 20
    assert np.exp(np.mean(np.log(ratios))) == pytest.approx(1, abs=0.15)


def test_point_sources_reach_several_colors_and_only_ever_add_light() -> None:
    dark = np.full((96, 96, 3), 0.2, np.float32)
    for seed in range(20):
        lit = add_points(dark, np.random.default_rng(seed))
        sky = np.median(lit)
        assert lit.min() >= sky - 1e-6 and lit.max() > sky + 0.015
        y, x, _ = np.unravel_index(lit.argmax(), lit.shape)
        beside = lit[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        assert ((beside - sky) > 0.02 * (lit.max() - sky)).all(2).sum() >= 4  # a hot pixel is one


def test_patches_have_point_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    dark = np.full((96, 96, 3), 12, np.uint8)
    for share, lights in ((0.0, 0), (1.0, 1)):
        monkeypatch.setattr(synthesis, "POINTS", share)
        for seed in range(5):
            made = make_pair(dark, CANONICAL["bayer"], np.random.default_rng(seed), quiet=1)
            spread = made.clean.max() / max(float(np.median(made.clean)), 1e-6)
            assert (spread > 3) == bool(lights), (seed, spread)
