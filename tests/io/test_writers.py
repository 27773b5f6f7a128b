"""Files hold exactly the pixels and the profile they were given."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from rawfix.color.spaces import SPACES
from rawfix.errors import OutputError
from rawfix.io import tiff
from rawfix.io.icc import profile
from rawfix.io.tiff import write_tiff
from rawfix.io.writers import SUFFIXES, WRITERS, writer_for
from rawfix.settings import FORMAT_BITS, Settings

ICC = profile(SPACES["display-p3"])
RNG = np.random.default_rng(9)
PICTURES = {
    8: RNG.integers(0, 256, (700, 601, 3), dtype=np.uint8),
    16: RNG.integers(0, 65536, (700, 601, 3), dtype=np.uint16),
    32: RNG.normal(0, 2, (700, 601, 3)).astype(np.float32),
}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("bits", FORMAT_BITS["tiff"])
def test_tiff_keeps_every_value(tmp_path: Path, bits: int, compress: bool) -> None:
    path = tmp_path / "a.tif"
    assert write_tiff(path, PICTURES[bits], icc=ICC, overwrite=False, compress=compress) == ()
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert len(file.pages) == 1
        assert page.iccprofile == ICC
        assert page.photometric.name == "RGB"
        assert str(page.software).startswith("rawfix ")
        stored = page.asarray()
    assert stored.dtype == PICTURES[bits].dtype
    assert (stored == PICTURES[bits]).all()
    if bits == 8:
        with Image.open(path) as opened:
            assert (np.asarray(opened) == PICTURES[8]).all()


def test_a_huge_tiff_becomes_a_bigtiff_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "_CLASSIC_LIMIT", 1000)
    path = tmp_path / "a.tif"
    notes = write_tiff(path, PICTURES[16], icc=ICC, overwrite=False)
    assert "BigTIFF" in notes[0]
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert (file.pages[0].asarray() == PICTURES[16]).all()


@pytest.mark.parametrize("bits", FORMAT_BITS["png"])
def test_png_keeps_every_value(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "a.png"
    WRITERS["png"](path, PICTURES[bits], icc=ICC, overwrite=False)
    assert (imagecodecs.png_decode(path.read_bytes()) == PICTURES[bits]).all()
    with Image.open(path) as opened:
        opened.load()
        assert opened.info["icc_profile"] == ICC


def test_jpeg_is_close_unsubsampled_and_profiled(tmp_path: Path) -> None:
    y, x = np.mgrid[:90, :120]
    smooth = np.stack([2 * y, x, 255 - x], -1).astype(np.uint8)
    path = tmp_path / "a.jpg"
    WRITERS["jpeg"](path, smooth, icc=ICC, overwrite=False)
    with Image.open(path) as opened:
        assert opened.info["icc_profile"] == ICC
        assert {component[1:3] for component in opened.layer} == {(1, 1)}
        assert np.abs(np.asarray(opened).astype(int) - smooth).mean() < 1.5


def test_a_lower_quality_makes_a_smaller_jpeg(tmp_path: Path) -> None:
    sizes = []
    for quality in (95, 60):
        path = tmp_path / f"{quality}.jpg"
        settings = Settings(format="jpeg", bits=8, picture_quality=quality)
        writer_for(settings)(path, PICTURES[8], icc=ICC, overwrite=False)
        sizes.append(path.stat().st_size)
    WRITERS["jpeg"](tmp_path / "default.jpg", PICTURES[8], icc=ICC, overwrite=False)
    assert sizes[1] < sizes[0] == (tmp_path / "default.jpg").stat().st_size


@pytest.mark.parametrize("name", ["tiff", "png", "jpeg"])
def test_non_contiguous_pictures_are_written_as_they_look(tmp_path: Path, name: str) -> None:
    turned = PICTURES[8].swapaxes(0, 1)[::-1]
    path = tmp_path / f"a{SUFFIXES[name]}"
    WRITERS[name](path, turned, icc=None, overwrite=False)
    with Image.open(path) as opened:
        assert opened.size == (700, 601)
        if name != "jpeg":
            assert (np.asarray(opened) == turned).all()


@pytest.mark.parametrize("name", ["tiff", "png", "jpeg", "exr"])
def test_an_existing_file_is_kept_unless_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a{SUFFIXES[name]}"
    path.write_bytes(b"precious")
    picture = PICTURES[32 if name == "exr" else 8]
    with pytest.raises(OutputError, match="--overwrite"):
        WRITERS[name](path, picture, icc=None, overwrite=False)
    assert path.read_bytes() == b"precious"
    WRITERS[name](path, picture, icc=None, overwrite=True)
    assert path.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "bits"), [("png", 32), ("jpeg", 16), ("jpeg", 32), ("exr", 8)])
def test_a_depth_that_the_format_lacks_is_refused(tmp_path: Path, name: str, bits: int) -> None:
    with pytest.raises(OutputError, match=r"bits|floating point"):
        WRITERS[name](tmp_path / "a", PICTURES[bits], icc=None, overwrite=False)
    assert not list(tmp_path.iterdir())
