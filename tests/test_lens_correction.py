"""What a lens bent, darkened and tinted is straight, even and neutral again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rawfix.errors import SettingsError, UnsupportedRawError
from rawfix.frame import Image, RawFrame, crop
from rawfix.io.dng_opcodes import Opcode
from rawfix.io.read import read_frame
from rawfix.lens import find_correction
from rawfix.pipeline import develop
from rawfix.settings import Settings
from rawfix.stages.orient import orient
from tests.lens_files import LIST_2, LIST_3, dots, found_at, gain_map, vignette, warp, write_dng

SIZE = (240, 320)
PLAIN = Settings(space="camera", tone="none", linear=True, bits=32, format="tiff", highlights="clip")
STRAIGHT = np.stack(np.meshgrid(np.arange(30, 230, 30), np.arange(40, 300, 40), indexing="ij"), -1).reshape(
    -1, 2
)

MakeFrame = Callable[..., RawFrame]


def lens_of(terms: tuple[float, ...], center: tuple[float, float] = (0.5, 0.5)) -> np.ndarray:
    """Where the light of the straight grid fell: the specification's formula, a place at a time."""
    k0, k1, k2, k3, t0, t1 = terms
    (last_y, last_x), (share_x, share_y) = (SIZE[0] - 1, SIZE[1] - 1), center
    cy, cx = share_y * last_y, share_x * last_x
    m = np.hypot(max(cx, last_x - cx), max(cy, last_y - cy))
    places = []
    for y, x in STRAIGHT:
        dy, dx = (y - cy) / m, (x - cx) / m
        r2 = dx**2 + dy**2
        f = k0 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        places.append(
            (
                cy + m * (f * dy + t1 * 2 * dx * dy + t0 * (r2 + 2 * dy**2)),
                cx + m * (f * dx + t0 * 2 * dx * dy + t1 * (r2 + 2 * dx**2)),
            )
        )
    return np.array(places)


def developed(path: Path, choice: str = "dng", **settings: object) -> Image:
    chosen = replace(PLAIN, lens_correction=choice, **settings)  # type: ignore[arg-type]
    return np.asarray(develop(read_frame(path), chosen).display)


@pytest.fixture
def make(tmp_path: Path, make_frame: MakeFrame) -> Callable[..., Path]:
    """A DNG of linear light, before white balance, with opcode lists."""
    frame = replace(make_frame(size=(64, 64)), wb=(1.0, 1.0, 1.0))

    def made(light: Image, lists: dict[int, list[Opcode]], **changes: object) -> Path:
        return write_dng(tmp_path / "a.dng", replace(frame, **changes), lists, light)

    return made


@pytest.mark.parametrize(
    ("terms", "center"),
    [
        ((1.0, 0.06, -0.02, 0.01, 0.0, 0.0), (0.5, 0.5)),
        ((0.99, -0.05, 0.0, 0.0, 0.004, -0.003), (0.45, 0.6)),
    ],
)
def test_a_warped_grid_of_dots_is_straight_again(
    terms: tuple[float, ...], center: tuple[float, float], make: Callable[..., Path]
) -> None:
    bent = lens_of(terms, center)
    assert np.abs(bent - STRAIGHT).max() > 2
    path = make(dots(SIZE, bent), {LIST_3: [warp(terms, center=center)]})
    picture = developed(path)
    assert picture.shape == (*SIZE, 3)
    assert np.abs(found_at(picture[..., 1], STRAIGHT) - STRAIGHT).max() < 0.1
    assert np.abs(found_at(developed(path, "off")[..., 1], bent) - STRAIGHT).max() > 2


def test_colors_that_fell_apart_meet_again(make: Callable[..., Path]) -> None:
    sets = [(1.004, 0.02, 0, 0, 0, 0), (1.0, 0.02, 0, 0, 0, 0), (0.995, 0.021, 0, 0, 0, 0)]
    light = np.stack([dots(SIZE, lens_of(terms))[..., 0] for terms in sets], -1)
    picture = developed(make(light, {LIST_3: [warp(*sets)]}))
    for channel in range(3):
        assert np.abs(found_at(picture[..., channel], STRAIGHT) - STRAIGHT).max() < 0.1


