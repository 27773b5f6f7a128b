"""Filter arrays of DNGs: what their own tags say counts, and one malformed tag costs only itself."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.io.dng import write_cfa_dng
from rawfix.io.dng_negative import write_negative
from rawfix.io.dng_tags import read_tags
from rawfix.io.provenance import Origin
from rawfix.io.raw import read_raw
from rawfix.settings import Settings
from tests.io.test_dng import NOISE, make_frame
from tests.io.test_raw import noisy, write_dng

LEVELS = ((50714, "H", 1, 500), (50717, "H", 1, 15000))
NEUTRAL = (50728, "2I", 3, (1, 2, 1, 1, 2, 3))
MATRIX = (50721, "2i", 9, (9, 10, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 7, 10))


def array_tags(cfa: Cfa, codes: bytes = b"\0\1\2\3") -> tuple[tuple[int, str, int, object], ...]:
    """CFA tags of any array, its channels by the codes given."""
    unit = np.frombuffer(codes, np.uint8)[cfa.unit()]
    return (33421, "H", 2, unit.shape), (33422, "B", unit.size, unit.tobytes())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(CANONICAL)), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_every_phase_of_every_array_comes_back(
    tmp_path: Path, family: str, y: int, x: int, transposed: bool
) -> None:
    cfa = CANONICAL[family].shift(y, x)
    frame = make_frame(Cfa.from_array(cfa.unit().T) if transposed else cfa)
    write_cfa_dng(tmp_path / "a.dng", frame, overwrite=True)
    back = read_raw(tmp_path / "a.dng")
    assert back.cfa == frame.cfa
    np.testing.assert_array_equal(back.mosaic, frame.mosaic)
    assert back.notes == ()


@pytest.mark.parametrize("family", ["rgbir2", "rgbir4"])
@pytest.mark.parametrize("daylight", [None, (1.9, 1.0, 1.6)])
def test_infrared_leaves_the_visible_facts_alone(
    family: str, daylight: tuple[float, float, float] | None, tmp_path: Path
) -> None:
    levels = np.arange(500, 500 + CANONICAL[family].unit().size, dtype=np.float32)
    black = levels.reshape(CANONICAL[family].period)
    frame = replace(make_frame(CANONICAL[family]), daylight_wb=daylight, black=black)
    write_cfa_dng(tmp_path / "a.dng", frame)
    back = read_raw(tmp_path / "a.dng")
    assert back.wb == pytest.approx(frame.wb, rel=1e-5)
    np.testing.assert_allclose(back.cam_to_xyz, frame.cam_to_xyz, atol=1e-5)
    np.testing.assert_array_equal(back.black, black)
    assert back.noise is not None
    assert back.noise.shot == pytest.approx(NOISE.shot)
    if daylight is not None:
        assert back.daylight_wb == pytest.approx(daylight, rel=1e-4)


@pytest.mark.parametrize("family", sorted(set(CANONICAL) - {"mono"}))
@pytest.mark.parametrize("corner", [(1, 1), (3, 2), (5, 4)])
def test_the_array_begins_at_the_active_area(family: str, corner: tuple[int, int], tmp_path: Path) -> None:
    mosaic, (top, left) = noisy(96, 108), corner
    planes = ((50710, "B", 4, b"\0\1\2\3"),) if CANONICAL[family].has_infrared else ()
    area = (50829, "I", 4, (top, left, 90, 100))
    write_dng(tmp_path / "a.dng", mosaic, *array_tags(CANONICAL[family]), *planes, *LEVELS, area)
    frame = read_raw(tmp_path / "a.dng")
    height, width = frame.mosaic.shape
    starts = [
        (y, x)
        for y in range(top, top + 8)
        for x in range(left, left + 8)
        if np.array_equal(mosaic[y : y + height, x : x + width], frame.mosaic)
    ]
    assert len(starts) == 1
    assert frame.cfa == CANONICAL[family].shift(starts[0][0] - top, starts[0][1] - left)


def read_with(path: Path, family: str, codes: bytes, *tags: tuple[int, str, int, object]) -> RawFrame:
    write_dng(path, noisy(), *array_tags(CANONICAL[family], codes), *LEVELS, *tags)
    return read_raw(path)


@pytest.mark.parametrize("code", [3, 7, 9])
@pytest.mark.parametrize("family", ["rgbir2", "rgbir4"])
def test_a_fourth_color_without_visible_light_is_infrared(family: str, code: int, tmp_path: Path) -> None:
    codes = bytes((0, 1, 2, code))
    frame = read_with(tmp_path / "a.dng", family, codes, (50710, "B", 4, codes))
    assert frame.cfa == CANONICAL[family]


def test_a_fourth_visible_color_is_refused(tmp_path: Path) -> None:
    emerald = (50721, "2i", 12, (9, 10, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 7, 10, 0, 1, 1, 2, 1, 2))
    with pytest.raises(UnsupportedRawError, match=r"colors 0, 1, 2, 3\)"):
        read_with(tmp_path / "a.dng", "rgbir2", b"\0\1\2\3", (50710, "B", 4, b"\0\1\2\3"), emerald)


@pytest.mark.parametrize("code", [4, 5, 6])
def test_other_colors_are_refused(code: int, tmp_path: Path) -> None:
    codes = bytes((0, 1, 2, code))
    with pytest.raises(UnsupportedRawError, match=rf"colors 0, 1, 2, {code}\)"):
        read_with(tmp_path / "a.dng", "rgbir2", codes, (50710, "B", 4, codes))


def test_the_order_of_planes_is_the_files_own(tmp_path: Path) -> None:
    """Blue first: neutral, matrix and noise are stated in that order."""
    noise = (51041, "d", 6, (3e-4, 3e-6, 2e-4, 2e-6, 1e-4, 1e-6))
    plain = read_with(tmp_path / "a.dng", "bayer", b"\0\1\2", NEUTRAL, MATRIX)
    swapped = read_with(
        tmp_path / "b.dng", "bayer", b"\0\1\2", (50710, "B", 3, b"\2\1\0"), noise,
        (50728, "2I", 3, (2, 3, 1, 1, 1, 2)),
        (50721, "2i", 9, (0, 1, 0, 1, 7, 10, 0, 1, 1, 1, 0, 1, 9, 10, 0, 1, 0, 1)),
    )  # fmt: skip
    assert swapped.cfa == plain.cfa
    assert plain.wb == pytest.approx((2, 1, 1.5), rel=1e-5)
    assert swapped.wb == pytest.approx(plain.wb, rel=1e-5)
    np.testing.assert_allclose(swapped.cam_to_xyz, plain.cam_to_xyz, atol=1e-5)
    assert swapped.noise is not None
    assert swapped.noise.shot == pytest.approx((1e-4, 2e-4, 3e-4))


@pytest.mark.parametrize("family", ["rgbir2", "rgbir4"])
@pytest.mark.parametrize(
    ("planes", "neutral", "rows"),
    [
        (b"\0\1\2\3", (1, 2, 1, 1, 2, 3), (9, 0, 0, 0, 10, 0, 1, 0, 7)),
        (b"\2\1\0\3", (2, 3, 1, 1, 1, 2), (1, 0, 7, 0, 10, 0, 9, 0, 0)),
        (b"\1\0\2\3", (1, 1, 1, 2, 2, 3), (0, 10, 0, 9, 0, 0, 1, 0, 7)),
    ],
)
def test_three_planes_of_four_colors_keep_their_neutral(
    family: str, planes: bytes, neutral: tuple[int, ...], rows: tuple[int, ...], tmp_path: Path
) -> None:
    """Matrix and neutral speak of the visible planes alone."""
    stated = (50721, "2i", 9, tuple(number for row in rows for number in (row, 10)))
    frame = read_with(
        tmp_path / "a.dng", family, b"\0\1\2\3", (50710, "B", 4, planes), stated, (50728, "2I", 3, neutral)
    )
    assert frame.cfa == CANONICAL[family]
    assert frame.wb == pytest.approx((2, 1, 1.5), rel=1e-5)
    assert not any("white balance" in note for note in frame.notes)


@pytest.mark.parametrize("neutral", [(0, 1, 1, 1, 2, 3), (1, 0, 1, 1, 2, 3)])
def test_a_neutral_of_zero_is_no_white_balance(neutral: tuple[int, ...], tmp_path: Path) -> None:
    planes, stated = (50710, "B", 4, b"\0\1\2\3"), (50728, "2I", 3, neutral)
    frame = read_with(tmp_path / "a.dng", "rgbir2", b"\0\1\2\3", planes, MATRIX, stated)
    assert any("white balance" in note for note in frame.notes)
    assert np.isfinite(frame.wb).all() and min(frame.wb) > 0


WRONG = {
    "BlackLevel": (50713, "H", 3, (2, 2, 2)),
    "CFAPlaneColor": (50710, "B", 3, b"\0\0\0"),
    "ActiveArea": (50829, "I", 2, (0, 0)),
    "NoiseProfile": (51041, "d", 3, (1e-4, 1e-6, 1e-4)),
    "ColorMatrix1": (50721, "2i", 2, (1, 1, 1, 1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_malformed_tag_costs_only_itself(name: str, tmp_path: Path) -> None:
    sound = [*array_tags(CANONICAL["bayer"]), *LEVELS, NEUTRAL, MATRIX]
    tags = [tag for tag in sound if tag[0] != WRONG[name][0]]
    write_dng(tmp_path / "a.dng", noisy(), *tags, WRONG[name])
    frame = read_raw(tmp_path / "a.dng")
    assert f"its {name} tag is malformed and was left out" in frame.notes
    assert frame.white == (15000.0,) * 3
    assert frame.wb == pytest.approx((2, 1, 1.5), rel=1e-5)
    assert frame.cfa == CANONICAL["bayer"]


def test_a_malformed_pattern_leaves_the_other_tags(tmp_path: Path) -> None:
    tags = ((33421, "H", 2, (2, 2)), (33422, "B", 3, b"\0\1\1"))
    write_dng(tmp_path / "a.dng", noisy(), *tags, *LEVELS, MATRIX)
    found = read_tags(tmp_path / "a.dng")
    assert found.notes == ("its CFAPattern tag is malformed and was left out",)
    assert found.raw is not None
    assert found.raw.pattern is None
    assert found.raw.white == (15000.0,)
    assert found.color_matrix is not None


def test_a_tag_that_points_beyond_the_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    write_dng(path, noisy(), *array_tags(CANONICAL["bayer"]), *LEVELS, NEUTRAL, (51041, "d", 2, (1e-4, 1e-6)))
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HHI", 51041, 12, 2))
    data[at + 8 : at + 12] = struct.pack("<I", len(data) + 100)
    path.write_bytes(data)
    frame = read_raw(path)
    assert "its NoiseProfile tag is malformed and was left out" in frame.notes
    assert frame.noise is not None
    assert frame.noise.source == "estimated"
    assert frame.white == (15000.0,) * 3


@pytest.mark.parametrize("is_mosaic", [True, False])
def test_a_negative_of_a_sensor_with_infrared_is_read_again(is_mosaic: bool, tmp_path: Path) -> None:
    """As a mosaic with its four planes; as developed light with three, though its source speaks of four."""
    frame = replace(make_frame(CANONICAL["rgbir4"]), daylight_wb=(1.9, 1.0, 1.6))
    write_cfa_dng(tmp_path / "source.dng", frame)
    light = np.random.default_rng(0).uniform(0.1, 0.6, (96, 144, 3)).astype(np.float32)
    write_negative(
        tmp_path / "a.dng", frame.mosaic if is_mosaic else light, np.zeros((48, 72, 3), np.uint8), frame, frame.wb,
        Settings(), Origin(tmp_path / "source.dng"), overwrite=False,
    )  # fmt: skip
    with tifffile.TiffFile(tmp_path / "a.dng") as file:
        main = file.pages[0]
        counts = [main.tags[tag].count for tag in (50721, 50728, 50964)]
        raw = next(page for page in main.pages if page.photometric in (32803, 34892))
        assert counts == ([12, 4, 12] if is_mosaic else [9, 3, 9])
        assert raw.tags[51041].count == (8 if is_mosaic else 6)
        assert raw.tags[50710].value == b"\0\1\2\3" if is_mosaic else 50710 not in raw.tags
        if is_mosaic:  # infrared takes no part in the colors
            assert main.tags[50964].value[6::8] == (0, 0, 0)
    back = read_raw(tmp_path / "a.dng")
    assert back.cfa == (frame.cfa if is_mosaic else None)
    assert back.wb == pytest.approx(frame.wb, rel=1e-5)
    assert back.daylight_wb == pytest.approx(frame.daylight_wb, rel=1e-4)
    np.testing.assert_allclose(back.cam_to_xyz, frame.cam_to_xyz, atol=1e-5)
    assert back.notes == ()
    assert back.noise is not None
    assert back.noise.source == "file"
    if is_mosaic:
        np.testing.assert_array_equal(back.mosaic, frame.mosaic)
