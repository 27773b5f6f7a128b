"""JPEG XL and AVIF: their depth is real, their color is told, the photograph's story goes along."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from rawfix.color.spaces import SPACES
from rawfix.errors import OutputError, SettingsError
from rawfix.io import writers
from rawfix.io.icc import profile
from rawfix.io.provenance import Origin, Provenance
from rawfix.io.writers import check_format, writer_for
from rawfix.settings import Settings, with_defaults
from tests.io.test_provenance import PRIVATE, PUBLIC, make_source

ICC = profile(SPACES["prophoto"])
RNG = np.random.default_rng(13)
PICTURES = {
    8: RNG.integers(0, 256, (61, 83, 3), dtype=np.uint8),
    16: RNG.integers(0, 65536, (61, 83, 3), dtype=np.uint16),
}
y, x = np.mgrid[:120, :160]
SMOOTH = np.stack([400 * y + 5000, 300 * x, 60000 - 300 * x], -1).astype(np.uint16)
exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def needs(format: str) -> None:
    try:
        check_format(format)
    except SettingsError as error:
        pytest.skip(str(error))


def write(path: Path, picture: np.ndarray, origin: Origin | None = None, **given: Any) -> tuple[str, ...]:
    format = path.suffix[1:]
    needs(format)
    settings = Settings(**with_defaults({"format": format, **given}))
    return writer_for(settings)(path, picture, icc=ICC, overwrite=False, metadata_from=origin)


def jxl_pixels(path: Path) -> tuple[np.ndarray, bytes]:
    import OpenImageIO as oiio

    file = oiio.ImageInput.open(str(path))
    stored = file.spec().getattribute("ICCProfile")
    pixels = file.read_image(file.spec().format)
    file.close()
    return pixels, bytes(np.asarray(stored, np.uint8))


@pytest.mark.parametrize("bits", [8, 16])
def test_jpeg_xl_keeps_every_value_and_the_profile(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "a.jxl"
    assert write(path, PICTURES[bits], bits=bits) == ()
    decoded = imagecodecs.jpegxl_decode(path.read_bytes())
    assert decoded.dtype == PICTURES[bits].dtype and (decoded == PICTURES[bits]).all()
    pixels, icc = jxl_pixels(path)
    assert (pixels == PICTURES[bits]).all() and icc == ICC


def test_lossy_jpeg_xl_is_smaller_and_shows_the_same_colors(tmp_path: Path) -> None:
    """Decoders hand out a lossy file in a profile of their own: compared in linear light, as its profile says."""
    write(tmp_path / "lossless.jxl", SMOOTH)
    write(tmp_path / "lossy.jxl", SMOOTH, picture_quality=90)
    assert (tmp_path / "lossy.jxl").stat().st_size < (tmp_path / "lossless.jxl").stat().st_size
    from PIL import Image, ImageCms

    def to_srgb(path: Path) -> np.ndarray:
        import io

        pixels, icc = jxl_pixels(path)
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        picture = Image.fromarray((pixels >> 8).astype(np.uint8))
        shown = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return np.asarray(shown).astype(float)

    difference = np.abs(to_srgb(tmp_path / "lossless.jxl") - to_srgb(tmp_path / "lossy.jxl"))
    inside = difference[40:80, 40:120]
    assert np.median(inside) < 4


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif_has_the_depth_it_says(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "a.avif"
    picture = PICTURES[8 if bits == 8 else 16]
    assert write(path, picture, bits=bits, picture_quality=100) == ()
    decoded = imagecodecs.avif_decode(path.read_bytes())
    steps = (1 << bits) - 1
    expected = picture if bits == 8 else np.rint(picture.astype(float) * steps / 65535)
    assert decoded.max() == steps and (decoded == expected).all()
    assert ICC in path.read_bytes()


def test_lossy_avif_is_close_and_unsubsampled(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    write(path, SMOOTH, bits=12)
    decoded = imagecodecs.avif_decode(path.read_bytes())
    assert np.abs(decoded / 4095 - SMOOTH / 65535).mean() < 0.002
    # AV1CodecConfigurationRecord (AV1 ISOBMFF binding, 2.3.3): chroma_subsampling_x and _y.
    data = path.read_bytes()
    flags = data[data.index(b"av1C") + 6]
    assert flags & 0b1100 == 0 and flags & 0b01100000 == 0b01100000  # high_bitdepth and twelve_bit


@pytest.mark.parametrize("name", ["jxl", "avif"])
def test_a_lower_quality_makes_a_smaller_file(tmp_path: Path, name: str) -> None:
    for quality in (95, 40):
        write(tmp_path / f"{quality}.{name}", PICTURES[16], picture_quality=quality)
    assert (tmp_path / f"40.{name}").stat().st_size < (tmp_path / f"95.{name}").stat().st_size


@pytest.mark.parametrize("name", ["jxl", "avif"])
def test_existing_files_and_floats_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a.{name}"
    with pytest.raises(OutputError, match=r"floating|float32"):
        write(path, PICTURES[8].astype(np.float32))
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="--overwrite"):
        write(path, PICTURES[16])
    assert path.read_bytes() == b"precious" and list(tmp_path.iterdir()) == [path]


def test_a_missing_library_is_named_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "find_spec", lambda name: None)
    for format in ("jxl", "avif"):
        with pytest.raises(SettingsError, match=rf"pip install 'rawfix\[{format}\]'"):
            check_format(format)
    check_format("png")


@exiftool
@pytest.mark.peers
@pytest.mark.parametrize("name", ["jxl", "avif"])
@pytest.mark.parametrize("strip", [False, True])
def test_exiftool_reads_the_story(tmp_path: Path, name: str, strip: bool) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC | PRIVATE)
    provenance = Provenance(Settings().to_dict(), (("demosaic-bayer-standard", "ab" * 32),))
    path = tmp_path / f"a.{name}"
    write(path, PICTURES[16], Origin(source, strip_private=strip, provenance=provenance))
    command = ["exiftool", "-j", "-G1", "-n", str(path)]
    (tags,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    public = {
        "IFD0:Make": "Canon",
        "IFD0:Artist": "Ada",
        "IFD0:Copyright": "(c) Ada",
        "IFD0:Orientation": 1,
        "ExifIFD:LensModel": "50mm",
        "XMP-xmp:Rating": 2,
        **({} if strip else {"XMP-dc:Subject": "sea", "XMP-photoshop:Headline": "Sea"}),
        "XMP-rawfix:Models": f"demosaic-bayer-standard sha256:{'ab' * 32}",
    }
    orientation = public.pop("IFD0:Orientation")
    assert tags.get("IFD0:Orientation", 1) == orientation
    assert {key: tags.get(key) for key in public} == public
    private = {"ExifIFD:SerialNumber": 4711, "ExifIFD:LensSerialNumber": 4712, "Canon:OwnerName": "Ada"}
    found = {key: tags.get(key) for key in private}
    assert found == (dict.fromkeys(private) if strip else private)
    assert ("GPS:GPSLatitude" in tags) is not strip


@pytest.mark.models
@pytest.mark.parametrize(("name", "bits"), [("jxl", 16), ("avif", 12)])
def test_a_dng_becomes_one(make_dng: Callable[..., Path], tmp_path: Path, name: str, bits: int) -> None:
    needs(name)
    words = ["develop", make_dng(size=(64, 64)), "--format", name, "--bits", bits, "--space", "rec2020"]
    command = [sys.executable, "-c", "from rawfix.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    decode = imagecodecs.jpegxl_decode if name == "jxl" else imagecodecs.avif_decode
    picture = decode((tmp_path / f"a.{name}").read_bytes())
    assert picture.dtype == np.uint16 and picture.max() > (1 << bits) // 4
