"""The way of the light as a whole, through the shipped networks."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rawfix.cfa import Cfa
from rawfix.errors import ModelError, UnsupportedRawError
from rawfix.frame import NoiseModel, RawFrame, crop
from rawfix.nn.manifest import models_root
from rawfix.nn.stand_ins import stand_ins
from rawfix.physics.defects import Defects
from rawfix.physics.sensor import Sensor, expose
from rawfix.pipeline import develop, to_camera
from rawfix.settings import Settings, Strengths
from tests.conftest import noise_at, scene

pytestmark = pytest.mark.models
MakeFrame = Callable[..., RawFrame]
PLAIN = Settings(tone="none", linear=True, bits=32, highlights="clip")


@pytest.mark.parametrize("iso", [100, 1600, 25600])
@pytest.mark.parametrize("level", [0.02, 0.18, 0.6])
def test_gray_stays_gray(make_frame: MakeFrame, iso: float, level: float) -> None:
    light = np.full((512, 512, 3), level, np.float32)
    developed = develop(make_frame(light, iso=iso, black=2048, white=65535), PLAIN)
    means = developed.display[32:-32, 32:-32].mean((0, 1))
    assert np.abs(means - level).max() < 1e-3


@pytest.mark.parametrize("size", [(17, 19), (64, 71), (301, 299)])
def test_any_odd_size_develops(make_frame: MakeFrame, size: tuple[int, int]) -> None:
    assert develop(make_frame(size=size), PLAIN).display.shape == (*size, 3)


@pytest.mark.parametrize("tile", [64, 256, 512])
def test_tile_equals_whole(make_frame: MakeFrame, tile: int) -> None:
    frame = make_frame(size=(333, 517))
    whole, _, _ = to_camera(frame, replace(PLAIN, tile=1024))
    tiled, _, _ = to_camera(frame, replace(PLAIN, tile=tile))
    assert np.abs(whole - tiled).max() < 1e-4


def test_one_thread_equals_two(make_frame: MakeFrame) -> None:
    frame = make_frame(size=(333, 517))
    one, _, _ = to_camera(frame, replace(PLAIN, threads=1))
    two, _, _ = to_camera(frame, replace(PLAIN, threads=2))
    assert np.array_equal(one, two)


def test_measured_samples_are_kept(make_frame: MakeFrame) -> None:
    frame = make_frame(iso=800)
    camera, bad, models = to_camera(frame, PLAIN)
    assert bad is not None and models == ("demosaic-bayer-standard",)
    assert frame.cfa is not None
    from rawfix.stages.normalize import normalize

    kept = frame.cfa.mosaic(camera) == normalize(frame)
    assert kept[~bad].all()
    assert bad.mean() < 1e-3


def test_all_four_phases_see_the_same_light(make_frame: MakeFrame) -> None:
    errors = []
    for pattern in ("RG/GB", "BG/GR", "GR/BG", "GB/RG"):
        camera, _, _ = to_camera(make_frame(pattern=pattern), PLAIN)
        errors.append(np.sqrt(np.mean((camera - scene(160, 192)) ** 2)))
    assert max(errors) < 1.15 * min(errors)


def test_crop_then_develop_equals_develop_then_crop(make_frame: MakeFrame) -> None:
    frame = make_frame(size=(256, 256))
    whole, _, _ = to_camera(frame, PLAIN)
    part, _, _ = to_camera(crop(frame, 32, 24, 180, 190), PLAIN)
    inner = np.s_[64:-64, 64:-64]
    assert np.abs(whole[32:212, 24:214][inner] - part[inner]).max() < 1e-4


def test_planted_defects_are_found_and_repaired() -> None:
    light = scene(256, 256)
    sensor = Sensor(noise_model=noise_at(100), defects=Defects(1e-3))
    frame, truth = expose(light, sensor, np.random.default_rng(3))
    clean, _ = expose(light, replace(sensor, defects=None), np.random.default_rng(3))
    camera, bad, _ = to_camera(frame, PLAIN)
    strong = truth & (np.abs(frame.mosaic.astype(float) - clean.mosaic) > 0.1 * 16383)
    assert bad is not None and strong.sum() > 10
    assert bad[strong].mean() > 0.85
    assert np.abs(camera[strong] - light[strong]).mean() < 0.05


def test_noise_is_kept(make_frame: MakeFrame) -> None:
    """At no denoising, the grain is the sensor's: that of a linear demosaic, within 15 %."""
    light = np.full((384, 384, 3), 0.3, np.float32)
    frame = make_frame(light, iso=3200)
    camera, bad, _ = to_camera(frame, PLAIN)
    assert bad is not None and frame.cfa is not None
    index = frame.cfa.channels((384, 384))
    for channel in range(3):
        measured = camera[..., channel][(index == channel) & ~bad].std()
        made = camera[..., channel][index != channel].std()
        assert 0.4 * measured < made < 1.1 * measured


