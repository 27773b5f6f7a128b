"""Learning a body's bad pixels: what is found, what is not mistaken for one. Bounds are measured, with margin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rawfix.cfa import CANONICAL
from rawfix.frame import Image
from rawfix.physics.bad_pixel_learning import Learner
from tests.conftest import noise_at
from tests.physics.bodies import CFA, SIZE, Body, make_body, photograph, scene

DARK = np.zeros((*SIZE, 3), np.float32)


def learn(
    body: Body, light: Callable[[int], Image], frames: int, iso: float, *, dark: bool = False
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    learner = Learner(SIZE, CFA, dark=dark)
    for number in range(frames):
        learner.add(*photograph(light(number), body, iso, rng))
    return dict(learner.result())


def everything(kinds: dict[str, np.ndarray]) -> np.ndarray:
    return np.logical_or.reduce(list(kinds.values()))


def varied(number: int) -> Image:
    return scene(np.random.default_rng(100 + number))


@pytest.mark.parametrize(("iso", "frames"), [(100, 1), (800, 1), (3200, 8)])
def test_dark_frames_show_every_bright_defect_and_no_other(iso: float, frames: int) -> None:
    body = make_body(np.random.default_rng(3))
    found = everything(learn(body, lambda number: DARK, frames, iso, dark=True))
    shining = body.warm | body.stuck
    assert found[shining].mean() > 0.99
    assert (found & ~shining).sum() == 0


def test_kinds_in_the_dark_are_told_by_value() -> None:
    body = make_body(np.random.default_rng(3))
    kinds = learn(body, lambda number: DARK, 2, 800, dark=True)
    np.testing.assert_array_equal(kinds["stuck"], body.stuck)
    assert (body.added[kinds["hot"]] > 0.2).all() and (body.added[kinds["warm"]] < 0.3).all()
    assert not kinds["dead"].any()


def test_a_cosmic_ray_in_one_dark_frame_is_no_defect() -> None:
    body = make_body(np.random.default_rng(3), number=0, column=None)
    learner, rng = Learner(SIZE, CFA, dark=True), np.random.default_rng(0)
    for number in range(4):
        mosaic, noise = photograph(DARK, body, 800, rng)
        mosaic[50 + number, 60] = 0.9
        learner.add(mosaic, noise)
    assert not everything(dict(learner.result())).any()


@pytest.mark.parametrize(("iso", "bright", "dead"), [(100, 0.8, 0.9), (800, 0.75, 0.95), (3200, 0.55, 0.95)])
def test_ordinary_frames_of_varied_content_show_most(iso: float, bright: float, dead: float) -> None:
    body = make_body(np.random.default_rng(3), column=None)
    found = everything(learn(body, varied, 10, iso))
    assert found[body.warm].mean() >= bright
    assert found[body.dead].mean() >= dead
    assert found[body.stuck].mean() >= 0.9
    assert (found & ~body.bad).sum() <= 1


@pytest.mark.parametrize("iso", [100, 800, 3200])
@pytest.mark.parametrize("seed", [0, 2])
def test_edges_that_stay_are_no_defects(iso: float, seed: int) -> None:
    """Ten frames of one scene from a tripod, of a body without a defect; half of them a stop darker."""
    body = make_body(np.random.default_rng(3), number=0, column=None)
    still = everything(learn(body, lambda number: varied(seed), 10, iso))
    assert not still.any()
    bracketed = everything(learn(body, lambda number: varied(seed) / np.float32(1 + number % 2), 10, iso))
    assert bracketed.mean() < 2e-3


def test_points_of_light_that_stay_are_no_defects() -> None:
    rng = np.random.default_rng(0)
    sky = np.full((*SIZE, 3), 0.01, np.float32)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    for _ in range(40):
        cy, cx = rng.uniform(8, SIZE[0] - 8), rng.uniform(8, SIZE[1] - 8)
        bump = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * 0.7**2))
        sky += (rng.uniform(0.05, 0.6) * bump)[..., None].astype(np.float32)
    body = make_body(np.random.default_rng(3), number=0, column=None)
    assert everything(learn(body, lambda number: sky, 10, 800)).sum() <= 2


def test_memory_is_that_of_the_sensor() -> None:
    learner, rng = Learner(SIZE, CFA, dark=True), np.random.default_rng(0)
    body = make_body(rng, number=3)

    def held() -> int:
        return sum(value.nbytes for value in vars(learner).values() if isinstance(value, np.ndarray))

    learner.add(*photograph(DARK, body, 800, rng))
    first = held()
    for _ in range(5):
        learner.add(*photograph(DARK, body, 800, rng))
    assert held() == first <= 28 * SIZE[0] * SIZE[1]


@pytest.mark.parametrize("family", ["xtrans", "quad", "mono"])
def test_every_filter_array_is_learnt(family: str) -> None:
    rng = np.random.default_rng(0)
    learner = Learner(SIZE, CANONICAL[family], dark=True)
    truth = rng.random(SIZE) < 1e-3
    mosaic = (rng.normal(0, 1e-3, SIZE) + 0.1 * truth).astype(np.float32)
    learner.add(mosaic, noise_at(100))
    np.testing.assert_array_equal(everything(dict(learner.result())), truth)
