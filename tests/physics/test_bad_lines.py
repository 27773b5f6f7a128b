"""Lines that are bad as a whole, told from a part of their samples; and bars of a scene, which are none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL
from rawfix.frame import NoiseModel
from rawfix.physics.bad_lines import BadLines, find_constant, find_lines
from rawfix.physics.noise import draw_white

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


NOISE = NoiseModel((1 / 9000,) * 3, ((2.5 / 9000) ** 2,) * 3)
WB = (2.0, 1.0, 1.5)


def shot_of(light: float | np.ndarray) -> np.ndarray:
    """A noisy mosaic before white balance."""
    rng = np.random.default_rng(0)
    signal = np.broadcast_to(np.asarray(light, np.float32), SHAPE)
    return signal + draw_white(signal, NOISE.shot[0], NOISE.read[0], rng)


def balanced(mosaic: np.ndarray, family: str) -> np.ndarray:
    return (mosaic * np.asarray(WB, np.float32)[CANONICAL[family].channels(SHAPE)]).astype(np.float32)


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans"])
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("even", [False, True])
def test_lines_of_one_value_are_found_without_a_network(family: str, value: float, even: bool) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mosaic = shot_of(0.2 if even else 0.3 + 0.2 * np.sin(x / 9 + y / 7))
    mosaic[:, [100, 101, 500]] = mosaic[[33, 40]] = value
    found = find_constant(balanced(mosaic, family), CANONICAL[family], WB, NOISE)
    assert found == BadLines((33, 40), (100, 101, 500))


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_dead_lines_side_by_side_are_found(family: str, value: float) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mosaic = shot_of(0.3 + 0.2 * np.sin(x / 9 + y / 7))
    columns, rows = [*range(200, 208), 500], [100, 300, 301, 302]
    mosaic[:, columns] = mosaic[rows] = value
    found = find_constant(balanced(mosaic, family), CANONICAL[family], WB, NOISE)
    assert found == BadLines(tuple(rows), tuple(columns))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_margin_or_a_pillar_of_one_value_is_the_scenes(value: float) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mosaic = shot_of(0.3 + 0.2 * np.sin(x / 9 + y / 7))
    mosaic[:, :40] = mosaic[:, 300:340] = mosaic[-30:] = mosaic[:2] = mosaic[:, -1] = value
    assert not find_constant(balanced(mosaic, "bayer"), CANONICAL["bayer"], WB, NOISE).any()


@pytest.mark.parametrize("light", [0.0, 0.2, 1.5])
def test_even_dark_and_blown_frames_have_no_lines_of_one_value(light: float) -> None:
    mosaic = np.minimum(shot_of(light), 1)
    assert not find_constant(balanced(mosaic, "bayer"), CANONICAL["bayer"], WB, NOISE).any()


def test_a_bar_of_the_scene_is_no_line_of_one_value() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    light = 0.3 + 0.2 * np.sin(x / 9 + y / 7)
    light[:430, 200] = 0.0
    light[:, 300:304] = 0.02
    assert not find_constant(balanced(shot_of(light), "bayer"), CANONICAL["bayer"], WB, NOISE).any()