def test_two_warps_are_one_resampling(make: Callable[..., Path]) -> None:
    """A warp and its undoing: had the picture been resampled twice, the dots' peaks would be lower."""
    light = dots(SIZE, STRAIGHT)
    there, back = (1.02, 0.0, 0.0, 0.0, 0.0, 0.0), (1 / 1.02, 0.0, 0.0, 0.0, 0.0, 0.0)
    picture = developed(make(light, {LIST_3: [warp(there), warp(back)]}))
    np.testing.assert_allclose(picture, light, atol=2e-4)


@pytest.mark.parametrize("list_", [LIST_2, LIST_3])
def test_a_vignetted_flat_is_flat(list_: int, make: Callable[..., Path]) -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    r2 = ((y - 119.5) ** 2 + (x - 159.5) ** 2) / (119.5**2 + 159.5**2)
    gain = 1 + 0.4 * r2 + 0.3 * r2**2 - 0.1 * r2**3 + 0.05 * r2**4 + 0.02 * r2**5
    light = np.repeat((0.5 / gain)[..., None], 3, 2).astype(np.float32)
    assert light.min() < 0.32
    picture = developed(make(light, {list_: [vignette(0.4, 0.3, -0.1, 0.05, 0.02)]}))
    np.testing.assert_allclose(picture, 0.5, rtol=0.005)


def test_a_gain_map_multiplies_as_by_hand(make: Callable[..., Path]) -> None:
    """On 4 × 8 pixels, a map of 2 × 2 points at the edges: pixel (y, x) lies at (y + 0.5) / 4, (x + 0.5) / 8."""
    grid = np.array([[1.0, 2.0], [3.0, 5.0]])[..., None]
    light = np.full((64, 64, 3), 0.1, np.float32)
    plain = developed(make(light, {}), "off")
    picture = developed(make(light, {LIST_2: [gain_map(grid, (64, 64), planes=(0, 2))]}))
    for y, x in ((0, 0), (10, 50), (63, 63)):
        v, h = (y + 0.5) / 64, (x + 0.5) / 64
        by_hand = (1 - v) * ((1 - h) * 1 + h * 2) + v * ((1 - h) * 3 + h * 5)
        np.testing.assert_allclose(picture[y, x, :2], plain[y, x, :2] * by_hand, rtol=1e-5)
    np.testing.assert_array_equal(picture[..., 2], plain[..., 2])


def test_a_gain_map_holds_within_its_bounds(make: Callable[..., Path]) -> None:
    light = np.full((64, 64, 3), 0.1, np.float32)
    doubled = gain_map(np.full((2, 2, 1), 2.0), (20, 30), at=(10, 12))
    picture = developed(make(light, {LIST_3: [doubled]})) / 0.1
    assert picture[10:20, 12:30].min() > 1.99
    picture[10:20, 12:30] = 1
    assert np.abs(picture - 1).max() < 1e-3


@pytest.mark.models
def test_photosites_maps_correct_the_demosaiced_colors(tmp_path: Path, make_frame: MakeFrame) -> None:
    frame = make_frame(np.full((96, 128, 3), 0.3, np.float32), iso=100)
    gains = {(0, 0): 1.5, (0, 1): 1.2, (1, 0): 1.2, (1, 1): 0.8}
    maps = [
        gain_map(np.full((2, 2, 1), g), (96, 128), planes=(0, 1), pitch=2, at=at) for at, g in gains.items()
    ]
    path = write_dng(tmp_path / "a.dng", frame, {LIST_2: maps})
    settings = {"highlights": "rebuild"}
    ratio = developed(path, **settings) / developed(path, "off", **settings)
    np.testing.assert_allclose(ratio, np.broadcast_to((1.5, 1.2, 0.8), ratio.shape), rtol=1e-4)


def test_identities_leave_every_bit(make: Callable[..., Path]) -> None:
    light = np.random.default_rng(1).uniform(0, 0.9, (*SIZE, 3)).astype(np.float32)
    path = make(
        light,
        {
            LIST_2: [gain_map(np.ones((3, 4, 1)), SIZE)],
            LIST_3: [vignette(0, 0, 0, 0, 0), warp((1, 0, 0, 0, 0, 0))],
        },
    )
    np.testing.assert_array_equal(developed(path), developed(path, "off"))


def test_a_place_that_is_a_pixels_own_gives_its_sample(make: Callable[..., Path]) -> None:
    """k0 = 2 on an odd-sized picture: every place is a pixel's own."""
    light = np.random.default_rng(1).uniform(0, 0.9, (65, 65, 3)).astype(np.float32)
    path = make(light, {LIST_3: [warp((2.0, 0, 0, 0, 0, 0))]})
    np.testing.assert_allclose(developed(path)[16:49, 16:49], developed(path, "off")[::2, ::2], atol=1e-5)


