"""Clusters of which a part was found; and points of light, of which the same can be said."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.cfa import CANONICAL
from rawfix.frame import Image, NoiseModel, with_infrared
from rawfix.physics.clusters import Bool, _group, find_clustered
from rawfix.physics.noise import draw_white
from rawfix.physics.psf import spot

SHAPE = (96, 120)
WB = (2.0, 1.0, 1.5)
SHOT, READ = 1 / 9000, (2.5 / 9000) ** 2
NOISE = NoiseModel((SHOT,) * 3, (READ,) * 3)


def waves() -> Image:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (0.3 + 0.2 * np.sin(x / 30 + y / 40) * np.cos(y / 50)).astype(np.float32)


def noisy(light: Image) -> Image:
    return light + draw_white(light, SHOT, READ, np.random.default_rng(0))


def at(*sites: tuple[int, int]) -> Bool:
    marked = np.zeros(SHAPE, bool)
    for site in sites:
        marked[site] = True
    return marked


def clustered(mosaic: Image, found: Bool, family: str = "bayer", bad: Bool | None = None) -> Bool:
    cfa = CANONICAL[family]
    balanced = np.clip(mosaic, 0, 1) * with_infrared(WB)[cfa.channels(SHAPE)]
    return find_clustered(balanced.astype(np.float32), cfa, WB, NOISE, found, found if bad is None else bad)


@pytest.mark.parametrize("family", [family for family in CANONICAL if family != "mono"])
@pytest.mark.parametrize("value", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("side", [2, 3])
def test_a_block_is_whole_once_a_corner_of_it_is_found(family: str, value: float, side: int) -> None:
    mosaic = noisy(waves())
    for y, x in ((40, 51), (43, 90), (70, 20)):
        mosaic[y : y + side, x : x + side] = value
    block = at()
    for y, x in ((40, 51), (43, 90), (70, 20)):
        block[y : y + side, x : x + side] = True
    assert np.array_equal(clustered(mosaic, at((40, 51), (43, 90), (70, 20)), family), block)


def test_a_block_at_the_border_is_whole() -> None:
    mosaic = noisy(waves())
    mosaic[:2, 50:52] = mosaic[40:42, -2:] = 1
    block = at((0, 50), (0, 51), (1, 50), (1, 51), (40, -1), (40, -2), (41, -1), (41, -2))
    assert np.array_equal(clustered(mosaic, at((0, 50), (41, -1))), block)


def test_what_stands_alone_stays_alone() -> None:
    mosaic = noisy(waves())
    singles = at(*((int(y), int(x)) for y in range(4, 90, 6) for x in range(5, 110, 7)))
    mosaic[singles] = np.random.default_rng(1).choice([0.0, 1.0], int(singles.sum()))
    assert not clustered(mosaic, singles).any()


def test_a_good_sample_that_was_taken_for_bad_draws_nothing_along() -> None:
    mosaic = noisy(waves())
    mosaic[40, 51] = 1  # beside, unfound
    assert not clustered(mosaic, at((40, 50))).any()


@pytest.mark.parametrize("sky", [0.005, 0.3])
@pytest.mark.parametrize("width", [0.5, 0.6, 0.75, 1.0])
def test_light_that_was_taken_for_bad_stays(width: float, sky: float) -> None:
    rng = np.random.default_rng(5)
    stars = np.full(SHAPE, sky)
    brightest = at()
    for y in range(10, 90, 16):
        for x in range(10, 115, 16):
            center = y + rng.uniform(0, 1), x + rng.uniform(0, 1)
            light = rng.uniform(0.5, 1.5) * spot(SHAPE, center, width)
            brightest[np.unravel_index(light.argmax(), SHAPE)] = True
            stars += light
    mosaic = noisy(stars.astype(np.float32))
    assert clustered(mosaic, brightest).sum() <= 8  # of 35 stars' 300 samples and more


def test_only_what_was_not_known_is_told() -> None:
    mosaic = noisy(waves())
    mosaic[40:42, 51:53] = mosaic[70:72, 20:22] = 1
    bad = at((40, 51), (40, 52), (41, 51), (41, 52), (70, 20))
    more = clustered(mosaic, at((70, 20)), bad=bad)
    assert np.array_equal(more, at((70, 20), (70, 21), (71, 20), (71, 21)))


def test_nothing_found_is_nothing_more() -> None:
    assert not clustered(noisy(waves()), at()).any()


def test_two_that_touch_are_told_though_nothing_is_new() -> None:
    mosaic = noisy(waves())
    mosaic[40:42, 51:53] = 1
    mosaic[10, 10] = 1
    block = at((40, 51), (40, 52), (41, 51), (41, 52))
    assert np.array_equal(clustered(mosaic, block | at((10, 10))), block)


def test_where_most_is_bad_clusters_are_no_light() -> None:
    bad = np.random.default_rng(0).random(SHAPE) < 0.25
    mosaic = noisy(np.full(SHAPE, 0.3, np.float32))
    mosaic[bad] = 1
    assert (clustered(mosaic, bad) & bad).sum() > 0.8 * bad.sum()  # a tenth stands alone


def test_what_known_bad_samples_read_has_no_say() -> None:
    mosaic = noisy(waves())
    mosaic[40:42, 51:53] = 1
    known = at((38, 51), (42, 53), (44, 50))
    without = clustered(mosaic, at((40, 51)), bad=known | at((40, 51)))
    mosaic[known] = np.nan
    assert np.array_equal(clustered(mosaic, at((40, 51)), bad=known | at((40, 51))), without)
    assert without.sum() == 4


def test_groups_are_told_apart_at_any_length() -> None:
    marked = at()
    marked[:, 7] = marked[5, 20:60] = marked[6, 60] = True
    marked[50, -1] = marked[51, 0] = True
    sites = np.nonzero(marked)
    numbers = _group((sites[0], sites[1]), SHAPE[1])
    assert sorted(np.bincount(numbers)[np.unique(numbers)].tolist()) == [1, 1, 41, SHAPE[0]]
