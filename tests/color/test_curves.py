"""Transfer curves, temperature and tone."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from rawfix.color.temperature import kelvin_to_xy, xy_to_kelvin
from rawfix.color.tone import apply_tone, standard
from rawfix.color.transfer import CURVES, decode, encode
from rawfix.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "linear", "encoded"),
    [
        ("srgb", 0.0031308, 0.04045),
        ("srgb", 0.18, 0.461356),
        ("srgb", 0.5, 0.735357),
        ("adobe", 0.5, 0.5 ** (256 / 563)),
        ("rec2020", 0.018, 0.081),
        ("rec2020", 0.18, 0.408846),
        ("prophoto", 1 / 512, 1 / 32),
        ("prophoto", 0.18, 0.385711),
    ],
)
def test_curves_meet_published_points(name: str, linear: float, encoded: float) -> None:
    value = encode(name, np.array([linear, -linear], np.float32))
    np.testing.assert_allclose(value, [encoded, -encoded], rtol=1e-4)


@pytest.mark.parametrize("name", CURVES)
def test_curves_rise_and_are_undone(name: str) -> None:
    linear = np.linspace(-0.5, 4.0, 50001, dtype=np.float32)
    encoded = encode(name, linear)
    assert encoded.dtype == np.float32
    assert (np.diff(encoded) > 0).all()
    np.testing.assert_allclose(decode(name, encoded), linear, atol=3e-6)
    assert encode(name, np.float32([0, 1])).tolist() == pytest.approx([0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("kelvin", "xy"),
    [
        (5003, (0.3457, 0.3585)),
        (5503, (0.3324, 0.3474)),
        (6504, (0.3127, 0.3290)),
        (7504, (0.2990, 0.3149)),
        (2856, (0.4476, 0.4074)),
    ],
)
def test_temperatures_meet_the_cie_illuminants(kelvin: float, xy: tuple[float, float]) -> None:
    """D50, D55, D65, D75 and A."""
    assert kelvin_to_xy(kelvin) == pytest.approx(xy, abs=5e-4)


@pytest.mark.parametrize("kelvin", [2000, 3200, 3999, 4500, 5200, 6999, 7001, 25000])
@pytest.mark.parametrize("tint", [-80, 0, 30, 150])
def test_temperature_is_undone(kelvin: float, tint: float) -> None:
    assert xy_to_kelvin(kelvin_to_xy(kelvin, tint)) == pytest.approx((kelvin, tint), rel=2e-3, abs=0.1)


def test_positive_tint_is_greener_light() -> None:
    assert kelvin_to_xy(5500, 30)[1] > kelvin_to_xy(5500)[1]


@pytest.mark.parametrize(("kelvin", "tint"), [(900, 0), (30000, 0), (5000, 500), (float("nan"), 0)])
def test_impossible_lights_are_refused(kelvin: float, tint: float) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        kelvin_to_xy(kelvin, tint)


def test_standard_tone_keeps_black_and_gray_and_rolls_off() -> None:
    light = np.linspace(-1, 8, 90001, dtype=np.float32)
    toned = standard(light)
    assert (np.diff(toned) >= 0).all()
    assert standard(np.float32([0, 0.18, 4.0])).tolist() == pytest.approx([0, 0.20, 1.0], abs=1e-6)
    assert 0.75 < standard(np.float32([1]))[0] < 0.85


def test_standard_tone_keeps_the_hue() -> None:
    working = np.random.default_rng(1).uniform(0.01, 3, (40, 40, 3)).astype(np.float32)
    toned = apply_tone("standard", working)
    for before, after in zip(working.reshape(-1, 3), toned.reshape(-1, 3), strict=True):
        turn = abs(colorsys.rgb_to_hsv(*map(float, before))[0] - colorsys.rgb_to_hsv(*map(float, after))[0])
        assert min(turn, 1 - turn) < 1e-4


def test_a_gray_stays_a_gray_and_no_tone_is_no_change() -> None:
    working = np.repeat(np.linspace(0, 4, 99, dtype=np.float32)[:, None, None], 3, axis=2)
    toned = apply_tone("standard", working)
    assert (toned == toned[..., :1]).all()
    assert apply_tone("none", working) is working
