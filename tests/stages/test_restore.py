"""Strengths weigh maps and nothing else; noise follows the signal it belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.frame import Image
from rawfix.physics.noise import LUMA, variance
from rawfix.stages.restore import Component, Drawn, combine

SHOT, READ = np.full(3, 2e-3, np.float32), np.full(3, 1e-5, np.float32)
STRENGTHS = st.floats(-1, 2, width=32)


def image(seed: int, scale: float = 1.0, shape: tuple[int, ...] = (300, 7, 3)) -> Image:
    return np.asarray(np.random.default_rng(seed).random(shape, np.float32) * scale, np.float32)


CAMERA, NOISE, BLUR = image(0), image(1, 0.05) - np.float32(0.025), image(2, 0.1) - np.float32(0.05)


def parts(denoise: float, deblur: float, chroma: float | None = None) -> list[Component]:
    return [
        Component("blur", BLUR, deblur, "signal"),
        Component("noise", NOISE, denoise, "noise", chroma),
    ]


def test_zero_strength_is_the_very_image() -> None:
    assert combine(CAMERA, parts(0, 0), SHOT, READ) is CAMERA


def test_denoise_alone_takes_the_map_away() -> None:
    np.testing.assert_allclose(combine(CAMERA, parts(1, 0), SHOT, READ), CAMERA - NOISE, atol=1e-6)


def test_deblur_alone_takes_the_map_away_and_leaves_noise_of_the_new_signal() -> None:
    found = combine(CAMERA, parts(0, 0.7), SHOT, READ)
    after = CAMERA - np.float32(0.7) * BLUR - NOISE
    gain = np.sqrt(variance(after, SHOT, READ) / variance(CAMERA - NOISE, SHOT, READ))
    np.testing.assert_allclose(found, after + gain * NOISE, atol=1e-6)


@given(STRENGTHS, STRENGTHS, STRENGTHS)
def test_the_result_is_linear_in_denoise_at_a_fixed_deblur(
    first: float, second: float, deblur: float
) -> None:
    one, two, middle = (
        combine(CAMERA, parts(d, deblur), SHOT, READ) for d in (first, second, (first + second) / 2)
    )
    np.testing.assert_allclose(middle, (one + two) / 2, atol=1e-5)


def test_luma_and_chroma_together_are_the_whole() -> None:
    np.testing.assert_allclose(
        combine(CAMERA, parts(0.6, 0.3, chroma=0.6), SHOT, READ), combine(CAMERA, parts(0.6, 0.3), SHOT, READ)
    )


def test_chroma_alone_leaves_the_luma_of_the_noise() -> None:
    taken = CAMERA - combine(CAMERA, parts(0, 0, chroma=1), SHOT, READ)
    np.testing.assert_allclose(taken @ LUMA, 0, atol=1e-6)
    np.testing.assert_allclose(taken, NOISE - (NOISE @ LUMA)[..., None], atol=1e-6)


def test_noise_is_rescaled_to_the_signal_that_deblurring_leaves() -> None:
    taken = combine(CAMERA, parts(0, 1), SHOT, READ) - combine(CAMERA, parts(1, 1), SHOT, READ)
    before, after = CAMERA - NOISE, CAMERA - BLUR - NOISE
    gain = np.sqrt(variance(after, SHOT, READ) / variance(before, SHOT, READ))
    np.testing.assert_allclose(taken, NOISE * gain, atol=1e-6)
    assert np.abs(gain - 1).max() > 0.05


def test_signal_components_add_up_in_any_number() -> None:
    fringe = image(3, 0.02)
    components = [*parts(0.5, 0.5), Component("fringe", fringe, 1, "signal")]
    together = combine(CAMERA, components, SHOT, READ, rescale=False)
    np.testing.assert_allclose(together, CAMERA - 0.5 * BLUR - fringe - 0.5 * NOISE, atol=1e-6)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_maps_may_be_half_floats(kind: type) -> None:
    components = [Component("noise", NOISE.astype(kind), 1, "noise")]
    np.testing.assert_allclose(combine(CAMERA, components, SHOT, READ), CAMERA - NOISE, atol=1e-4)


def spread(rescale: bool, denoise: float) -> tuple[float, float]:
    """Mean and deviation of a field of 0.25 that "deblurring" lifts to 0.75."""
    rng = np.random.default_rng(0)
    before, after = np.float32(0.25), np.float32(0.75)
    field = np.full((400, 100, 3), before, np.float32)
    noise = np.sqrt(variance(field, SHOT, READ)) * rng.standard_normal(field.shape, np.float32)
    components = [
        Component("blur", np.full_like(field, before - after), 1, "signal"),
        Component("noise", noise, denoise, "noise"),
    ]
    found = combine(field + noise, components, SHOT, READ, rescale=rescale)
    return float(found.mean()), float(found.std())


def test_deblurred_light_has_the_noise_a_camera_would_have_recorded() -> None:
    expected = float(np.sqrt(0.75 * SHOT[0] + READ[0]))
    mean, deviation = spread(True, 0)
    assert mean == pytest.approx(0.75, abs=1e-3)
    assert deviation == pytest.approx(expected, rel=0.02)
    assert spread(False, 0)[1] < 0.7 * expected


def test_full_strength_leaves_no_noise_on_deblurred_light() -> None:
    mean, deviation = spread(True, 1)
    assert mean == pytest.approx(0.75, abs=1e-5)
    assert deviation < 1e-5


def shaken(light: Image, y: int) -> Image:
    """A map of the two rows around each row, as a drawn component's may be."""
    padded = np.pad(light, ((2, 2), (0, 0), (0, 0)), mode="edge")
    return np.asarray(np.float32(0.1) * (padded[:-4] - 2 * light + padded[4:]), np.float32)