@pytest.mark.parametrize(
    "change",
    [
        {"exposure": 1.0}, {"wb": "2.0,1,1"}, {"wb": "auto"}, {"wb": "3000"}, {"tone": "standard"},
        {"space": "rec2020"}, {"space": "camera"}, {"linear": False},
    ],
)  # fmt: skip
def test_every_setting_changes_the_picture(make_frame: MakeFrame, change: dict[str, object]) -> None:
    frame = replace(
        make_frame(cam_to_xyz=np.array([[0.6, 0.2, 0.15], [0.25, 0.7, 0.05], [0.0, 0.1, 0.99]])),
        daylight_wb=(1.8, 1.0, 1.6),
    )
    before = develop(frame, PLAIN).display
    after = develop(frame, replace(PLAIN, **change)).display  # type: ignore[arg-type]
    assert np.abs(after - before).mean() > 1e-3


def test_orientation_is_applied(make_frame: MakeFrame) -> None:
    frame = make_frame(size=(64, 96))
    upright = develop(frame, PLAIN).display
    turned = develop(replace(frame, orientation=6), PLAIN).display
    assert np.array_equal(turned, np.rot90(upright, -1))


def test_blown_highlights_are_not_magenta(make_frame: MakeFrame) -> None:
    light = np.full((96, 96, 3), 4.0, np.float32)
    display = develop(make_frame(light), replace(PLAIN, highlights="rebuild")).display
    assert np.ptp(display.mean((0, 1))) < 0.01 * display.mean()


