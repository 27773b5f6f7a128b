"""More pixels in the pipeline: one picture at any tile, the sensor's light kept, and the metadata says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import exiv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from rawfix.cli import exit_codes
from rawfix.cli.app import app
from rawfix.errors import ModelError, SettingsError
from rawfix.frame import Image, RawFrame
from rawfix.io.metadata import read_exif
from rawfix.io.raw import read_raw
from rawfix.negative import develop_negative
from rawfix.physics.light import draw_light
from rawfix.physics.telling_places import telling_places
from rawfix.pipeline import develop, to_camera
from rawfix.settings import Settings
from rawfix.upscaling import Enlarging, enlarge, upscale_camera

pytestmark = [pytest.mark.models, pytest.mark.usefixtures("upscalers")]
PLAIN = Settings(bits=32, linear=True, tone="none", highlights="clip", space="camera")


WB = (2.0, 1.0, 1.5)


def light(height: int = 70, width: int = 90) -> Image:
    """A scene with a sensor's noise: some of it is below black."""
    rng = np.random.default_rng(5)
    return draw_light(height, width, rng) + np.float32(0.01) * rng.standard_normal(
        (height, width, 3), np.float32
    )


def shrunk(fine: Image, scale: int) -> Image:
    height, width, channels = fine.shape
    return fine.reshape(height // scale, scale, width // scale, scale, channels).mean((1, 3))


def run(*words: object) -> int:
    return int(app([*map(str, words)], standalone_mode=False))


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("detail", [0.0, 1.0])
def test_tiles_make_no_difference(scale: int, detail: float) -> None:
    how = Enlarging(scale, detail, seed=3)
    image = light(200, 150)
    whole, model = enlarge(image, replace(how, tile=1024))
    assert model == f"upscale-x{scale}-camera-standard"
    assert whole.shape == (200 * scale, 150 * scale, 3)
    for tile in (64, 100):
        np.testing.assert_allclose(enlarge(image, replace(how, tile=tile))[0], whole, rtol=0, atol=1e-6)


def test_a_part_is_given_the_detail_that_the_whole_has_there() -> None:
    how, image = Enlarging(2, 1.0), light()
    whole, _ = enlarge(image, how)
    part, _ = enlarge(image[20:60, 30:80], how, origin=(20, 30))
    np.testing.assert_allclose(part[4:-4, 4:-4], whole[44:116, 64:156], rtol=0, atol=1e-6)


def test_a_seed_is_the_picture_to_the_bit_and_another_is_another() -> None:
    image = light()
    first, again, other = (enlarge(image, Enlarging(2, 0.5, seed=s))[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    still, unused = (enlarge(image, Enlarging(2, 0.0, seed=s))[0] for s in (1, 2))
    np.testing.assert_array_equal(still, unused)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("detail", [0.0, 1.0])
def test_the_sensors_light_is_kept_in_every_pixel(scale: int, detail: float) -> None:
    image = light()
    settings = replace(PLAIN, upscale=scale, detail=detail)
    fine, models = upscale_camera(image, WB, settings)
    assert len(models) == 1
    error = shrunk(fine, scale) - image
    assert -10 * np.log10(float((error**2).mean())) > 100
    np.testing.assert_allclose(fine.mean((0, 1)), image.mean((0, 1)), atol=1e-5)
    assert fine.min() >= min(float(image.min()), 0) - 1e-6
    bare, _ = upscale_camera(image, WB, replace(settings, guard=False))
    assert np.abs(shrunk(bare, scale) - image).max() > 1e-3
    assert (bare != fine).any()


def test_detail_is_a_continuous_knob() -> None:
    image = light()
    still, half, near, full = (
        upscale_camera(image, WB, replace(PLAIN, upscale=2, detail=d))[0] for d in (0.0, 0.5, 0.501, 1.0)
    )
    change = [float(np.abs(each - still).mean()) for each in (half, full)]
    assert 0 < change[0] < change[1]
    assert np.abs(near - half).mean() < 0.01 * change[1]


def test_develop_makes_a_larger_picture_of_the_same_light(make_frame: Callable[..., RawFrame]) -> None:
    frame = make_frame(size=(96, 128), iso=100)
    small = develop(frame, PLAIN)
    for scale in (2, 4):
        large = develop(frame, replace(PLAIN, upscale=scale))
        assert large.display.shape == (96 * scale, 128 * scale, 3)
        assert large.models == (*small.models, f"upscale-x{scale}-camera-standard")
        mean = np.asarray(small.display).mean((0, 1))
        np.testing.assert_allclose(np.asarray(large.display).mean((0, 1)), mean, rtol=1e-3)
    portrait = develop(replace(frame, orientation=6), replace(PLAIN, upscale=2)).display
    assert portrait.shape == (256, 192, 3)


def test_a_missing_network_is_exit_4_in_a_line_and_found_before_anything_runs(
    make_dng: Callable[..., Path], upscalers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = make_dng(size=(64, 64))
    assert run("develop", source, "--upscale", 2, "--quality", "standard") == 0
    shutil.rmtree(upscalers / "upscale-x4-camera-standard")
    capfd.readouterr()
    assert run("develop", source, "--upscale", 4, "--overwrite") == exit_codes.MODEL
    err = capfd.readouterr().err
    assert len(err.splitlines()) == 1
    assert "×4" in err
    with pytest.raises(ModelError):
        develop(read_raw(source), replace(PLAIN, upscale=4))


@pytest.mark.parametrize(
    "words",
    [
        ["--upscale", 3],
        ["--detail", 0.5],
        ["--upscale", 2, "--detail", 1.5],
        ["--upscale", 2, "--seed", -1],
        ["--no-guard"],
        ["--upscale", 2, "--format", "dng-cfa"],
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_options_without_meaning_are_refused(
    words: list[object], make_dng: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("develop", make_dng(size=(64, 64)), *words) == exit_codes.USAGE
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(("detail", "enhanced"), [(0, False), (0.5, True)])
def test_the_picture_says_what_was_made_up(
    detail: float, enhanced: bool, make_dng: Callable[..., Path], tmp_path: Path, upscalers: Path
) -> None:
    words = ("--upscale", 2, "--detail", detail, "--seed", 11, "--json")
    assert run("develop", make_dng(size=(64, 96)), *words) == 0
    target = tmp_path / "a.tif"
    assert tifffile.imread(target).shape == (128, 192, 3)
    image = exiv2.ImageFactory.open(str(target))
    image.readMetadata()
    xmp = {datum.key(): datum.toString() for datum in image.xmpData()}
    digest = json.loads((upscalers / "upscale-x2-camera-standard" / "manifest.json").read_text())["sha256"]
    assert f"upscale-x2-camera-standard sha256:{digest}" in xmp["Xmp.rawfix.Models"]
    assert (xmp["Xmp.rawfix.Upscale"], xmp["Xmp.rawfix.Seed"]) == ("2", "11")
    assert float(xmp["Xmp.rawfix.Detail"]) == detail
    source_type = xmp.get("Xmp.iptcExt.DigitalSourceType", "")
    assert source_type.endswith("digitalsourcetype/algorithmicallyEnhanced") == enhanced
    size = read_exif(target, ("Exif.Photo.PixelXDimension", "Exif.Photo.PixelYDimension"))
    assert size == ("192", "128")


def test_a_dng_is_larger_and_reads_back_with_the_same_light(
    make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_dng(size=(64, 96))
    assert run("develop", source, "--format", "dng", "--upscale", 2, "-o", tmp_path / "out") == 0
    large = read_raw(tmp_path / "out" / "a-rawfix.dng")
    assert large.mosaic.shape == (128, 192, 3)
    small = develop_negative(read_raw(source), Settings(format="dng"))
    back = large.mosaic.astype(np.float64).mean((0, 1)) / large.white
    np.testing.assert_allclose(
        back / back[1], small.samples.mean((0, 1)) / small.samples[..., 1].mean(), rtol=2e-3
    )
    with tifffile.TiffFile(tmp_path / "out" / "a-rawfix.dng") as file:
        raw = file.pages[0].pages[0]
        assert raw.tags["DefaultCropSize"].value in ((192, 128), (192, 1, 128, 1))
        assert raw.tags["DefaultScale"].value in ((1, 1, 1, 1), (1, 1), (1000000, 1000000, 1000000, 1000000))


def test_adjust_enlarges_as_develop_does(make_dng: Callable[..., Path], tmp_path: Path) -> None:
    source = make_dng(size=(64, 96), iso=800)
    words = ("--denoise", 0.5, "--upscale", 2, "--detail", 0.7, "--seed", 5)
    assert run("develop", source, "--save-maps", *words, "-o", tmp_path / "one") == 0
    assert run("adjust", tmp_path / "one" / "a.maps.tif", *words, "-o", tmp_path / "two") == 0
    first, second = (tifffile.imread(tmp_path / name / "a.tif") for name in ("one", "two"))
    np.testing.assert_array_equal(first, second)


def test_settings_know_what_detail_means() -> None:
    assert Settings.from_dict(Settings(upscale=4, detail=0.3, seed=9, guard=False).to_dict()).seed == 9
    for wrong in ({"upscale": 3}, {"upscale": 2, "detail": float("nan")}, {"upscale": 2, "seed": 1 << 63}):
        with pytest.raises(SettingsError):
            Settings(**wrong)  # type: ignore[arg-type]


def test_a_sweep_of_details_shows_what_develop_makes(make_dng: Callable[..., Path], tmp_path: Path) -> None:
    source = make_dng(size=(400, 360), iso=400)
    words = (source, "--detail", "0,0.5,1", "--seed", 4, "--upscale", 4, "-o", tmp_path / "sweep")
    assert run("sweep", *words) == 0
    crops = {path.name: np.asarray(Picture.open(path)) for path in (tmp_path / "sweep").glob("a-detail*.png")}
    assert set(crops) == {f"a-detail{d}-{p}.png" for d in ("0", "0.5", "1") for p in ("dark", "edge")}
    assert (tmp_path / "sweep" / "a-sweep.png").exists()
    frame = read_raw(source)
    settings = Settings(format="png", bits=8, upscale=4, detail=1.0, seed=4)
    whole = np.asarray(develop(frame, settings).display)
    for (y, x), name in zip(places_of(frame), ("dark", "edge"), strict=True):
        part = whole[4 * y : 4 * y + 512, 4 * x : 4 * x + 512].astype(int)
        assert np.abs(crops[f"a-detail1-{name}.png"] - part).max() <= 1
        assert (crops[f"a-detail0-{name}.png"] != part).any()


def test_a_sweep_of_details_from_maps_needs_no_network_that_finds_them(
    make_dng: Callable[..., Path], tmp_path: Path, upscalers: Path
) -> None:
    source = make_dng(size=(64, 96), iso=800)
    assert run("develop", source, "--save-maps", "--denoise", 0.5, "-o", tmp_path / "one") == 0
    shutil.rmtree(upscalers / "restore-camera-standard")
    words = ("--denoise", 0.5, "--detail", 0, "-o", tmp_path / "sweep")
    assert run("sweep", tmp_path / "one" / "a.maps.tif", *words) == 0
    assert run("sweep", source, *words, "--overwrite") == exit_codes.MODEL


def places_of(frame: RawFrame) -> tuple[tuple[int, int], tuple[int, int]]:
    return telling_places(to_camera(frame, Settings())[0][..., 1], 128)


@pytest.mark.parametrize(
    "words",
    [["--detail", "0,x"], ["--detail", "2"], ["--upscale", 2], ["--detail", "0", "--denoise", "0,1"]],
    ids=lambda words: " ".join(map(str, words)),
)
def test_a_sweep_of_details_without_meaning_is_refused(
    words: list[object], make_dng: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("sweep", make_dng(size=(64, 64)), *words) == exit_codes.USAGE
    assert len(capfd.readouterr().err.splitlines()) == 1