def test_a_drawn_map_is_that_of_the_light_without_noise_and_without_what_was_taken_before() -> None:
    components = [*parts(0.3, 0.6), Component("fringe", Drawn(shaken, 2), 0.8, "signal")]
    light = CAMERA - NOISE - np.float32(0.6) * BLUR
    inner = np.s_[3:-3]
    found = combine(CAMERA, components, SHOT, READ, rescale=False)
    expected = light - np.float32(0.8) * shaken(light, 0) + np.float32(0.7) * NOISE
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-6)
    left = light - np.float32(0.8) * shaken(light, 0)
    gain = np.sqrt(variance(left, SHOT, READ) / variance(CAMERA - NOISE, SHOT, READ))
    found = combine(CAMERA, components, SHOT, READ)
    np.testing.assert_allclose(found[inner], (left + gain * np.float32(0.7) * NOISE)[inner], atol=1e-6)


def test_components_are_taken_in_their_order() -> None:
    dimmed = Component("haze", Drawn(lambda light, _: np.float32(-1) * light), 1, "signal")
    blur = Component("blur", BLUR, 1, "signal")
    np.testing.assert_allclose(combine(CAMERA, [blur, dimmed], SHOT, READ), 2 * (CAMERA - BLUR), atol=1e-6)
    np.testing.assert_allclose(combine(CAMERA, [dimmed, blur], SHOT, READ), 2 * CAMERA - BLUR, atol=1e-6)


def test_drawn_maps_know_their_rows() -> None:
    seen: list[int] = []

    def ramp(light: Image, y: int) -> Image:
        seen.append(y)
        return light * 0 + np.arange(y, y + len(light), dtype=np.float32)[:, None, None]

    rows = Component("ramp", Drawn(ramp, 5), 1, "signal")
    found = combine(CAMERA, [rows], SHOT, READ, threads=3)
    np.testing.assert_array_equal(found, CAMERA - np.arange(300, dtype=np.float32)[:, None, None])
    assert sorted(seen) == [max(0, y - 5) for y in range(0, 300, 40)]


def test_the_result_is_the_same_for_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    camera, noise, blur = (rng.random((700, 40, 3), np.float32) for _ in range(3))
    components = [Component("blur", blur, 0.4, "signal"), Component("noise", noise, 0.7, "noise", 0.2)]
    shot, read = np.full(3, 1e-3, np.float32), np.full(3, 1e-5, np.float32)
    one, four = (combine(camera, components, shot, read, threads=threads) for threads in (1, 4))
    np.testing.assert_array_equal(one, four)


def test_a_sensor_without_noise_gives_finite_light() -> None:
    nothing = np.zeros(3, np.float32)
    dark = np.where(np.float32(np.median(CAMERA)) > CAMERA, np.float32(0), CAMERA)
    for shot in (nothing, SHOT):
        found = combine(dark.copy(), parts(0, 0.7), shot, nothing)
        assert np.isfinite(found).all()
