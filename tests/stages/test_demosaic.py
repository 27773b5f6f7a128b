"""Demosaicing with a stand-in for the network: what is kept, what is told, what is replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import NoiseModel
from rawfix.nn.tiles import run_tiled
from rawfix.stages.demosaic import demosaic, sigma_window

WB = (2.0, 1.0, 1.5)
NOISE = NoiseModel((1e-3, 2e-3, 3e-3), (1e-6, 2e-6, 3e-6))
BAYER = CANONICAL["bayer"]
GUESS = -7.0


def light(height: int = 11, width: int = 14) -> np.ndarray:
    return np.random.default_rng(0).normal(0.3, 0.4, (height, width)).clip(max=0.9).astype(np.float32)


def network_of(bad: Callable[[np.ndarray], np.ndarray], seen: dict[str, np.ndarray] | None = None) -> Any:
    """A network that guesses one number everywhere, run over the whole frame at once."""

    def network(inputs: Mapping[str, Any], finish: Any) -> Any:
        mosaic = inputs["mosaic"]
        height, width = mosaic.shape
        planes = {
            name: source(0, height, 0, width) if callable(source) else source
            for name, source in inputs.items()
        }
        if seen is not None:
            seen.update(planes)
        guess = np.full((height, width, 3), GUESS, np.float32)
        return finish(0, 0, {"camera": guess, "bad": bad(mosaic).astype(np.float32)})

    return network


def never(mosaic: np.ndarray) -> np.ndarray:
    return np.zeros(mosaic.shape)


def with_guesses(mosaic: np.ndarray, cfa: Cfa, bad: np.ndarray) -> np.ndarray:
    """What stands in a Bayer mosaic after repair: the low guess, brought up to the least of the good ones around."""
    expected = mosaic.copy()
    for y, x in zip(*np.nonzero(bad), strict=True):
        green = cfa.shift(int(y), int(x)).unit()[0, 0] == 1
        steps = [(-1, -1), (-1, 1), (1, -1), (1, 1)] if green else [(-2, -2), (-2, 2), (2, -2), (2, 2)]
        around = [(y + v, x + u) for v, u in [*steps, (-2, 0), (2, 0), (0, -2), (0, 2)]]
        inside = [(v, u) for v, u in around if 0 <= v < mosaic.shape[0] and 0 <= u < mosaic.shape[1]]
        good = [mosaic[site] for site in inside if not bad[site]]
        expected[y, x] = min(good) if len(good) > 1 else GUESS
    return expected


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_measured_samples_are_kept_bit_for_bit(phase: tuple[int, int]) -> None:
    cfa, mosaic = BAYER.shift(*phase), light()
    camera, bad = demosaic(mosaic, cfa, WB, NOISE, network_of(never))
    np.testing.assert_array_equal(cfa.mosaic(camera), mosaic)
    inner = camera[4:-4, 4:-4]  # at the border, guesses are held near the samples
    assert (inner == GUESS).sum() == 2 * inner[..., 0].size > 0
    assert bad.dtype == np.bool_
    assert not bad.any()


def test_a_sample_the_network_distrusts_is_replaced() -> None:
    mosaic = light()
    camera, bad = demosaic(mosaic, BAYER, WB, NOISE, network_of(lambda m: m > 0.5))
    np.testing.assert_array_equal(bad, mosaic > 0.5)
    np.testing.assert_array_equal(BAYER.mosaic(camera), with_guesses(mosaic, BAYER, bad))


def test_every_channel_of_a_repaired_pixel_lies_between_the_good_samples_around_it() -> None:
    mosaic = np.where(BAYER.channels((12, 12)) == 1, 0.8, 0.3).astype(np.float32)
    mosaic[6, 6:8] = 0.0
    camera, _ = demosaic(mosaic, BAYER, WB, NOISE, network_of(lambda m: m == 0))
    np.testing.assert_array_equal(camera[6, 6:8], np.float32([[0.3, 0.8, 0.3]] * 2))


def test_the_threshold_decides_and_belongs_to_the_bad() -> None:
    mosaic = light()
    suspicion = network_of(lambda m: np.full(m.shape, 0.25))
    for threshold, all_bad in ((0.25, True), (0.26, False)):
        _, bad = demosaic(mosaic, BAYER, WB, NOISE, suspicion, threshold=threshold)
        assert bad.all() == all_bad
        assert bad.any() == all_bad


def test_known_bad_is_told_to_the_network_and_replaced() -> None:
    mosaic, seen = light(), dict[str, np.ndarray]()
    known = np.random.default_rng(1).random(mosaic.shape) < 0.2
    camera, bad = demosaic(mosaic, BAYER, WB, NOISE, network_of(never, seen), known)
    np.testing.assert_array_equal(seen["known_bad"], known.astype(np.float32))
    np.testing.assert_array_equal(bad, known)
    np.testing.assert_array_equal(BAYER.mosaic(camera), with_guesses(mosaic, BAYER, known))


def test_without_known_bad_none_is_told() -> None:
    seen: dict[str, np.ndarray] = {}
    demosaic(light(), BAYER, WB, NOISE, network_of(never, seen))
    assert seen["known_bad"].dtype == np.float32
    assert not seen["known_bad"].any()


def test_the_mosaic_is_not_changed() -> None:
    mosaic = light()
    demosaic(mosaic, BAYER, WB, NOISE, network_of(lambda m: np.ones(m.shape)))
    np.testing.assert_array_equal(mosaic, light())


@given(
    st.sampled_from(["bayer", "quad", "xtrans"]),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.tuples(st.integers(0, 10), st.integers(0, 13)),
    st.tuples(st.integers(1, 11), st.integers(1, 14)),
)
def test_sigma_of_any_window_is_the_formula(
    family: str, phase: tuple[int, int], start: tuple[int, int], size: tuple[int, int]
) -> None:
    cfa: Cfa = CANONICAL[family].shift(*phase)
    mosaic = light()
    (y0, x0), y1, x1 = start, min(start[0] + size[0], 11), min(start[1] + size[1], 14)
    sigma = sigma_window(mosaic, cfa, WB, NOISE)(y0, y1, x0, x1)
    assert sigma.dtype == np.float32
    gain = np.asarray(WB)[cfa.channels((11, 14))]
    shot = np.asarray(NOISE.shot)[cfa.channels((11, 14))]
    read = np.asarray(NOISE.read)[cfa.channels((11, 14))]
    before_wb = np.maximum(mosaic / gain, 0)
    expected = gain * np.sqrt(shot * before_wb + read)
    np.testing.assert_allclose(sigma, expected[y0:y1, x0:x1], rtol=1e-5)


@given(st.integers(5, 40), st.integers(5, 40), st.integers(0, 1), st.integers(0, 1), st.booleans())
def test_tiles_keep_samples_as_the_whole_does(
    height: int, width: int, phase_y: int, phase_x: int, told: bool
) -> None:
    cfa, mosaic = BAYER.shift(phase_y, phase_x), light(height, width)
    known = np.random.default_rng(1).random(mosaic.shape) < 0.1 if told else None

    def run(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        guess = np.full_like(tensors["mosaic"], GUESS)
        return {
            "camera": np.concatenate((guess, guess, guess), 1),
            "bad": (tensors["mosaic"] < -0.2).astype(np.float32),
        }

    def network(inputs: Mapping[str, Any], finish: Any) -> Any:
        origin = cfa.offset_to(BAYER)
        assert origin is not None
        return run_tiled(
            run, inputs, {"camera": 3, "bad": 1}, tile=8, halo=2, multiple=2, origin=origin, finish=finish
        )

    camera, bad = demosaic(mosaic, cfa, WB, NOISE, network, known)
    expected = (mosaic < -0.2) | (known if known is not None else False)
    np.testing.assert_array_equal(bad, expected)
    np.testing.assert_array_equal(cfa.mosaic(camera), with_guesses(mosaic, cfa, expected))


def star_field() -> tuple[np.ndarray, np.ndarray]:
    """A mosaic with one star and one hot pixel, and the network's verdict: both are bad."""
    y, x = np.mgrid[0:40, 0:40]
    bump = np.exp(-((y - 12.2) ** 2 + (x - 12.8) ** 2) / (2 * 0.7**2))
    mosaic = (0.01 + 0.5 * bump).astype(np.float32)
    mosaic[30, 29] = 0.5
    verdict = np.zeros(mosaic.shape, bool)
    verdict[12, 13] = verdict[30, 29] = True
    return mosaic, verdict


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_star_is_kept_and_a_hot_pixel_is_not(phase: tuple[int, int]) -> None:
    mosaic, verdict = star_field()
    cfa = BAYER.shift(*phase)
    camera, bad = demosaic(mosaic, cfa, WB, NOISE, network_of(lambda m: verdict))
    assert np.argwhere(bad).tolist() == [[30, 29]]
    np.testing.assert_array_equal(cfa.mosaic(camera)[~bad], mosaic[~bad])


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_what_a_repair_took_from_a_star_is_given_back(phase: tuple[int, int]) -> None:
    """As bilinear interpolation spreads it: 4 times the sample in red and blue, twice in green."""
    mosaic, verdict = star_field()
    cfa = BAYER.shift(*phase)
    channel = int(cfa.channels((40, 40))[12, 13])
    taken, _ = demosaic(mosaic, cfa, WB, NOISE, network_of(never))
    given, _ = demosaic(mosaic, cfa, WB, NOISE, network_of(lambda m: verdict))
    gained = (given - taken)[4:20, 4:20].sum((0, 1))
    missing = mosaic[12, 13] - GUESS
    assert gained[channel] == pytest.approx(missing * (1 if channel == 1 else 3), rel=1e-5)
    others = [c for c in range(3) if c != channel]
    np.testing.assert_allclose(gained[others], missing, rtol=1e-5)


def test_a_known_bad_sample_is_never_a_star() -> None:
    mosaic, verdict = star_field()
    _, bad = demosaic(mosaic, BAYER, WB, NOISE, network_of(never), known_bad=verdict)
    np.testing.assert_array_equal(bad, verdict)


def test_at_the_border_the_network_is_held_near_the_samples_and_inside_it_is_free() -> None:
    mosaic = np.full((24, 24), 0.3, np.float32)
    camera, _ = demosaic(mosaic, BAYER, WB, NOISE, network_of(never))
    np.testing.assert_allclose(camera[:4], 0.3, atol=1e-6)
    np.testing.assert_allclose(camera[:, -4:], 0.3, atol=1e-6)
    inner = camera[4:-4, 4:-4]
    assert (np.sort(np.unique(inner)) == np.array([GUESS, 0.3], np.float32)).all()
