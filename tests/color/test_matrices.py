"""Matrices against published ones."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.color.matrices import D50, D60, D65, adaptation, convert, rgb_to_xyz, xy_to_xyz, xyz_to_rgb
from rawfix.color.spaces import SPACES, WORKING, space_named
from rawfix.errors import SettingsError

PUBLISHED = {
    # IEC 61966-2-1, ITU-R BT.2407, Adobe RGB (1998) 4.3.5.3, AMPAS S-2014-004
    "srgb": [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    "rec2020": [[0.6370, 0.1446, 0.1689], [0.2627, 0.6780, 0.0593], [0.0, 0.0281, 1.0610]],
    "adobe-rgb": [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]],
    "acescg": [
        [0.6624541811, 0.1340042065, 0.1561876870],
        [0.2722287168, 0.6740817658, 0.0536895174],
        [-0.0055746495, 0.0040607335, 1.0103391003],
    ],
    "aces2065-1": [
        [0.9525523959, 0.0, 0.0000936786],
        [0.3439664498, 0.7281660966, -0.0721325464],
        [0.0, 0.0, 1.0088251844],
    ],
    "display-p3": [[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0.0, 0.04511, 1.04394]],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_primaries_give_the_published_matrix(name: str) -> None:
    digits = 1e-7 if name.startswith("aces") else 6e-5
    np.testing.assert_allclose(rgb_to_xyz(SPACES[name]), PUBLISHED[name], atol=digits)


def test_bradford_from_d65_to_d50_is_the_published_matrix() -> None:
    published = [
        [1.0478112, 0.0228866, -0.0501270],
        [0.0295424, 0.9904844, -0.0170491],
        [-0.0092345, 0.0150436, 0.7521316],
    ]  # Lindbloom; his D50 and D65 differ in the fourth digit
    np.testing.assert_allclose(adaptation(D65, D50), published, atol=3e-4)


def test_rec2020_to_acescg_is_the_published_matrix() -> None:
    published = [
        [0.974895, 0.019599, 0.005506],
        [0.002180, 0.995536, 0.002285],
        [0.004797, 0.024532, 0.970671],
    ]  # OpenColorIO's ACES configuration, Bradford
    np.testing.assert_allclose(convert(WORKING, SPACES["acescg"]), published, atol=2e-4)


@pytest.mark.parametrize("name", SPACES)
def test_white_maps_to_white_and_back(name: str) -> None:
    there = convert(WORKING, SPACES[name])
    np.testing.assert_allclose(there @ np.ones(3), np.ones(3), atol=1e-12)
    np.testing.assert_allclose(convert(SPACES[name], WORKING) @ there, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(xyz_to_rgb(SPACES[name]) @ xy_to_xyz(D65), np.ones(3), atol=1e-12)


def test_adaptation_maps_one_white_onto_the_other() -> None:
    np.testing.assert_allclose(adaptation(D60, D50) @ xy_to_xyz(D60), xy_to_xyz(D50), atol=1e-12)


def test_an_unknown_space_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"cmyk.*display-p3"):
        space_named("cmyk")
