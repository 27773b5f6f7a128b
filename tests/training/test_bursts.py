"""The truth of a simulated burst is its scene: defects, flicker and clipping put right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rawfix.cfa import CANONICAL
from rawfix.errors import CorruptRawError
from rawfix.frame import Image, NoiseModel
from rawfix.metrics import psnr
from rawfix.physics.noise import Structure
from rawfix.physics.sensor import Sensor, expose
from rawfix.training.burst_bundle import Counts, Levels, open_bundle, write_bundle
from rawfix.training.burst_defects import average_frames, find_deaf, find_defects, replace_bilinear
from rawfix.training.bursts import align_intensity, average_unclipped, find_mode, make_truth

SIDE, FRAMES = 64, 25
PERIOD = (2, 2)
SENSOR = Sensor(
    black=512,
    white=16383,
    wb=(1.0, 1.0, 1.0),
    noise_model=NoiseModel((2e-3,) * 3, (4e-5,) * 3),
    structure=Structure(row=2e-3),
)
HOT, STUCK, DEAD = (10, 11), (30, 30), (41, 20)


def scene(top: float = 0.7) -> Image:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    planes = (0.15 + y / 3, 0.15 + x / 3, 0.2 + (x + y) / 4)
    image = np.stack(planes, 2)
    return np.asarray(image / image.max() * top, np.float32)


def shoot(light: Image, rng: np.random.Generator, sensor: Sensor = SENSOR) -> Counts:
    counts = expose(light, sensor, rng)[0].mosaic.astype(np.int64)
    counts[HOT] += 1800
    counts[STUCK] = sensor.white
    counts[DEAD] = sensor.black
    return np.clip(counts, 0, sensor.white).astype(np.uint16)


def levels(black: int = 512, gains: tuple[float, float] = (4, 1)) -> Levels:
    return Levels(
        np.full((1, 1), black, np.float32),
        np.full(3, 16383, np.float32),
        np.array(gains, np.float32),
        CANONICAL["bayer"],
    )


def bundle(path: Path, light: Image, brightness: dict[int, float] | None = None, darks: int = FRAMES) -> Path:
    rng = np.random.default_rng(3)
    lit = (shoot(light * np.float32((brightness or {}).get(i, 1)), rng) for i in range(FRAMES))
    write_bundle(path, lit, (shoot(0 * light, rng) for _ in range(darks)), levels())
    return path


@pytest.fixture
def light() -> Image:
    return scene()


def test_truth_lies_far_above_any_single_frame(tmp_path: Path, light: Image) -> None:
    opened = open_bundle(bundle(tmp_path / "b.npz", light))
    truth = make_truth(opened)
    known = SENSOR.cfa.mosaic(light)
    singles = [psnr((frame - 512.0) / (16383 - 512), known) for frame in opened.mosaics()]
    # 25 frames less 25 dark ones: between 11 and 14 dB; defects cost single frames more.
    assert psnr(truth.signal, known) > max(singles) + 10


def test_defects_are_found_and_gone_and_nothing_else_is(tmp_path: Path, light: Image) -> None:
    truth = make_truth(open_bundle(bundle(tmp_path / "b.npz", light)))
    assert set(zip(*np.nonzero(truth.bad), strict=True)) == {HOT, STUCK, DEAD}
    known = SENSOR.cfa.mosaic(light)
    np.testing.assert_allclose(truth.signal[truth.bad], known[truth.bad], atol=0.03)


def test_without_dark_frames_only_the_deaf_are_found(tmp_path: Path, light: Image) -> None:
    truth = make_truth(open_bundle(bundle(tmp_path / "b.npz", light, darks=0)))
    assert set(zip(*np.nonzero(truth.bad), strict=True)) == {DEAD}


def test_frames_of_another_brightness_are_dropped(tmp_path: Path, light: Image) -> None:
    flicker = {3: 0.8, 11: 1.3}
    truth = make_truth(open_bundle(bundle(tmp_path / "b.npz", light, flicker)))
    assert not truth.kept[[3, 11]].any()
    assert truth.kept.sum() >= FRAMES - 4
    steady = make_truth(open_bundle(bundle(tmp_path / "steady.npz", light)))
    known = SENSOR.cfa.mosaic(light)
    assert psnr(truth.signal, known) > psnr(steady.signal, known) - 1


def test_frames_that_are_kept_are_made_equally_bright() -> None:
    means = np.array([1.0, 1.02, 0.98, 1.01, 2.0])
    kept, scales = align_intensity(means)
    np.testing.assert_array_equal(kept, [True, True, True, True, False])
    np.testing.assert_allclose(means[kept] * scales[kept], np.mean(means[kept]))


def test_equal_frames_are_all_kept() -> None:
    kept, scales = align_intensity(np.full(4, 0.3))
    assert kept.all()
    np.testing.assert_allclose(scales, 1)


def test_a_value_that_clips_in_one_frame_does_not_lift_the_truth(tmp_path: Path, light: Image) -> None:
    def struck() -> Iterator[Counts]:
        for index, frame in enumerate(opened.mosaics()):
            frame[5, 6 + index] = 16383
            yield frame

    opened = open_bundle(bundle(tmp_path / "b.npz", light))
    write_bundle(tmp_path / "struck.npz", struck(), opened.darks(), levels())
    with_rays = open_bundle(tmp_path / "struck.npz")
    known = SENSOR.cfa.mosaic(light)[5, 6 : 6 + FRAMES]
    plain = ((average_frames(with_rays.mosaics()) - 512) / (16383 - 512))[5, 6 : 6 + FRAMES]
    truth = make_truth(with_rays).signal[5, 6 : 6 + FRAMES]
    assert (plain - known).mean() > 0.02
    assert abs((truth - known).mean()) < 0.005


def test_where_many_frames_clip_truth_is_as_an_average_is(tmp_path: Path) -> None:
    opened = open_bundle(bundle(tmp_path / "b.npz", np.full((SIDE, SIDE, 3), 0.985, np.float32)))
    sound = np.ones((SIDE, SIDE), bool)
    for site in (HOT, STUCK, DEAD):
        sound[site] = False
    plain = float(((average_frames(opened.mosaics()) - 512) / (16383 - 512))[sound].mean())
    assert float(make_truth(opened).signal[sound].mean()) == pytest.approx(plain, abs=1e-3)


def test_what_clips_in_every_frame_is_white(tmp_path: Path, light: Image) -> None:
    light[20:30, 20:30] = 3
    signal = make_truth(open_bundle(bundle(tmp_path / "b.npz", light))).signal
    np.testing.assert_array_equal(signal[21:29, 21:29], 1)


def test_clipped_values_give_way_to_the_mode() -> None:
    values = [np.full((1, 2), v, np.float32) for v in (0.9, 0.9, 0.9, 1.0)]

    def frames() -> Iterator[tuple[Image, np.ndarray]]:
        return ((v, v >= 1) for v in values)

    average, sites = average_unclipped(frames, np.ones(4))
    np.testing.assert_allclose(average, 0.9, rtol=1e-6)
    assert sites == 2


def test_the_mode_is_where_values_are_densest() -> None:
    rng = np.random.default_rng(0)
    skewed = rng.gamma(4.0, 1.0, (4000, 3))
    # A gamma distribution of shape 4 has its mode at 3, its mean at 4.
    np.testing.assert_allclose(find_mode(skewed.astype(np.float32)), 3, atol=0.6)
    np.testing.assert_array_equal(find_mode(np.array([[1], [5], [5], [5], [9]], np.float32)), [5])
    np.testing.assert_array_equal(find_mode(np.array([[2], [4]], np.float32)), [3])


def test_telegraph_sites_below_the_threshold_stay_and_above_it_go() -> None:
    rng = np.random.default_rng(1)
    darks = [np.rint(rng.normal(512, 10, (32, 32))) for _ in range(12)]
    for index, frame in enumerate(darks):
        frame[4, 4] += 60 * (index % 2)
        frame[9, 9] += 900 * (index % 2)
    counts = [frame.astype(np.uint16) for frame in darks]
    bad, threshold = find_defects(counts, average_frames(counts), PERIOD)
    assert set(zip(*np.nonzero(bad), strict=True)) == {(9, 9)}
    assert threshold == pytest.approx(120, rel=0.15)
    assert find_defects(counts, average_frames(counts), PERIOD, 25.0)[0][4, 4]


def test_dark_parts_of_a_scene_are_not_deaf() -> None:
    mean = np.full((16, 16), 4000, np.float32)
    mean[:, 8:] = 20
    assert not find_deaf(mean, PERIOD, 50).any()
    mean[5, 3] = 0
    assert find_deaf(mean, PERIOD, 50).sum() == 1


@pytest.mark.parametrize("site", [(0, 0), (7, 8), (15, 15)])
def test_replacement_is_exact_on_a_plane_and_stays_in_its_color(site: tuple[int, int]) -> None:
    y, x = np.mgrid[:16, :16]
    plane = np.where((y + x) % 2, 5, 0.1 * y + 0.2 * x).astype(np.float32)
    bad = np.zeros((16, 16), bool)
    bad[site] = True
    wrong = np.where(bad, np.float32(99), plane)
    fixed = replace_bilinear(wrong, bad, PERIOD)
    inner = site == (7, 8)
    np.testing.assert_allclose(fixed, plane, atol=1e-5 if inner else 0.7)
    np.testing.assert_array_equal(fixed[~bad], plane[~bad])


def test_neighbors_that_are_bad_too_are_not_used() -> None:
    mosaic = np.ones((12, 12), np.float32)
    bad = np.zeros((12, 12), bool)
    bad[4, 2:9] = True
    mosaic[bad] = 50
    np.testing.assert_array_equal(replace_bilinear(mosaic, bad, PERIOD), 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"white": np.full(3, 100, np.float32)}, "must lie above black"),
        ({"gains": np.zeros(2, np.float32)}, "gains"),
        ({"black": np.zeros(3, np.float32)}, "black is"),
    ],
)
def test_impossible_levels_are_refused(tmp_path: Path, change: dict[str, Image], message: str) -> None:
    path = tmp_path / "b.npz"
    frames = [np.full((8, 8), 600, np.uint16)] * 2
    write_bundle(path, frames, [], replace(levels(), **change))
    with pytest.raises(CorruptRawError, match=message):
        open_bundle(path)


def test_what_is_no_burst_is_refused(tmp_path: Path) -> None:
    text, pictures = tmp_path / "text.npz", tmp_path / "pictures.npz"
    text.write_text("no")
    np.savez(pictures, picture=np.zeros((4, 4)))
    for path, message in (
        (tmp_path / "none.npz", "no such"),
        (text, "not a bundle"),
        (pictures, "lacks black"),
    ):
        with pytest.raises(CorruptRawError, match=message):
            open_bundle(path)
    one = tmp_path / "one.npz"
    write_bundle(one, [np.full((8, 8), 600, np.uint16)], [], levels())
    with pytest.raises(CorruptRawError, match="no burst"):
        make_truth(open_bundle(one))
    dim = tmp_path / "dim.npz"
    write_bundle(dim, [np.full((8, 8), 500, np.uint16)] * 3, [], levels())
    with pytest.raises(CorruptRawError, match="no brighter than the dark"):
        make_truth(open_bundle(dim))


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def frames() -> Iterator[Counts]:
        yield np.zeros((4, 4), np.uint16)
        raise RuntimeError("camera gone")

    with pytest.raises(RuntimeError):
        write_bundle(tmp_path / "b.npz", frames(), [], levels())
    assert list(tmp_path.iterdir()) == []
