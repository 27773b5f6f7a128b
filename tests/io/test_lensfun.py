"""Corrections from lensfun's database, against its published models computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rawfix.errors import SettingsError, UnsupportedRawError
from rawfix.finish import check_look
from rawfix.frame import LensFacts, RawFrame
from rawfix.io import lensfun
from rawfix.io.dng_opcodes import GAIN_MAP, VIGNETTE, WARP_RECTILINEAR
from rawfix.lens import find_correction
from rawfix.settings import Settings
from tests.lens_files import dots, found_at

lensfunpy = pytest.importorskip("lensfunpy")
SIZE = (400, 600)
FACTS = LensFacts("Canon", "Canon EOS 6D", "EF24-105mm f/4L IS USM", 24.0, 4.0, 1000.0)
CHOSEN = Settings(lens_correction="lensfun")

MakeFrame = Callable[..., RawFrame]


@pytest.fixture
def frame(make_frame: MakeFrame) -> RawFrame:
    return replace(make_frame(size=(64, 96)), lens_facts=FACTS)


def radius_of(y: np.ndarray, x: np.ndarray, corner: bool) -> np.ndarray:
    """Distance from the center over half the short side, or over half the diagonal."""
    cy, cx = (SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2
    return np.hypot(y - cy, x - cx) / (np.hypot(cy, cx) if corner else cy)


def test_a_grid_bent_by_ptlens_model_is_straight(frame: RawFrame) -> None:
    """r_source = r·(a·r³ + b·r² + c·r + 1 − a − b − c), r = 1 at half the short side."""
    profile = lensfun.find_profile(FACTS)
    terms = profile.lens.interpolate_distortion(24.0)
    assert terms.model == lensfunpy.DistortionModel.PTLENS
    a, b, c = terms.terms
    straight = (
        np.stack(np.meshgrid(np.arange(40, 370, 40), np.arange(60, 560, 60), indexing="ij"), -1)
        .reshape(-1, 2)
        .astype(float)
    )
    r = radius_of(straight[:, 0], straight[:, 1], corner=False) * profile.crop / profile.lens.crop_factor
    middle = (np.array(SIZE) - 1) / 2
    bent = middle + (straight - middle) * (a * r**3 + b * r**2 + c * r + 1 - a - b - c)[:, None]
    correction, _ = find_correction(frame, CHOSEN, SIZE)
    assert (
        correction is not None
        and "distortion, lateral color, vignetting of Canon EF 24-105mm f/4L IS USM" in correction.text
    )
    corrected = correction.apply(dots(SIZE, bent))[..., 1]
    # The picture is enlarged a little to fill its frame: straight means a multiple of the grid.
    within = ((straight > 20) & (straight < np.array(SIZE) - 20)).all(1)
    found = found_at(corrected, straight[within])
    for axis in range(2):
        slope, offset = np.polyfit(straight[within, axis], found[:, axis], 1)
        assert 0.97 < slope < 1.03
        assert np.abs(found[:, axis] - (slope * straight[within, axis] + offset)).max() < 0.1
    assert np.abs(bent - straight).max() > 1.5


def test_a_flat_darkened_by_the_pa_model_is_flat(frame: RawFrame) -> None:
    """1 + k1·r² + k2·r⁴ + k3·r⁶, r = 1 in the corner of the sensor the lens was calibrated on."""
    profile = replace(lensfun.find_profile(FACTS), parts=("vignetting",))
    k1, k2, k3 = profile.lens.interpolate_vignetting(24.0, 4.0, 1000.0).terms
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    r = radius_of(y, x, corner=True) * profile.lens.crop_factor / profile.crop
    light = np.repeat((0.5 * (1 + k1 * r**2 + k2 * r**4 + k3 * r**6))[..., None], 3, 2).astype(np.float32)
    assert light.min() < 0.1
    correction, _ = find_correction(frame, CHOSEN, SIZE)
    assert correction is not None
    corrected = replace(correction, profile=profile).apply(light)
    np.testing.assert_allclose(corrected, 0.5, rtol=0.005)


def test_strips_do_not_show(frame: RawFrame) -> None:
    """Places asked for strip by strip are those of the whole, to lensfun's float32."""
    sources = lensfun.find_profile(FACTS).sources(*SIZE)
    assert sources is not None
    whole, part = sources(0, SIZE[0]), sources(123, 150)
    for channel in range(3):
        for axis in range(2):
            np.testing.assert_allclose(part[channel][axis], whole[channel][axis][123:150], atol=0.03)


def test_opcodes_for_the_same_are_not_carried(frame: RawFrame) -> None:
    correction, _ = find_correction(frame, CHOSEN, SIZE)
    assert correction is not None
    assert correction.replaces >= {WARP_RECTILINEAR, VIGNETTE, GAIN_MAP}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "Nothing 1"}, "camera Canon Nothing 1 is unknown"),
        ({"model": ""}, "which camera"),
        ({"lens": ""}, "does not name its lens"),
        ({"lens": "Zuiko Kalle 9mm"}, "lens Zuiko Kalle 9mm is unknown"),
        ({"lens": "24-105mm"}, "may be several"),
        ({"focal_length": None}, "focal length"),
        ({"focal_length": 600.0}, "is unknown to lensfun"),
    ],
)
def test_what_it_does_not_know_is_refused_and_auto_leaves_it(
    changes: dict[str, object], reason: str, frame: RawFrame
) -> None:
    unknown = replace(frame, lens_facts=replace(FACTS, **changes))  # type: ignore[arg-type]
    with pytest.raises(UnsupportedRawError, match=reason):
        find_correction(unknown, CHOSEN, SIZE)
    correction, notes = find_correction(unknown, Settings(lens_correction="auto"), SIZE)
    assert correction is None and reason in notes[0]


def test_a_fixed_lens_needs_no_name() -> None:
    facts = LensFacts("Canon", "Canon PowerShot S40", "", 7.1, 2.8, 5.0)
    assert "S30" in lensfun.find_profile(facts).name


def test_without_the_library_it_is_refused_before_any_file(
    frame: RawFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lensfun, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'rawfix\[lens\]'"):
        check_look(CHOSEN)
    check_look(Settings(lens_correction="auto"))
    correction, notes = find_correction(frame, Settings(lens_correction="auto"), SIZE)
    assert correction is None and "pip install" in notes[0]
