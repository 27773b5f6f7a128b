"""What the DNG writer puts in, readers get out."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile

from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import OutputError
from rawfix.frame import NoiseModel, RawFrame
from rawfix.io.dng import DngExif, write_cfa_dng
from rawfix.io.raw import read_raw
from rawfix.physics.sensor import SRGB_TO_XYZ

NOISE = NoiseModel((1e-4, 2e-4, 3e-4), (1e-6, 2e-6, 3e-6), "file")
CAM_TO_XYZ = SRGB_TO_XYZ @ np.array([[1.6, -0.4, -0.2], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]])


def make_frame(cfa: Cfa, height: int = 96, width: int = 144) -> RawFrame:
    rng = np.random.default_rng(0)
    return RawFrame(
        mosaic=rng.integers(600, 15000, (height, width)).astype(np.uint16),
        cfa=cfa,
        black=np.full((1, 1), 512, np.float32),
        white=(15300.0,) * 3,
        wb=(2.1, 1.0, 1.45),
        cam_to_xyz=CAM_TO_XYZ,
        noise=NOISE,
        iso=800.0,
        orientation=1,
        camera="Example One",
        lens="Example 50mm",
    )


def round_trip(frame: RawFrame, folder: Path) -> RawFrame:
    write_cfa_dng(folder / "frame.dng", frame)
    return read_raw(folder / "frame.dng")


@pytest.mark.parametrize("rows", [("RG", "GB"), ("GR", "BG"), ("GB", "RG"), ("BG", "GR")])
def test_every_bayer_phase_comes_back(rows: tuple[str, str], tmp_path: Path) -> None:
    frame = make_frame(Cfa.from_rows(*rows))
    back = round_trip(frame, tmp_path)
    np.testing.assert_array_equal(back.mosaic, frame.mosaic)
    assert back.cfa == frame.cfa
    assert not back.mosaic.flags.writeable
    with rawpy.imread(str(tmp_path / "frame.dng")) as raw:
        seen = raw.raw_pattern % 3 + (raw.raw_pattern == 3)
        np.testing.assert_array_equal(seen, frame.cfa.unit() if frame.cfa else None)


@pytest.mark.parametrize("family", ["quad", "nona", "xtrans", "mono"])
def test_other_arrays_come_back(family: str, tmp_path: Path) -> None:
    frame = make_frame(CANONICAL[family])
    back = round_trip(frame, tmp_path)
    np.testing.assert_array_equal(back.mosaic, frame.mosaic)
    assert back.cfa == frame.cfa


def test_levels_color_and_facts_come_back(tmp_path: Path) -> None:
    frame = replace(
        make_frame(CANONICAL["bayer"]),
        black=np.array([[512, 513.5], [510, 511.25]], np.float32),
        black_rows=np.linspace(-1, 1, 96).astype(np.float32),
        black_columns=np.linspace(0, 2, 144).astype(np.float32),
        pixel_aspect=1.5,
    )
    back = round_trip(frame, tmp_path)
    np.testing.assert_allclose(back.black, frame.black, atol=1e-4)
    np.testing.assert_allclose(back.black_rows, frame.black_rows, atol=1e-5)
    np.testing.assert_allclose(back.black_columns, frame.black_columns, atol=1e-5)
    assert back.white == frame.white
    assert back.wb == pytest.approx(frame.wb, rel=1e-5)
    np.testing.assert_allclose(back.cam_to_xyz, frame.cam_to_xyz, atol=1e-5)
    assert back.noise == NOISE
    assert (back.iso, back.camera, back.lens) == (800.0, "Example One", "Example 50mm")
    assert back.pixel_aspect == pytest.approx(1.5)
    assert back.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_comes_back(orientation: int, tmp_path: Path) -> None:
    frame = replace(make_frame(CANONICAL["bayer"]), orientation=orientation)
    assert round_trip(frame, tmp_path).orientation == orientation


@pytest.mark.parametrize("iso", [50.0, 65535.0 * 2, 409600.0])
def test_speed_comes_back(iso: float, tmp_path: Path) -> None:
    assert round_trip(replace(make_frame(CANONICAL["bayer"]), iso=iso), tmp_path).iso == iso


def test_tags_are_sorted_and_the_exposure_stands_in_exif(tmp_path: Path) -> None:
    path = tmp_path / "frame.dng"
    exif = DngExif("Example", "One", "77", "A lens", "2020:01:02 03:04:05", 1 / 200, 2.8, 50.0)
    write_cfa_dng(path, make_frame(CANONICAL["bayer"]), exif)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        codes = [tag.code for tag in page.tags]
        assert codes == sorted(codes)
        assert page.tags[34665].value["ExposureTime"] == (1, 200)
        assert page.tags[50708].value == "Example One"
    with rawpy.imread(str(path)) as raw:
        assert raw.other.iso_speed == 800
        assert raw.other.shutter_speed == pytest.approx(1 / 200)
        assert raw.other.focal_length == pytest.approx(50)


def test_an_existing_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "frame.dng"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="overwrite"):
        write_cfa_dng(path, make_frame(CANONICAL["bayer"]))
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]
    write_cfa_dng(path, make_frame(CANONICAL["bayer"]), overwrite=True)
    assert list(tmp_path.iterdir()) == [path]
    assert read_raw(path).iso == 800


def test_full_color_is_refused(tmp_path: Path) -> None:
    frame = replace(make_frame(CANONICAL["bayer"]), cfa=None, mosaic=np.zeros((8, 8, 3), np.uint16))
    with pytest.raises(OutputError, match="full color"):
        write_cfa_dng(tmp_path / "frame.dng", frame)
    assert not list(tmp_path.iterdir())


@pytest.mark.peers
@pytest.mark.parametrize("family", ["bayer", "xtrans"])
@pytest.mark.parametrize("program", ["rawtherapee-cli", "darktable-cli"])
def test_other_programs_open_it(program: str, family: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    source, target = tmp_path / "frame.dng", tmp_path / "out.tif"
    write_cfa_dng(source, make_frame(CANONICAL[family], 384, 576))
    command = {
        "rawtherapee-cli": ["-o", str(target), "-t", "-b16", "-Y", "-d", "-c", str(source)],
        "darktable-cli": [
            *(str(source), str(target), "--core", "--configdir", str(tmp_path / "settings")),
            *("--library", ":memory:"),
        ],
    }[program]
    subprocess.run([program, *command], check=True, capture_output=True, timeout=120)
    with tifffile.TiffFile(target) as file:
        height, width = file.pages[0].shape[:2]
    assert abs(height - 384) <= 20
    assert abs(width - 576) <= 20