def test_it_is_off_by_itself(make: Callable[..., Path]) -> None:
    light = dots(SIZE, STRAIGHT)
    path = make(light, {LIST_3: [vignette(1, 0, 0, 0, 0)]})
    assert Settings().lens_correction == "off"
    np.testing.assert_allclose(np.asarray(develop(read_frame(path), PLAIN).display), light, atol=1e-4)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_picture_is_corrected_as_the_sensor_lay(orientation: int, make: Callable[..., Path]) -> None:
    light = dots(SIZE, STRAIGHT)
    lists = {
        LIST_3: [
            warp((0.97, 0.05, 0, 0, 0.01, 0.0), center=(0.3, 0.6)),
            vignette(0.3, 0, 0, 0, 0, center=(0.2, 0.7)),
        ]
    }
    upright = developed(make(light, lists))
    np.testing.assert_array_equal(
        developed(make(light, lists, orientation=orientation)), orient(upright, orientation)
    )


def test_a_part_of_a_frame_is_corrected_as_in_the_whole(make: Callable[..., Path]) -> None:
    path = make(dots(SIZE, STRAIGHT), {LIST_3: [vignette(0.5, 0.2, 0, 0, 0)]})
    settings = replace(PLAIN, lens_correction="dng")
    whole = np.asarray(develop(read_frame(path), settings).display)
    part = np.asarray(develop(crop(read_frame(path), 20, 50, 100, 140), settings).display)
    np.testing.assert_allclose(part, whole[20:120, 50:190], rtol=1e-5)


def test_threads_change_no_bit(make: Callable[..., Path]) -> None:
    frame = read_frame(make(dots(SIZE, STRAIGHT), {LIST_3: [warp((0.97, 0.05, 0, 0, 0.01, 0.0))]}))
    correction, _ = find_correction(frame, replace(PLAIN, lens_correction="dng"), SIZE)
    assert correction is not None
    light = np.random.default_rng(0).normal(0.3, 0.2, (*SIZE, 3)).astype(np.float32)
    np.testing.assert_array_equal(correction.apply(light.copy(), 1), correction.apply(light.copy(), 3))


def test_auto_without_anything_to_go_by_says_so_and_changes_nothing(make: Callable[..., Path]) -> None:
    path = make(dots(SIZE, STRAIGHT), {})
    result = develop(read_frame(path), replace(PLAIN, lens_correction="auto"))
    np.testing.assert_array_equal(result.display, developed(path, "off"))
    assert result.lens == "" and len(result.notes) == 1 and "the lens was not corrected" in result.notes[0]


def test_what_is_asked_for_by_name_and_not_there_is_refused(make: Callable[..., Path]) -> None:
    with pytest.raises(UnsupportedRawError, match="holds no lens corrections"):
        developed(make(dots(SIZE, STRAIGHT), {}))


@pytest.mark.parametrize(
    "opcode",
    [
        warp((float("nan"), 0, 0, 0, 0, 0)),
        warp((1e9, 0, 0, 0, 0, 0)),
        warp((1, 0, 0, 0, 0, 0), center=(7, 0.5)),
        Opcode(1, 0x01030000, 0, b"\0\0\0\1" + b"\0" * 12),
        Opcode(9, 0x01030000, 0, b"\0" * 80),
        gain_map(np.full((2, 2, 1), np.inf), SIZE),
    ],
)
def test_numbers_without_sense_are_refused(opcode: Opcode, make: Callable[..., Path]) -> None:
    path = make(dots(SIZE, STRAIGHT), {LIST_3: [opcode]})
    with pytest.raises(UnsupportedRawError, match="malformed"):
        developed(path)
    np.testing.assert_array_equal(developed(path, "auto"), developed(path, "off"))


def test_a_warp_beyond_all_measure_gives_numbers(make: Callable[..., Path]) -> None:
    path = make(dots(SIZE, STRAIGHT), {LIST_3: [warp((1e4, -1e4, 1e4, 1e4, 1e4, 1e4)), warp((1e4,) * 6)]})
    assert np.isfinite(developed(path)).all()


def test_a_mosaic_stays_where_it_lies() -> None:
    with pytest.raises(SettingsError, match="keeps the mosaic"):
        Settings(format="dng-cfa", lens_correction="auto")
