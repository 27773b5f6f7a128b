"""Finished pictures are enlarged in their own space and depth, and come to themselves when made small again."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import exiv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from jsonschema import validate
from numpy.typing import NDArray
from PIL import Image as Picture

from rawfix.batch.events import schema
from rawfix.cli import exit_codes
from rawfix.cli.app import app
from rawfix.color.spaces import SPACES
from rawfix.errors import UnsupportedRawError
from rawfix.io.icc import profile
from rawfix.io.picture_file import read_picture
from rawfix.metrics import psnr
from rawfix.physics.light import draw_light
from rawfix.physics.shrinking import Method, shrinking

pytestmark = [pytest.mark.models, pytest.mark.usefixtures("upscalers")]
ADOBE = profile(SPACES["adobe-rgb"])


def samples(bits: int = 8, channels: int = 3) -> NDArray[Any]:
    """A picture that was made small."""
    light = np.clip(draw_light(120, 168, np.random.default_rng(3), channels), 0, 1) ** 0.45
    small = np.clip(shrunk(light, 2), 0, 1)
    return np.rint(small * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def run(*words: object) -> int:
    return int(app(["upscale", *map(str, words)], standalone_mode=False))


def shrunk(picture: NDArray[Any], scale: int, method: Method = "bicubic") -> NDArray[np.float64]:
    way = shrinking(method, scale)
    planes = [way.shrink(np.ascontiguousarray(picture[..., c], np.float32)) for c in range(picture.shape[2])]
    return np.stack(planes, -1).astype(np.float64)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("format", ["tiff", "png"])
def test_depth_and_profile_are_kept(format: str, bits: int, tmp_path: Path) -> None:
    source = tmp_path / ("a.tif" if format == "tiff" else "a.png")
    if format == "tiff":
        tifffile.imwrite(source, samples(bits), photometric="rgb", iccprofile=ADOBE)
    else:
        from rawfix.io.png import write_png

        write_png(source, samples(bits), icc=ADOBE, overwrite=False)
    assert run(source) == 0
    found = read_picture(tmp_path / f"a-x2{source.suffix}")
    assert found.format == format
    assert found.icc == ADOBE
    assert found.samples.dtype.itemsize * 8 == bits
    assert found.samples.shape == (120, 168, 3)
    assert psnr(shrunk(found.samples, 2), samples(bits).astype(np.float64), peak=2.0**bits - 1) > 50


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(("detail", "least"), [(0, 50), (1, 45)])
def test_made_small_again_it_is_the_picture_that_was_given(
    scale: int, detail: float, least: float, tmp_path: Path
) -> None:
    source = tmp_path / "a.png"
    Picture.fromarray(samples()).save(source)
    words = (
        source,
        "-o",
        tmp_path / "out",
        "--scale",
        scale,
        "--detail",
        detail,
        "--format",
        "png",
        "--overwrite",
    )
    assert run(*words) == 0
    fine = np.asarray(Picture.open(tmp_path / "out" / f"a-x{scale}.png"))
    assert fine.shape == (60 * scale, 84 * scale, 3)
    seen = samples().astype(np.float64)
    assert psnr(shrunk(fine, scale), seen, peak=255.0) > least
    np.testing.assert_allclose(fine.mean((0, 1)), seen.mean((0, 1)), atol=0.25)
    assert run(*words, "--guard", "off") == 0
    bare = np.asarray(Picture.open(tmp_path / "out" / f"a-x{scale}.png"))
    assert psnr(shrunk(bare, scale), seen, peak=255.0) < psnr(shrunk(fine, scale), seen, peak=255.0) - 3


def test_guard_area_keeps_the_mean_of_light(tmp_path: Path) -> None:
    source = tmp_path / "a.tif"
    linear = profile(SPACES["rec2020"], linear=True)
    tifffile.imwrite(source, samples(16), photometric="rgb", iccprofile=linear)
    assert run(source, "--guard", "area", "--detail", 1) == 0
    fine = tifffile.imread(tmp_path / "a-x2.tif")
    error = shrunk(fine, 2, "area") - samples(16)
    assert np.abs(error)[samples(16) < 30000].max() < 2
    assert np.abs(error).mean() < 100


@pytest.mark.parametrize("detail", [0, 1])
def test_what_the_guard_cannot_hold_is_told(
    tmp_path: Path, detail: float, capfd: pytest.CaptureFixture[str]
) -> None:
    letters = np.full((48, 64, 3), 255, np.uint8)
    letters[10:38:4, 8:56] = (200, 0, 0)
    letters[10:38, 8:56:5] = 0
    Picture.fromarray(letters).save(tmp_path / "letters.png")
    Picture.fromarray(samples()).save(tmp_path / "photo.png")
    assert (
        run(tmp_path / "photo.png", "--detail", detail) == 0 and "--guard area" not in capfd.readouterr().err
    )
    assert run(tmp_path / "letters.png", "--detail", detail) == 0
    assert "letters.png: note: made small again, it is" in (said := capfd.readouterr().err.replace("\n", " "))
    assert "--guard area keeps the light" in said
    assert run(tmp_path / "letters.png", "--detail", detail, "--guard", "area", "--overwrite") == 0
    assert "made small again" not in capfd.readouterr().err


@pytest.mark.parametrize("bits", [4, 12])
def test_tiff_of_few_bits_is_as_bright_as_it_says(bits: int, tmp_path: Path) -> None:
    gray = samples(16, 1)[..., 0].astype(np.float64) / 65535
    counts = np.rint(gray * (2**bits - 1)).astype(np.uint8 if bits == 4 else np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", counts, photometric="minisblack", bitspersample=bits)
    found = read_picture(tmp_path / "a.tif").samples[..., 0]
    full = np.iinfo(found.dtype).max
    assert np.abs(found / full - counts / (2**bits - 1)).max() <= 0.5 / full


@pytest.mark.parametrize("suffix", ["tif", "dng"])
def test_a_thumbnail_is_not_the_picture(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    with tifffile.TiffWriter(path) as file:
        tags = [(50706, 1, 4, b"\x01\x04\0\0", True)] if suffix == "dng" else []
        file.write(np.zeros((6, 8, 3), np.uint8), photometric="rgb", subfiletype=1, extratags=tags)
        file.write(samples(16), photometric="rgb")
    if suffix == "dng":
        with pytest.raises(
            UnsupportedRawError, match="is a RAW file; enlarge it with rawfix develop --upscale"
        ):
            read_picture(path)
        return
    np.testing.assert_array_equal(read_picture(path).samples, samples(16))


def test_gray_stays_gray(tmp_path: Path) -> None:
    Picture.fromarray(samples(8, 1)[..., 0]).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", samples(16, 1)[..., 0], photometric="minisblack")
    Picture.fromarray(samples(8, 1)[..., 0]).save(tmp_path / "c.jpg", quality=97)
    assert run(tmp_path, "--scale", 4) == 0
    for name, bits in (("a-x4.png", 8), ("b-x4.tif", 16), ("c-x4.jpg", 8)):
        found = read_picture(tmp_path / name).samples
        assert (found.shape, found.dtype.itemsize * 8) == ((240, 336, 1), bits)


def test_the_picture_says_what_was_done_and_keeps_what_it_said(tmp_path: Path, upscalers: Path) -> None:
    source = tmp_path / "a.jpg"
    Picture.fromarray(samples()).save(source, quality=95)
    image = exiv2.ImageFactory.open(str(source))
    image.readMetadata()
    exif, xmp = image.exifData(), image.xmpData()
    exif["Exif.Image.Artist"], exif["Exif.Image.Orientation"] = "Ada", exiv2.UShortValue(6)
    xmp["Xmp.iptcExt.DigitalSourceType"] = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    image.writeMetadata()
    assert run(source, "--detail", 0.25, "--seed", 3) == 0
    found = exiv2.ImageFactory.open((tmp_path / "a-x2.jpg").read_bytes())
    found.readMetadata()
    said = {datum.key(): datum.toString() for data in (found.exifData(), found.xmpData()) for datum in data}
    assert said["Exif.Image.Artist"] == "Ada"
    assert said["Exif.Image.Orientation"] == "1"
    assert said["Exif.Photo.PixelXDimension"] == "120"
    assert read_picture(tmp_path / "a-x2.jpg").samples.shape == (168, 120, 3)
    digest = json.loads((upscalers / "upscale-x2-camera-standard" / "manifest.json").read_text())["sha256"]
    assert said["Xmp.rawfix.Models"] == f"upscale-x2-camera-standard sha256:{digest}"
    assert (said["Xmp.rawfix.Detail"], said["Xmp.rawfix.Seed"]) == ("0.25", "3")
    assert said["Xmp.iptcExt.DigitalSourceType"].endswith("/algorithmicallyEnhanced")


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png"])
def test_pixels_to_the_inch_are_kept(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / f"a{suffix}"
    Picture.fromarray(samples()).save(
        source, dpi=(300, 300)
    )  # all there is to do for TIFF; EXIF for the others
    image = exiv2.ImageFactory.open(str(source))
    image.readMetadata()
    for axis in "XY":
        image.exifData()[f"Exif.Image.{axis}Resolution"] = "300/1"
    image.exifData()["Exif.Image.ResolutionUnit"] = exiv2.UShortValue(2)
    image.writeMetadata()
    assert run(source) == 0
    found = exiv2.ImageFactory.open(str(tmp_path / f"a-x2{suffix}"))
    found.readMetadata()
    said = {datum.key(): datum.toString() for datum in found.exifData()}
    names = ("XResolution", "YResolution", "ResolutionUnit")
    assert [said[f"Exif.Image.{name}"] for name in names] == ["300/1", "300/1", "2"]


def test_what_was_done_before_is_still_told(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    Picture.fromarray(samples()).save(source)
    for name, detail in (("a", 0), ("a-x2", 0.5), ("a-x2-x2", 0)):
        assert run(tmp_path / f"{name}.png", "--detail", detail, "--seed", 7) == 0
    xmp = exiv2.ImageFactory.open(str(tmp_path / "a-x2-x2-x2.png"))
    xmp.readMetadata()
    found = {datum.key(): datum.value() for datum in xmp.xmpData()}
    before = [json.loads(found["Xmp.rawfix.Before"].toString(k)) for k in range(2)]
    assert [each["detail"] for each in before] == [0, 0.5]
    assert json.loads(found["Xmp.rawfix.Settings"].toString())["detail"] == 0
    assert found["Xmp.rawfix.Models"].count() == 3


def test_a_picture_that_is_all_made_up_is_not_called_enhanced(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    Picture.fromarray(samples()).save(source)
    image = exiv2.ImageFactory.open(str(source))
    image.readMetadata()
    made_up = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    image.xmpData()["Xmp.iptcExt.DigitalSourceType"] = made_up
    image.writeMetadata()
    assert run(source, "--detail", 1) == 0
    found = exiv2.ImageFactory.open(str(tmp_path / "a-x2.png"))
    found.readMetadata()
    assert found.xmpData()["Xmp.iptcExt.DigitalSourceType"].toString() == made_up


def test_seeds_are_pictures_to_the_bit(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    Picture.fromarray(samples(8)).save(source)
    pictures = []
    for name, seed, tile in (("b", 1, 0), ("c", 1, 64), ("d", 2, 0)):
        target = tmp_path / f"{name}.png"
        assert run(source, "-o", target, "--detail", 1, "--seed", seed, "--tile", tile) == 0
        pictures.append(np.asarray(Picture.open(target)))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).mean() > 0.3


def test_a_run_of_many_is_told_as_develop_tells_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Picture.fromarray(samples()).save(folder / "good.png")
    Picture.fromarray(np.dstack((samples(), samples()[..., 0]))).save(folder / "alpha.png")
    (folder / "broken.png").write_bytes((folder / "good.png").read_bytes()[:2000])
    (folder / "notes.jpg").write_bytes(b"no picture")
    tifffile.imwrite(folder / "float.tif", np.zeros((8, 8, 3), np.float32), photometric="rgb")
    assert run(folder, tmp_path / "missing.png", "--json") == exit_codes.SOME_FAILED
    said = capfd.readouterr()
    assert len(said.err.splitlines()) == 5
    for name, cause in (
        ("alpha", "transparent"), ("broken", "damaged"), ("notes", "no TIFF"), ("float", "16 bits"),
        ("missing", "no such file"),
    ):  # fmt: skip
        assert [line for line in said.err.splitlines() if name in line and cause in line], (name, said.err)
    events = [json.loads(line) for line in said.out.splitlines()]
    for event in events:
        validate(event, schema())
    assert [event["event"] for event in events] == ["run", *["file"] * 6, "summary"]
    assert events[-1]["exit_code"] == exit_codes.SOME_FAILED
    assert sorted(path.name for path in folder.iterdir() if "-x2" in path.name) == ["good-x2.png"]
    before = (folder / "good-x2.png").read_bytes()
    assert run(folder / "good.png") == exit_codes.ALL_FAILED
    assert run(folder / "good.png", "--skip-existing") == 0
    assert run(folder / "good*.png", "--overwrite") == 0
    assert (folder / "good-x2.png").read_bytes() == before
    assert not (folder / "good-x2-x2.png").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--scale", 3], ["--detail", 2], ["--seed", -1], ["--guard", "x"], ["--format", "exr"], ["--quality", "auto"],
        ["--tile", 3], ["--overwrite", "--skip-existing"], ["--name", "{iso}"], ["--picture-quality", 500],
    ],
    ids=lambda words: " ".join(map(str, words)),
)  # fmt: skip
def test_options_without_meaning_are_refused(
    words: list[object], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Picture.fromarray(samples()).save(tmp_path / "a.png")
    assert run(tmp_path / "a.png", *words) == exit_codes.USAGE
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a.png"]


def test_no_network_is_exit_4_and_no_input_exit_3(
    tmp_path: Path, upscalers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "*.png") == exit_codes.NO_INPUT
    Picture.fromarray(samples()).save(tmp_path / "a.png")
    shutil.rmtree(upscalers / "upscale-x2-camera-standard")
    capfd.readouterr()
    assert run(tmp_path / "a.png", "-o", tmp_path / "out") == exit_codes.MODEL
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_palettes_bits_and_opaque_alpha_are_read(tmp_path: Path) -> None:
    Picture.fromarray(samples()).convert("P").save(tmp_path / "palette.png")
    Picture.fromarray(samples(8, 1)[..., 0] > 99).save(tmp_path / "bits.png")
    opaque = np.dstack((samples(16), np.full((60, 84), 65535, np.uint16)))
    (tmp_path / "opaque.png").write_bytes(imagecodecs.png_encode(opaque))
    shapes = {path.stem: read_picture(path).samples.shape for path in tmp_path.glob("*.png")}
    assert shapes == {"palette": (60, 84, 3), "bits": (60, 84, 1), "opaque": (60, 84, 3)}
    np.testing.assert_array_equal(read_picture(tmp_path / "opaque.png").samples, samples(16))
    assert read_picture(tmp_path / "opaque.png").notes


def test_a_network_that_stands_in_is_told(
    tmp_path: Path, upscalers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.png"
    Picture.fromarray(samples()).save(source)
    there = {folder.name for folder in upscalers.iterdir()}
    missing = next(t for t in ("best", "standard", "fast") if f"upscale-x2-camera-{t}" not in there)
    assert run(source, "--quality", missing) == 0
    assert f"was used: {missing} is not installed" in capsys.readouterr().err


def test_a_gamma_that_is_not_heeded_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.png"
    Picture.fromarray(samples()).save(source)
    data = source.read_bytes()
    chunk = b"gAMA" + (100_000).to_bytes(4, "big")
    chunk = (4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    source.write_bytes(data[:33] + chunk + data[33:])  # after the header
    assert run(source) == 0
    assert "gAMA of 1 is not heeded" in capsys.readouterr().err
