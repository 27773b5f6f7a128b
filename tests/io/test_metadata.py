"""The photograph's story goes along; the RAW file's inside does not."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import exiv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from rawfix.color.spaces import SPACES
from rawfix.io import metadata
from rawfix.io.icc import profile
from rawfix.io.metadata import copy_metadata
from rawfix.io.provenance import Origin
from rawfix.io.writers import SUFFIXES, WRITERS
from rawfix.settings import FORMAT_BITS

SAMPLES = Path(__file__).parents[2].parent / "shared" / "raw" / "good"
ICC = profile(SPACES["srgb"])
PICTURE = np.random.default_rng(10).integers(0, 256, (60, 80, 3), dtype=np.uint8)

CARRIED = {
    "Exif.Image.Make": "Acme",
    "Exif.Image.Model": "Acme One",
    "Exif.Image.Artist": "Ada",
    "Exif.Image.Copyright": "(c) Ada",
    "Exif.Photo.ExposureTime": "1/60",
    "Exif.Photo.FNumber": "28/10",
    "Exif.Photo.ISOSpeedRatings": "1600",
    "Exif.Photo.DateTimeOriginal": "2024:05:06 07:08:09",
    "Exif.Photo.SubSecTimeOriginal": "123",
    "Exif.Photo.OffsetTimeOriginal": "+02:00",
    "Exif.Photo.LensModel": "Acme 50mm f/2",
    "Exif.Photo.BodySerialNumber": "4711",
    "Exif.GPSInfo.GPSLatitudeRef": "N",
    "Exif.GPSInfo.GPSLatitude": "48/1 8/1 30/1",
    "Xmp.xmp.Rating": "4",
    "Xmp.dc.subject": "sea",
    "Iptc.Application2.City": "Kiel",
}
LEFT_BEHIND = {
    "Exif.Image.Orientation": "6",
    "Exif.Image.Software": "firmware 1",
    "Exif.Image.ColorMatrix1": "1/1 0/1 0/1 0/1 1/1 0/1 0/1 0/1 1/1",
    "Exif.Image.UniqueCameraModel": "Acme One (secret)",
    "Exif.Image.BaselineExposure": "1/2",
    "Xmp.crs.Exposure2012": "+1.00",
    "Xmp.tiff.Orientation": "6",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.tif"
    tifffile.imwrite(path, np.zeros((4, 4), np.uint16), metadata=None)
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    parts = {"Exif": image.exifData(), "Xmp": image.xmpData(), "Iptc": image.iptcData()}
    for key, value in {**CARRIED, **LEFT_BEHIND}.items():
        parts[key.split(".")[0]][key] = value
    image.writeMetadata()
    return path


def read(path: Path) -> dict[str, str]:
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    parts = (image.exifData(), image.xmpData(), image.iptcData())
    return {datum.key(): datum.toString() for part in parts for datum in part}


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        assert opened.info["icc_profile"] == ICC
        return np.asarray(opened)


@pytest.mark.parametrize("name", ["tiff", "png", "jpeg"])
def test_every_format_carries_the_story(tmp_path: Path, source: Path, name: str) -> None:
    path = tmp_path / f"picture{SUFFIXES[name]}"
    assert WRITERS[name](path, PICTURE, icc=ICC, overwrite=False, metadata_from=Origin(source)) == ()
    carried = read(path)
    assert {key: carried.get(key) for key in CARRIED} == CARRIED
    assert carried["Exif.Image.Orientation"] == "1"
    assert carried["Exif.Image.Software"].startswith("rawfix ")
    assert (carried["Exif.Photo.PixelXDimension"], carried["Exif.Photo.PixelYDimension"]) == ("80", "60")
    assert not set(LEFT_BEHIND) - {"Exif.Image.Orientation", "Exif.Image.Software"} & set(carried)
    assert pixels(path).shape == PICTURE.shape
    if name != "jpeg":
        assert (pixels(path) == PICTURE).all()


def test_png_stores_exif_in_its_own_chunk_before_the_pixels(tmp_path: Path, source: Path) -> None:
    path = tmp_path / "a.png"
    WRITERS["png"](path, PICTURE, icc=ICC, overwrite=False, metadata_from=Origin(source))
    data = path.read_bytes()
    assert max(data.index(b"iCCP"), data.index(b"eXIf")) < data.index(b"IDAT")


def test_an_unreadable_source_costs_the_metadata_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "broken.cr2"
    source.write_bytes(b"II*\0 not a raw file")
    path = tmp_path / "a.jpg"
    notes = WRITERS["jpeg"](path, PICTURE, icc=ICC, overwrite=False, metadata_from=Origin(source))
    assert "broken.cr2" in notes[0]
    assert read(path)["Exif.Image.Software"].startswith("rawfix ")
    assert capfd.readouterr() == ("", "")


def test_tags_too_big_for_a_jpeg_are_left_out_with_a_note(tmp_path: Path) -> None:
    source, target = tmp_path / "source.tif", tmp_path / "target.jpg"
    tifffile.imwrite(source, np.zeros((4, 4), np.uint16), metadata=None)
    image = exiv2.ImageFactory.open(str(source))
    image.readMetadata()
    exif = image.exifData()
    exif["Exif.Image.Make"] = "Canon"
    exif["Exif.Canon.OwnerName"] = "x" * 70000
    image.writeMetadata()
    Image.fromarray(PICTURE).save(target)
    (note,) = copy_metadata(Origin(source), target)
    assert "do not fit" in note
    assert read(target)["Exif.Image.Make"] == "Canon"


@pytest.mark.samples
@pytest.mark.parametrize("name", ["tiff", "png", "jpeg"])
@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            "canon_6d_linear_lossy.dng",
            {
                "Exif.Image.Model": "Canon EOS 6D",
                "Exif.Photo.LensModel": "EF24-105mm f/4L IS USM",
                "Exif.Photo.BodySerialNumber": "033024001432",
                "Exif.Photo.ISOSpeedRatings": "1000",
            },
        ),
        (
            "canon_d30_5s.crw",
            {
                "Exif.Image.Model": "Canon EOS D30",
                "Exif.Photo.DateTimeOriginal": "2018:01:01 13:03:32",
                "Exif.Canon.OwnerName": "Peter Wemmert/Kameratrollet",
            },
        ),
        ("kodak_dc50.kdc", {"Exif.Image.Orientation": "1"}),
    ],
)
def test_samples_carry_their_story_quietly(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], sample: str, expected: dict[str, str], name: str
) -> None:
    if not (SAMPLES / sample).exists():
        pytest.skip(f"no {sample} beside the checkout")
    path = tmp_path / f"a{SUFFIXES[name]}"
    picture = PICTURE if 8 in FORMAT_BITS[name] else PICTURE.astype(np.uint16)
    assert (
        WRITERS[name](path, picture, icc=ICC, overwrite=False, metadata_from=Origin(SAMPLES / sample)) == ()
    )
    carried = read(path)
    assert {key: carried.get(key) for key in expected} == expected
    assert not [key for key in carried if ".SubImage" in key or "ColorMatrix" in key or ".crs." in key]
    assert capfd.readouterr() == ("", "")


class _Short:
    """As Exiv2 where the disk fills up: what it could not write is missing, and nothing is said."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exifData(self) -> list[Any]:
        return []

    def writeMetadata(self) -> None:
        self.path.write_bytes(self.path.read_bytes()[:-20])


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_cut_short_while_its_metadata_is_written_counts_as_a_full_disk(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(path)
    with pytest.raises(OSError) as refusal:
        metadata._write(_Short(path), path)
    assert refusal.value.errno == errno.ENOSPC
