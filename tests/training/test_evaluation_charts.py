"""Charts whose truth is a formula, against the formula and against a developer that cannot err on them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from rawfix.cfa import CANONICAL
from rawfix.frame import Image
from rawfix.physics.psf import blur, gaussian
from rawfix.training.evaluation import charts, targets
from rawfix.training.evaluation.protocol import multipliers
from rawfix.training.evaluation.sharpness import edge_response, mtf50

pytestmark = pytest.mark.torch

BAYER = CANONICAL["bayer"]
DARK, BRIGHT = np.full(3, 0.05, np.float32), np.full(3, 0.75, np.float32)


def gray(plane: Image) -> Image:
    """Perfect where the truth is gray: every channel is what was measured."""
    return np.repeat((plane * multipliers(BAYER, plane.shape))[..., None], 3, axis=2)


def transfer(frequency: float, sigma: float) -> float:
    """Of a Gaussian lens and a square pixel, across an edge of the chart's slant."""
    cos, sin = (f(np.deg2rad(targets.ANGLE)) for f in (np.cos, np.sin))
    pixel = np.sinc(frequency * cos) * np.sinc(frequency * sin)
    return float(np.exp(-2 * (np.pi * sigma * frequency) ** 2) * pixel)


@pytest.mark.parametrize("extra", [0.0, 0.6, 1.0])
def test_mtf50_is_where_the_formula_says(extra: float) -> None:
    edge = targets.slanted_edge(160, DARK, BRIGHT)[..., 1]
    soft = blur(edge[..., None], (gaussian(extra),))[..., 0] if extra else edge
    # The kernel that blurs more is a Gaussian summed over pixels: one more box.
    frequencies = np.linspace(0.02, 0.6, 2000)
    box = np.sinc(frequencies) if extra else 1
    values = [transfer(f, float(np.hypot(targets.OPTICS, extra))) for f in frequencies] * box
    expected = frequencies[np.argmax(np.asarray(values) < 0.5)]
    assert mtf50(soft[8:-8, 8:-8]) == pytest.approx(expected, rel=0.015)


def test_the_whole_response_is_the_formula_below_nyquist() -> None:
    frequency, found = edge_response(targets.slanted_edge(160, DARK, BRIGHT)[..., 0])
    chosen = frequency < 0.5
    expected = [transfer(f, targets.OPTICS) for f in frequency[chosen]]
    np.testing.assert_allclose(found[chosen], expected, atol=0.01)


def test_an_edge_that_falls_is_as_sharp_as_one_that_rises() -> None:
    rising, falling = targets.slanted_edge(120, DARK, BRIGHT), targets.slanted_edge(120, BRIGHT, DARK)
    assert mtf50(rising[..., 0]) == pytest.approx(mtf50(falling[..., 0]), rel=1e-3)


def test_mtf50_survives_noise() -> None:
    edge = targets.slanted_edge(160, DARK, BRIGHT)[..., 0]
    noisy = edge + 0.005 * np.random.default_rng(0).standard_normal(edge.shape)
    assert mtf50(noisy) == pytest.approx(mtf50(edge), rel=0.03)


def test_a_flat_plane_has_no_edge() -> None:
    with pytest.raises(ValueError, match="no edge"):
        mtf50(np.full((64, 64), 0.3))


def test_a_perfect_developer_keeps_all_of_a_gray_edge_and_a_worse_one_less() -> None:
    found = charts.edges(gray, BAYER)["gray"]
    assert found["truth_cycles_per_pixel"] == pytest.approx(0.347, abs=0.003)
    assert [found[c] for c in charts.CHANNELS] == pytest.approx([1, 1, 1], abs=1e-3)
    soft = charts.edges(lambda plane: blur(gray(plane), (gaussian(0.7),) * 3), BAYER)["gray"]
    assert all(0.4 < soft[c] < 0.8 for c in charts.CHANNELS)


def test_a_perfect_developer_has_no_false_color_on_a_gray_plate() -> None:
    figures, plate = charts.zone(gray, BAYER)
    assert max(figures.values()) < 1e-3
    np.testing.assert_allclose(plate, targets.zone_plate(len(plate)), atol=1e-6)


def test_false_color_is_counted_in_the_band_where_it_is() -> None:
    side = charts.sides(BAYER, charts.ZONE_SIDE)
    fine = targets.ring_frequency(side) > 0.4

    def tinted(plane: Image) -> Image:
        camera = gray(plane)
        camera[..., 0] += np.float32(0.1) * fine
        return camera

    figures, _ = charts.zone(tinted, BAYER)
    low, middle, high = (v for k, v in figures.items() if "cycles" in k)
    assert (low, middle) == pytest.approx((0, 0), abs=1e-3)
    assert high > figures["all"] > 10


def test_the_zone_plate_reaches_nyquist_at_the_middle_of_its_sides() -> None:
    side = 240
    frequency = targets.ring_frequency(side)
    assert frequency[side // 2, 0] == pytest.approx(0.5, abs=0.01)
    row = targets.zone_plate(side)[side // 2, :, 0] - 0.45
    crossings = np.flatnonzero(np.diff(np.sign(row[side // 2 : side // 2 + 72])))
    # Zeros of cos(π·r²/side) at r = √(side·(n + ½)): half a wave apart, and ever closer.
    expected = np.sqrt(side * (np.arange(len(crossings)) + 0.5))
    assert len(crossings) > 15
    np.testing.assert_allclose(crossings, expected, atol=1.5)


def test_stars_have_the_flux_of_their_gaussian() -> None:
    field = targets.star_field(240, np.random.default_rng(0))
    radius = 8
    for (y, x), width, peak in zip(field.places, field.widths, field.peaks, strict=True):
        if width < 1:
            continue
        patch = field.light[y - radius : y + radius + 1, x - radius : x + radius + 1, 0] - field.sky
        assert patch.sum() == pytest.approx(peak * 2 * np.pi * width**2, rel=0.1)
    assert set(field.widths) == set(targets.STAR_WIDTHS)


def test_what_one_channel_of_stars_loses_no_other_makes_up_for() -> None:
    def tinted(plane: Image, iso: float) -> tuple[Image, np.ndarray]:
        light = targets.star_field(protocol_sides(), charts.generator("stars")).light * charts.EXPOSURE
        sky = light.min((0, 1))
        return sky + (light - sky) * np.array([1.1, 1.0, 0.9], np.float32), np.zeros(plane.shape, bool)

    def protocol_sides() -> int:
        return charts.sides(BAYER, charts.STAR_SIDE)

    tinted.cfa = BAYER  # type: ignore[attr-defined]
    figures, _, _ = charts.stars(tinted)  # type: ignore[arg-type]
    for found in figures.values():
        assert found["flux"] == pytest.approx(1, abs=0.01)
        assert found["flux_red"] == pytest.approx(1.1, abs=0.01)
        assert found["flux_blue"] == pytest.approx(0.9, abs=0.01)
