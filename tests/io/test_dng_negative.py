"""DNGs for other developers: whole, true to the light, and faithful to what their source said."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import OutputError
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.io.dng import DngExif, write_cfa_dng
from rawfix.io.dng_negative import write_negative
from rawfix.io.provenance import Origin, Provenance
from rawfix.io.raw import read_raw
from rawfix.physics.sensor import SRGB_TO_XYZ
from rawfix.settings import Settings, Strengths

NOISE = NoiseModel((1e-4, 2e-4, 3e-4), (1e-6, 2e-6, 3e-6), "file")
CAM_TO_XYZ = SRGB_TO_XYZ @ np.array([[1.6, -0.4, -0.2], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]])
LINEAR, MOSAIC = Settings(format="dng"), Settings(format="dng-cfa")
PREVIEW = np.random.default_rng(5).integers(0, 256, (200, 300, 3), dtype=np.uint8)


def make_frame(**changes: Any) -> RawFrame:
    rng = np.random.default_rng(0)
    frame = RawFrame(
        mosaic=rng.integers(600, 15000, (400, 520)).astype(np.uint16), cfa=Cfa.from_rows("GR", "BG"),
        black=np.full((1, 1), 512, np.float32), white=(15300.0,) * 3, wb=(2.1, 1.0, 1.45), cam_to_xyz=CAM_TO_XYZ,
        noise=NOISE, iso=800.0, orientation=6, camera="Example One", lens="Example 50mm",
        daylight_wb=(1.9, 1.0, 1.6),
    )  # fmt: skip
    return replace(frame, **changes)


def light(channels: int = 3, peak: float = 0.9) -> Image:
    values = np.random.default_rng(1).random((400, 520, channels), np.float32)
    return values * np.float32(peak / values.max())


def write(
    folder: Path, samples: np.ndarray, frame: RawFrame, settings: Settings = LINEAR, **origin: Any
) -> tuple[Path, tuple[str, ...]]:
    source, target = folder / "source.dng", folder / "target.dng"
    if not source.exists():
        exif = DngExif("Example", "One", "77", "A lens", "2020:01:02 03:04:05", 1 / 200, 2.8, 50.0)
        write_cfa_dng(source, frame, exif)
    notes = write_negative(
        target, samples, PREVIEW, frame, frame.wb, settings, Origin(source, **origin), overwrite=True
    )
    return target, notes


def test_linear_light_comes_back(tmp_path: Path) -> None:
    frame = make_frame()
    path, notes = write(tmp_path, light(), frame)
    back = read_raw(path)
    assert notes == () and back.cfa is None and back.notes == ()
    np.testing.assert_allclose(back.mosaic / back.white[0], light(), atol=0.6 / back.white[0])
    assert back.wb == pytest.approx(frame.wb, rel=1e-5)
    assert back.daylight_wb == pytest.approx(frame.daylight_wb, rel=1e-4)
    np.testing.assert_allclose(back.cam_to_xyz, frame.cam_to_xyz, atol=1e-5)
    assert (back.orientation, back.iso, back.lens) == (6, 800.0, "A lens")
    assert back.noise is not None
    np.testing.assert_allclose(back.noise.shot, NOISE.shot)
    np.testing.assert_allclose(back.noise.read, NOISE.read, rtol=1e-4)


@pytest.mark.parametrize("family", ["bayer", "xtrans", "mono"])
def test_a_mosaic_comes_back_on_its_own_levels(family: str, tmp_path: Path) -> None:
    frame = make_frame(cfa=CANONICAL[family], black=np.full((1, 1), 500.5, np.float32))
    back = read_raw(write(tmp_path, frame.mosaic, frame, MOSAIC)[0])
    np.testing.assert_array_equal(back.mosaic, frame.mosaic)
    assert (back.cfa, back.white, back.orientation) == (frame.cfa, frame.white, 6)
    np.testing.assert_allclose(back.black, frame.black, atol=1e-4)


def test_channels_that_saturate_at_different_counts_keep_color_and_noise(tmp_path: Path) -> None:
    """One WhiteLevel for all: neutral, matrix and noise profile make up for it."""
    frame = make_frame(white=(15300.0, 14000.0, 15000.0))
    back = read_raw(write(tmp_path, frame.mosaic, frame, MOSAIC)[0])
    span = (np.array(frame.white) - 512) / (14000 - 512)
    np.testing.assert_allclose(back.wb, np.array(frame.wb) / span * span[1], rtol=1e-5)
    np.testing.assert_allclose(back.cam_to_xyz, frame.cam_to_xyz, atol=1e-5)
    assert back.noise is not None
    np.testing.assert_allclose(back.noise.read, np.array(NOISE.read) * span**2)


def test_monochrome_is_linear_raw_of_one_sample(tmp_path: Path) -> None:
    frame = make_frame(cfa=CANONICAL["mono"], wb=(1.0, 1.0, 1.0), cam_to_xyz=SRGB_TO_XYZ)
    back = read_raw(write(tmp_path, light(1), frame)[0])
    assert back.cfa == CANONICAL["mono"]
    np.testing.assert_allclose(back.mosaic / back.white[0], light(1)[..., 0], atol=0.6 / back.white[0])


def test_rebuilt_highlights_stay_above_the_white_level_and_nothing_shifts(tmp_path: Path) -> None:
    path, _ = write(tmp_path, light(peak=2.1), make_frame())
    back = read_raw(path)
    np.testing.assert_allclose(back.mosaic / back.white[0], light(peak=2.1), atol=0.6 / back.white[0])
    assert back.mosaic.max() > 2 * back.white[0]
    assert main_value(path, 50730) == (0, 1)


def test_light_far_above_white_is_made_up_for_by_baseline_exposure(tmp_path: Path) -> None:
    path, _ = write(tmp_path, light(peak=40.0), make_frame(), replace(LINEAR, exposure=1.0))
    back = read_raw(path)
    over, under = main_value(path, 50730)
    scale = 2.0 ** (over / under - 1.0)
    assert scale > 4
    np.testing.assert_allclose(back.mosaic / back.white[0] * scale, light(peak=40.0), atol=scale / 16384)


def test_exposure_and_balance_are_stated_not_applied(tmp_path: Path) -> None:
    frame = make_frame()
    path, _ = write(tmp_path, light(), frame, replace(LINEAR, exposure=-0.5))
    assert main_value(path, 50730) == (-500000, 1000000)
    target = tmp_path / "other.dng"
    chosen = (1.2, 1.0, 2.4)
    write_negative(
        target, light(), PREVIEW, frame, chosen, LINEAR, Origin(tmp_path / "source.dng"), overwrite=False
    )
    assert read_raw(target).wb == pytest.approx(chosen, rel=1e-5)
    np.testing.assert_array_equal(read_raw(target).mosaic, read_raw(path).mosaic)


def test_denoising_is_told(tmp_path: Path) -> None:
    half = replace(MOSAIC, strengths=Strengths(denoise=0.5))
    frame = make_frame()
    path, _ = write(tmp_path, frame.mosaic, frame, half)
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].pages[0].tags[50935].value == (500000, 1000000)
    noise = read_raw(path).noise
    assert noise is not None
    np.testing.assert_allclose(noise.shot, np.array(NOISE.shot) / 4)


def test_structure_is_what_every_reader_takes(tmp_path: Path) -> None:
    path, _ = write(tmp_path, light(), make_frame())
    with tifffile.TiffFile(path) as file:
        main = file.pages[0]
        raw, preview = (page.aspage() for page in main.pages)
        for page in (main, raw, preview):
            codes = [tag.code for tag in page.tags]
            assert codes == sorted(codes)
            assert not ({273, 279} & set(codes) and {322, 323, 324, 325} & set(codes))
        assert [int(page.tags[254].value) for page in (main, raw, preview)] == [1, 0, 1]
        assert len(raw.tags[273].value) > 1
        assert max(main.asarray().shape[:2]) == 256
        assert preview.asarray().shape == PREVIEW.shape
        digest = bytes(main.tags[51111].value)
        assert digest == bytes(main.tags[50781].value)
        assert bytes(main.tags[50973].value) == hashlib.md5((tmp_path / "source.dng").read_bytes()).digest()
        assert main.tags[50827].value == "source.dng"
        assert len(raw.tags[50717].value) == 3


@pytest.mark.parametrize("compression", ["none", "ljpeg", "jxl"])
@pytest.mark.parametrize("base", [LINEAR, MOSAIC], ids=["dng", "dng-cfa"])
def test_compression_loses_nothing(base: Settings, compression: str, tmp_path: Path) -> None:
    frame = make_frame()
    samples = light() if base is LINEAR else frame.mosaic
    path, notes = write(tmp_path, samples, frame, replace(base, dng_compression=compression))
    with tifffile.TiffFile(path) as file:
        raw = file.pages[0].pages[0].aspage()
        version = bytes(file.pages[0].tags[50707].value)
        assert (273 in raw.tags) == (compression == "none")
        if compression == "jxl":
            assert "JPEG XL" in notes[0] and version == b"\1\7\1\0"
            tile = imagecodecs.jpegxl_decode(_first_tile(path, raw))[:400, :520]
            expected = read_raw(write(tmp_path, samples, frame, base)[0]).mosaic
            np.testing.assert_array_equal(tile, expected)
            return
    assert notes == () and version == b"\1\1\0\0"
    back = read_raw(path).mosaic
    plain = read_raw(write(tmp_path, samples, frame, base)[0]).mosaic
    np.testing.assert_array_equal(back, plain)


def _first_tile(path: Path, page: Any) -> bytes:
    start, size = page.tags[324].value[0], page.tags[325].value[0]
    return path.read_bytes()[start : start + size]


def test_private_facts_stay_behind_when_asked(tmp_path: Path) -> None:
    path, _ = write(tmp_path, light(), make_frame(), strip_private=True)
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        assert not {50735, 50827, 50973} & {tag.code for tag in tags}
        assert tags[34665].value["ExposureTime"] == (1, 200)


def test_provenance_stands_in_xmp(tmp_path: Path) -> None:
    path, _ = write(tmp_path, light(), make_frame(), provenance=Provenance(LINEAR.to_dict(), defects=7))
    assert b"<rawfix:Defects>7" in path.read_bytes() or b'rawfix:Defects="7"' in path.read_bytes()


def test_an_existing_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "target.dng"
    frame = make_frame()
    source = tmp_path / "source.dng"
    write_cfa_dng(source, frame)
    target.write_bytes(b"precious")
    with pytest.raises(OutputError, match="--overwrite"):
        write_negative(target, light(), PREVIEW, frame, frame.wb, LINEAR, Origin(source), overwrite=False)
    assert target.read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source.dng", "target.dng"]


def test_a_source_that_nobody_can_read_costs_its_metadata_only(tmp_path: Path) -> None:
    (tmp_path / "source.dng").write_bytes(b"no picture at all")
    path, notes = write(tmp_path, light(), make_frame())
    assert "source.dng cannot be read" in notes[0]
    assert read_raw(path).camera == "Example One"


def main_value(path: Path, tag: int) -> Any:
    with tifffile.TiffFile(path) as file:
        return file.pages[0].tags[tag].value


def test_an_infrared_sensors_four_planes_become_three(tmp_path: Path) -> None:
    """Its source's matrices have four rows; those of the linear picture must have three."""
    frame = make_frame(cfa=CANONICAL["rgbir2"])
    path, _ = write(tmp_path, light(), frame)
    with tifffile.TiffFile(tmp_path / "source.dng") as file:
        assert file.pages[0].tags[50721].count == 12
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].tags[50721].count == 9
    back = read_raw(path)
    np.testing.assert_allclose(back.cam_to_xyz, frame.cam_to_xyz, atol=1e-5)
    assert back.wb == pytest.approx(frame.wb, rel=1e-5)