@pytest.fixture
def only_standard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is installed but the demosaicer for Bayer, tier standard."""
    shipped = models_root() / "demosaic-bayer-standard"
    (tmp_path / shipped.name).symlink_to(shipped)
    monkeypatch.setenv("RAWFIX_MODELS", str(tmp_path))


@pytest.mark.usefixtures("only_standard")
def test_what_no_network_can_do_is_refused(make_frame: MakeFrame) -> None:
    with pytest.raises(ModelError, match="--denoise"):
        develop(make_frame(), Settings(strengths=Strengths(denoise=0.5)))
    with pytest.raises(UnsupportedRawError, match="quad"):
        develop(make_frame(pattern="RRGG/RRGG/GGBB/GGBB"), PLAIN)


@pytest.mark.usefixtures("only_standard")
def test_the_nearest_tier_stands_in(make_frame: MakeFrame) -> None:
    for tier in ("fast", "best"):
        developed = develop(make_frame(), replace(PLAIN, quality=tier))
        assert developed.models == ("demosaic-bayer-standard",)
        assert developed.notes == (f"demosaic-bayer-standard was used: {tier} is not installed for its task",)


def test_networks_of_another_tier_are_told() -> None:
    models = ("demosaic-bayer-standard", "restore-camera-best", "upscale-x2-camera-fast")
    notes = stand_ins(models, Settings().quality)
    assert [note.split()[0] for note in notes] == list(models[1:])
    assert stand_ins(models[:1], Settings().quality) == ()


def test_monochrome_needs_no_network(make_frame: MakeFrame) -> None:
    developed = develop(make_frame(pattern="G", wb=(1.0, 1.0, 1.0)), PLAIN)
    assert developed.bad is None and developed.models == ()
    assert np.ptp(developed.display, axis=2).max() < 1e-3


@pytest.mark.parametrize("choice", [{}, {"wb": "2.0,1,1"}, {"highlights": "clip"}, {"space": "camera"}])
def test_developing_holds_the_picture_once(make_frame: MakeFrame, choice: dict[str, object]) -> None:
    """Twelve bytes a pixel of light and six of display: never two pictures of light, blown places or not."""
    counts = np.full((3000, 400, 3), 4000, np.uint16)
    counts[1000:1200] = 16383
    frame = replace(make_frame(), cfa=None, mosaic=counts)
    tracemalloc.start()
    try:
        develop(frame, Settings(threads=1, **choice))  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 22 * 3000 * 400


@pytest.mark.parametrize("told", ["file", "estimated"])
@pytest.mark.parametrize("pattern", ["RG/GB", "GB/RG", "G"])
def test_a_known_bad_sample_has_no_influence(make_frame: MakeFrame, pattern: str, told: str) -> None:
    """Not on one bit of the picture, in tiles, whatever stands there and wherever the noise model is from."""
    frame = make_frame(
        size=(200, 210), pattern=pattern, wb=(1.0, 1.0, 1.0) if pattern == "G" else (2.0, 1.0, 1.5)
    )
    known = np.random.default_rng(0).random(frame.mosaic.shape) < 3e-3
    known[:, 77] = True
    assert frame.noise is not None
    frame = replace(frame, known_bad=known, noise=replace(frame.noise, source=told))
    pictures = []
    for value in (0, 900, 16383):
        mosaic = np.where(known, value, frame.mosaic).astype(np.uint16)
        developed = develop(replace(frame, mosaic=mosaic), replace(PLAIN, tile=128))
        assert developed.bad is not None and developed.bad[known].all()
        pictures.append(developed.display)
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[1], pictures[2])
    ignored = develop(replace(frame, mosaic=mosaic), replace(PLAIN, bad_pixels="off"))
    assert not np.array_equal(pictures[2], ignored.display)


def test_known_bad_samples_are_repaired(make_frame: MakeFrame) -> None:
    """Defects of three noise deviations, too weak for any detector, in a thousandth of all samples."""
    frame = make_frame(np.full((256, 256, 3), 0.2, np.float32), iso=800)
    clean, _, _ = to_camera(frame, PLAIN)
    known = np.random.default_rng(0).random(frame.mosaic.shape) < 1e-3
    mosaic = np.where(known, frame.mosaic + 200, frame.mosaic).astype(np.uint16)
    left, _, _ = to_camera(replace(frame, mosaic=mosaic), PLAIN)
    repaired, _, _ = to_camera(replace(frame, mosaic=mosaic, known_bad=known), PLAIN)
    assert np.abs(repaired - clean)[known].mean() < 0.6 * np.abs(left - clean)[known].mean()


@pytest.mark.parametrize(
    ("pattern", "tier"), [("GR/BG", "fast"), ("GR/BG", "standard"), ("xtrans", "standard")]
)
def test_an_even_gray_is_even_up_to_its_border(make_frame: MakeFrame, pattern: str, tier: str) -> None:
    cfa = Cfa.from_text(pattern)
    frame = replace(
        make_frame(size=(64, 84)), cfa=cfa, wb=(2.0, 1.0, 1.5), black=np.zeros(cfa.period, np.float32),
        white=(60000.0,) * 3, noise=NoiseModel((1e-5,) * 3, (1e-8,) * 3, "file"),
    )  # fmt: skip
    counts = 0.3 * 60000 / np.array(frame.wb)[cfa.channels((64, 84))]
    camera = to_camera(
        replace(frame, mosaic=np.rint(counts).astype(np.uint16)), replace(PLAIN, quality=tier)
    )[0]
    np.testing.assert_allclose(camera, 0.3, atol=0.005)
