"""EXR keeps the scene's light, and the ACES container keeps SMPTE's rules."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import tifffile

from rawfix.color.matrices import convert
from rawfix.color.spaces import SPACES, WORKING
from rawfix.errors import OutputError, SettingsError
from rawfix.io.exr import write_exr
from rawfix.io.exr_attributes import attributes_of
from rawfix.io.provenance import Origin
from rawfix.io.tiff import write_tiff
from rawfix.pipeline import develop
from rawfix.settings import Settings, with_defaults
from tests.io.test_provenance import PRIVATE, PUBLIC, make_source

LIGHT = np.random.default_rng(12).normal(0.5, 1.5, (70, 93, 3)).astype(np.float32)
LIGHT[:2, :2] = [[[12.0, 40000.0, -3.0]] * 2] * 2
ACES = {"space": SPACES["aces2065-1"], "compression": "none", "aces_container": True}


def write(path: Path, **more: Any) -> tuple[str, ...]:
    return write_exr(path, LIGHT, icc=None, overwrite=False, **more)


def read(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    with OpenEXR.File(str(path)) as file:
        return dict(file.header()), file.channels()["RGB"].pixels.copy()


def raw_header(path: Path) -> tuple[int, dict[str, tuple[str, bytes]], int]:
    """Version field, attributes by name as (type, bytes), and where the header ends: by the file layout alone."""
    data = path.read_bytes()
    magic, version = struct.unpack_from("<II", data)
    assert magic == 20000630
    attributes, position = {}, 8
    while data[position]:
        name, kind = (part.decode() for part in data[position:].split(b"\0", 2)[:2])
        position += len(name) + len(kind) + 2
        (size,) = struct.unpack_from("<I", data, position)
        attributes[name] = (kind, data[position + 4 : position + 4 + size])
        position += 4 + size
    return version, attributes, position + 1


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz"])
def test_floats_are_kept_to_the_bit_and_halves_to_the_nearest(tmp_path: Path, compression: str) -> None:
    write(tmp_path / "float.exr", half=False, compression=compression)
    header, stored = read(tmp_path / "float.exr")
    named = compression.replace("none", "no").upper()
    assert header["compression"].name == f"{named}_COMPRESSION"
    assert stored.dtype == np.float32 and (stored == LIGHT).all()
    assert write(tmp_path / "half.exr", compression=compression) == ()
    header, stored = read(tmp_path / "half.exr")
    assert stored.dtype == np.float16 and (stored == LIGHT.astype(np.float16)).all()
    assert stored.max() == 40000 and stored.min() < 0


@pytest.mark.parametrize("compression", ["dwaa", "dwab", "pxr24"])
def test_lossy_compression_is_close(tmp_path: Path, compression: str) -> None:
    write(tmp_path / "a.exr", compression=compression)
    header, stored = read(tmp_path / "a.exr")
    assert header["compression"].name.startswith(compression.upper())
    assert np.median(np.abs(stored.astype(np.float32) - LIGHT)) < 0.02


@pytest.mark.parametrize("name", SPACES)
def test_chromaticities_are_the_spaces(tmp_path: Path, name: str) -> None:
    space = SPACES[name]
    write(tmp_path / "a.exr", space=space)
    header, _ = read(tmp_path / "a.exr")
    assert np.allclose(header["chromaticities"], np.ravel([*space.primaries, space.white]), atol=1e-6)


def test_unknown_primaries_are_not_claimed(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", space=None)
    assert "chromaticities" not in read(tmp_path / "a.exr")[0]


def test_what_a_half_cannot_hold_is_cut_and_told(tmp_path: Path) -> None:
    light = np.array([[[1e6, 1, -1e6]]], np.float32)
    (note,) = write_exr(tmp_path / "a.exr", light, icc=None, overwrite=False)
    assert note.startswith("2 values")
    assert read(tmp_path / "a.exr")[1].ravel().tolist() == [65504, 1, -65504]


def test_the_aces_container_keeps_the_rules_of_st_2065_4(tmp_path: Path) -> None:
    """Read byte by byte, without the library that wrote it: ST 2065-4, sections 5 to 9."""
    path = tmp_path / "a.exr"
    source = make_source(tmp_path / "A001_C002_000123.tif", PUBLIC)
    write(path, **ACES, metadata_from=Origin(source))
    version, attributes, end = raw_header(path)
    height, width = LIGHT.shape[:2]
    assert version in (2, 1026) and all(len(name) < 32 for name in attributes)
    assert attributes["acesImageContainerFlag"] == ("int", struct.pack("<i", 1))
    channel = struct.pack("<iiii", 1, 0, 1, 1)  # half, linear flag and reserved zero, sampled everywhere
    assert attributes["channels"] == (
        "chlist",
        b"".join(b + b"\0" + channel for b in (b"B", b"G", b"R")) + b"\0",
    )
    ap0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)
    assert attributes["chromaticities"] == ("chromaticities", struct.pack("<8f", *ap0))
    assert attributes["compression"] == ("compression", b"\0")
    assert attributes["lineOrder"] == ("lineOrder", b"\0")
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    assert attributes["dataWindow"] == attributes["displayWindow"] == ("box2i", window)
    assert attributes["pixelAspectRatio"] == ("float", struct.pack("<f", 1))
    assert attributes["screenWindowCenter"] == ("v2f", struct.pack("<2f", 0, 0))
    assert attributes["screenWindowWidth"] == ("float", struct.pack("<f", 1))
    data = path.read_bytes()
    offsets = struct.unpack_from(f"<{height}Q", data, end)
    row = 3 * 2 * width
    assert offsets == tuple(end + 8 * height + y * (8 + row) for y in range(height))
    for y in (0, height - 1):
        assert struct.unpack_from("<ii", data, offsets[y]) == (y, row)
        line = np.frombuffer(data, "<f2", 3 * width, offsets[y] + 8).reshape(3, width)
        assert (LIGHT[y].astype(np.float16) == line[::-1].T).all()
    assert len(data) == offsets[-1] + 8 + row


def test_openexr_finds_no_fault_with_the_colors_of_an_aces_container(tmp_path: Path) -> None:
    if not hasattr(OpenEXR, "checkColorMetadata"):
        pytest.skip("this OpenEXR does not check color")
    write(tmp_path / "a.exr", **ACES)
    header, _ = read(tmp_path / "a.exr")
    assert int(OpenEXR.checkColorMetadata(header)) == 0
    wrong = {**header, "chromaticities": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)}
    assert int(OpenEXR.checkColorMetadata(wrong)) != 0


@pytest.mark.parametrize(
    "wrong", [{"space": SPACES["acescg"]}, {"half": False}, {"compression": "zip"}, {"space": None}]
)
def test_the_aces_container_refuses_what_it_cannot_hold(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(OutputError, match="ACES container"):
        write(tmp_path / "a.exr", **{**ACES, **wrong})
    assert not list(tmp_path.iterdir())


def test_integers_and_existing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    with pytest.raises(OutputError, match="floating point"):
        write_exr(path, np.zeros((2, 2, 3), np.uint16), icc=None, overwrite=False)
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="--overwrite"):
        write(path)
    assert path.read_bytes() == b"precious"


def test_the_exposure_becomes_standard_attributes(tmp_path: Path) -> None:
    tags = {
        "Exif.Photo.ExposureTime": "1/48",
        "Exif.Photo.FNumber": "28/10",
        "Exif.Photo.ISOSpeedRatings": "800",
        "Exif.Photo.FocalLength": "50/1",
        "Exif.Photo.DateTimeOriginal": "2024:05:06 07:08:09",
        "Exif.Photo.OffsetTimeOriginal": "+02:00",
        "Exif.Image.Model": "Acmé One",
    }
    source = make_source(tmp_path / "A001_C002_000123.tif", {**PUBLIC, **PRIVATE, **tags})
    write(tmp_path / "a.exr", metadata_from=Origin(source))
    header, _ = read(tmp_path / "a.exr")
    expected = {
        "expTime": 1 / 48, "aperture": 2.8, "isoSpeed": 800, "nominalFocalLength": 50, "utcOffset": -7200,
        "latitude": 48 + 8.5 / 60, "imageCounter": 123,
    }  # fmt: skip
    assert {key: header.get(key) for key in expected if key != "latitude"} == pytest.approx(
        {key: value for key, value in expected.items() if key != "latitude"}
    )
    assert header["capDate"] == "2024:05:06 07:08:09" and header["cameraModel"] == "Acmé One"
    assert header["cameraSerialNumber"] == "4711" and header["reelName"] == "A001_C002"
    assert 'xmp:Rating="2"' in header["xmp"] and "photoshop:Headline" in header["xmp"]
    write_exr(
        tmp_path / "closed.exr",
        LIGHT,
        icc=None,
        overwrite=False,
        metadata_from=Origin(source, strip_private=True),
    )
    closed = repr(read(tmp_path / "closed.exr")[0])
    assert "4711" not in closed and "latitude" not in closed


def test_places_and_time_codes_are_read_as_they_are_coded() -> None:
    exif = {
        "Exif.GPSInfo.GPSLatitude": "48/1 8/1 30/1", "Exif.GPSInfo.GPSLatitudeRef": "S",
        "Exif.GPSInfo.GPSLongitude": "10/1 30/1 0/1", "Exif.GPSInfo.GPSLongitudeRef": "E",
        "Exif.GPSInfo.GPSAltitude": "5/2", "Exif.GPSInfo.GPSAltitudeRef": "1",
        "Exif.Image.TimeCodes": "84 85 1 8 0 0 0 0", "Exif.Image.FrameRate": "24000/1001",
        "Exif.Photo.ExposureTime": "1/0", "Exif.Photo.FNumber": "0/10",
    }  # fmt: skip
    found = attributes_of(exif, Path("still.dng"))
    assert found["latitude"] == pytest.approx(-48.141667) and found["longitude"] == 10.5
    assert found["altitude"] == -2.5 and str(found["framesPerSecond"]) == "24000/1001"
    code = found["timeCode"]
    assert (code.hours, code.minutes, code.seconds, code.frame, bool(code.dropFrame)) == (8, 1, 55, 14, True)
    assert not {"expTime", "aperture", "reelName"} & set(found)


def test_light_comes_through_without_gain_or_clipping(make_frame: Callable[..., Any]) -> None:
    """What the working image holds is what the EXR holds, whatever the space: no hidden gain, no clipping."""
    frame = make_frame(size=(64, 64))
    stages: dict[str, np.ndarray] = {}
    for kind in ("aces2065-1", "acescg"):
        settings = Settings(**with_defaults({"exr": kind}), exposure=3.0)
        display = develop(frame, settings, watch=lambda name, image: stages.update({name: image})).display
        expected = stages["working"] @ convert(WORKING, SPACES[kind]).T.astype(np.float32)
        assert display.dtype == np.float32 and display.max() > 2
        np.testing.assert_allclose(display, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.models
def test_a_dng_becomes_an_aces_container(make_dng: Callable[..., Path], tmp_path: Path) -> None:
    make_dng("A001_C002_000123.dng", size=(64, 64))
    words = [
        "develop",
        tmp_path / "A001_C002_000123.dng",
        "--exr",
        "aces2065-1",
        "--name",
        "{reel}.{frame:07}",
    ]
    command = [sys.executable, "-c", "from rawfix.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    version, attributes, _ = raw_header(tmp_path / "A001_C002.0000123.exr")
    assert version == 2 and attributes["acesImageContainerFlag"][0] == "int"
    assert b"rawfix:Settings" in attributes["xmp"][1]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"exr": "aces2065-1", "format": "tiff"}, "--format exr, not tiff"),
        ({"exr": "acescg", "space": "srgb"}, "--space acescg, not srgb"),
        ({"format": "exr", "tone": "standard"}, "--tone standard"),
        ({"exr": "aces2065-1", "bits": 32}, "16 bits"),
        ({"exr": "aces2065-1", "exr_compression": "zip"}, "no compression"),
        ({"format": "tiff", "exr_compression": "zip"}, "--format exr"),
        ({"format": "exr", "exr_compression": "lzw"}, "choose one of none"),
        ({"format": "exr", "bits": 8}, "16, 32"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        Settings(**with_defaults(given))


def test_exr_implies_scene_linear_light() -> None:
    settings = Settings(**with_defaults({"format": "exr", "tone": None, "space": None}))
    assert (settings.tone, settings.linear, settings.space, settings.bits) == ("none", True, "rec2020", 16)
    assert settings.render_bits == 32
    assert Settings(**with_defaults({})) == Settings()


def test_a_tiff_of_floats_and_an_exr_agree(make_frame: Callable[..., Any], tmp_path: Path) -> None:
    frame = make_frame(size=(64, 64))
    values = {"space": "acescg", "tone": "none", "linear": True, "bits": 32}
    tiff = develop(frame, Settings(**values)).display
    write_tiff(tmp_path / "a.tif", tiff, icc=None, overwrite=False)
    exr = develop(frame, Settings(**with_defaults({"exr": "acescg", "bits": 32}))).display
    write_exr(tmp_path / "a.exr", exr, icc=None, overwrite=False, half=False)
    assert (read(tmp_path / "a.exr")[1] == tifffile.imread(tmp_path / "a.tif")).all()
