"""Other programs open our DNGs, see the picture that our TIFF shows, and every tag of the source."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rawfix.batch.output import develop_for, write_output
from rawfix.cfa import Cfa
from rawfix.frame import Image, RawFrame
from rawfix.io.dng import DngExif, write_cfa_dng
from rawfix.io.provenance import Origin
from rawfix.io.raw import read_raw
from rawfix.metrics import delta_e_2000
from rawfix.physics.sensor import SRGB_TO_XYZ, Sensor, expose
from rawfix.pipeline import develop
from rawfix.settings import Settings
from tests.conftest import noise_at, scene
from tests.peers import READERS, SECONDS, exiftool
from tests.test_samples import blocks, to_lab

pytestmark = pytest.mark.models
SAMPLES = (
    Path(os.environ.get("RAWFIX_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "raw")) / "good"
)
CAM_TO_XYZ = SRGB_TO_XYZ @ np.array([[1.5, -0.3, -0.2], [-0.15, 1.35, -0.2], [0.0, -0.3, 1.3]])
NEUTRAL = Settings(tone="none", linear=True, bits=32, highlights="clip")
READER = [pytest.param(name, marks=() if name == "libraw" else pytest.mark.peers) for name in READERS]

EXCEPTIONS = {
    "how a file is built": """
        SubfileType ImageWidth ImageHeight BitsPerSample Compression PhotometricInterpretation SamplesPerPixel
        PlanarConfiguration RowsPerStrip StripOffsets StripByteCounts TileWidth TileLength TileOffsets
        TileByteCounts SampleFormat YCbCrCoefficients YCbCrSubSampling YCbCrPositioning ReferenceBlackWhite
        CompressedBitsPerPixel DNGBackwardVersion""",
    "samples that are now others": """
        CFARepeatPatternDim CFAPattern2 CFAPlaneColor CFALayout LinearizationTable BlackLevelRepeatDim BlackLevel
        BlackLevelDeltaH BlackLevelDeltaV WhiteLevel ActiveArea MaskedAreas DefaultScale AsShotWhiteXY NoiseProfile
        RawDataUniqueID RawImageDigest NewRawImageDigest OpcodeList1 OpcodeList2 DefaultCropOrigin DefaultCropSize""",
    "whose file it is": "Software OriginalRawFileName OriginalRawFileDigest",
    "previews": """
        PreviewImage PreviewImageStart PreviewImageLength ThumbnailTIFF PreviewApplicationName PreviewDateTime
        PreviewApplicationVersion PreviewSettingsDigest""",
}
"""EXIF that exiftool shows in a source and that a DNG made of it does not repeat; also left out are the extra camera
profiles of a DNG (ProfileIFD) and Kodak's private directory."""


def make(folder: Path, format: str, frame: RawFrame, compression: str = "none") -> tuple[Path, RawFrame]:
    """A source DNG of a frame, developed to a DNG."""
    source = folder / "source.dng"
    write_cfa_dng(
        source, frame, DngExif("Example", "One", exposure_time=1 / 60, datetime="2020:01:02 03:04:05")
    )
    return develop_file(source, folder / "target.dng", format, dng_compression=compression)


def develop_file(source: Path, target: Path, format: str, **more: object) -> tuple[Path, RawFrame]:
    settings = Settings(format=format, **more)  # type: ignore[arg-type]
    frame = read_raw(source)
    write_output(target, develop_for(frame, settings), settings, Origin(source), overwrite=False)
    return target, frame


def difference(ours: Image, theirs: Image, least: float) -> float:
    """Mean ΔE2000 of 4 × 4 blocks around the common middle, without clipped ones."""
    height, width = (min(a, b) // 4 * 4 for a, b in zip(ours.shape[:2], theirs.shape[:2], strict=True))
    assert max(ours.shape[0] - height, ours.shape[1] - width) <= 20
    a, b = (blocks(_middle(image, height, width)) for image in (ours, theirs))
    usable = (a.max(-1) < 0.9 * least) & (b.max(-1) < 0.9 * least)
    assert usable.mean() > 0.3
    return float(delta_e_2000(to_lab(a)[usable], to_lab(b)[usable]).mean())


def _middle(image: Image, height: int, width: int) -> Image:
    # An odd margin would move a mosaic's phase against the other picture: readers cut the same from both sides.
    y, x = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[y : y + height, x : x + width]


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Path, Image]]:
    """A DNG of a synthetic exposure, by format and compression, and our own rendering; each is made once."""
    sensor = Sensor(
        Cfa.from_rows("GB", "RG"), wb=(2.0, 1.0, 1.4), noise_model=noise_at(100), cam_to_xyz=CAM_TO_XYZ
    )
    exposed, _ = expose(scene(384, 576), sensor, np.random.default_rng(0))

    @cache
    def made(format: str, compression: str) -> tuple[Path, Image]:
        folder = tmp_path_factory.mktemp("synthetic")
        target, frame = make(folder, format, replace(exposed, camera="Example One"), compression)
        return target, np.asarray(develop(frame, NEUTRAL).display, np.float32)

    return made


@pytest.mark.parametrize(("format", "compression"), [("dng", "none"), ("dng", "ljpeg"), ("dng-cfa", "ljpeg")])
@pytest.mark.parametrize("reader", READER)
def test_readers_see_the_picture_of_our_tiff(
    reader: str,
    format: str,
    compression: str,
    synthetic: Callable[[str, str], tuple[Path, Image]],
    tmp_path: Path,
) -> None:
    target, ours = synthetic(format, compression)
    assert difference(ours, READERS[reader](target, tmp_path), 1.0) <= 1.0


@pytest.mark.samples
@pytest.mark.parametrize("reader", READER)
@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("canon_6d_linear_lossy.dng", "dng"),
        ("kodak_dc50.kdc", "dng-cfa"),
    ],
)
def test_readers_see_the_picture_of_our_tiff_of_real_files(
    name: str, format: str, reader: str, tmp_path: Path
) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip(f"no {name} beside the checkout")
    target, frame = develop_file(SAMPLES / name, tmp_path / "target.dng", format)
    ours = np.asarray(develop(replace(frame, orientation=1), NEUTRAL).display, np.float32)
    assert difference(ours, READERS[reader](target, tmp_path), 1.0) <= 1.0


@pytest.mark.samples
@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("canon_6d_linear_lossy.dng", "dng"),
        ("kodak_dc120_P003909.kdc", "dng-cfa"),
        ("gbrg_10bit_no_wb.dng", "dng-cfa"),
        ("dngsdk_06_PGTM2_unsigned16.dng", "dng"),
        ("dngsdk_14_hdr_sdr_profiles.dng", "dng"),
    ],
)
def test_every_exif_tag_of_the_source_is_kept(name: str, format: str, tmp_path: Path) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip(f"no {name} beside the checkout")
    source = exiftool(SAMPLES / name)
    target, _ = develop_file(SAMPLES / name, tmp_path / "target.dng", format)
    told = exiftool(target)
    assert "ExifTool:Warning" not in {key.split(":")[0] + ":" + key.split(":")[-1] for key in told}
    values: dict[str, list[object]] = {}
    for key, value in told.items():
        values.setdefault(key.split(":")[-1], []).append(value)
    excepted = set(" ".join(EXCEPTIONS.values()).split())
    lost = {
        key: value
        for key, value in source.items()
        if key.startswith("EXIF:") and ":ProfileIFD" not in key
        if key.split(":")[-1] not in excepted and value not in values.get(key.split(":")[-1], [])
    }
    assert not lost
    assert len([key for key in told if key.startswith("EXIF:")]) > 30


@pytest.mark.samples
@pytest.mark.peers
def test_canons_maker_notes_and_exposure_are_kept_from_a_crw(tmp_path: Path) -> None:
    """Of a CRW's own directory, what Exiv2 knows as Exif and Canon tags."""
    name = "canon_s40_0101.crw"
    if not (SAMPLES / name).exists():
        pytest.skip(f"no {name} beside the checkout")
    from rawfix.io.dng_negative import write_negative

    frame = read_raw(SAMPLES / name)
    write_negative(
        tmp_path / "target.dng", frame.mosaic, np.zeros((9, 9, 3), np.uint8), frame, frame.wb,
        Settings(format="dng-cfa"), Origin(SAMPLES / name), overwrite=False,
    )  # fmt: skip
    told = {key.split(":")[-1]: value for key, value in exiftool(tmp_path / "target.dng").items()}
    shown = exiftool(SAMPLES / name)
    exposure = shown["MakerNotes:Canon:ExposureTime"]
    source = {key.split(":")[-1]: value for key, value in shown.items() if ":Canon:" in key}
    sensor = {key for key in source if key.startswith(("Sensor", "BlackMask"))}
    kept = [key for key, value in source.items() if key not in sensor and told.get(key) == value]
    assert len(kept) > 0.9 * len(source.keys() - sensor)
    assert told["Model"] == "Canon PowerShot S40" and told["ExposureTime"] == exposure


@pytest.mark.peers
@pytest.mark.parametrize(
    ("format", "compression"), [("dng", "none"), ("dng", "jxl"), ("dng-cfa", "ljpeg"), ("dng-cfa", "jxl")]
)
def test_adobes_sdk_finds_nothing_wrong(format: str, compression: str, tmp_path: Path) -> None:
    """The checks of ``dng_validate``, digest included, where the SDK's bindings (PyPI: dngpy) are installed."""
    pytest.importorskip("dngpy", reason="dngpy (Adobe's DNG SDK) is not installed")
    frame, _ = expose(scene(300, 400), Sensor(noise_model=noise_at(100)), np.random.default_rng(0))
    target, frame = make(tmp_path, format, frame, compression)
    code = "import sys, dngpy, numpy; numpy.save(sys.argv[2], dngpy.Dng(sys.argv[1]).raw_pixels)"
    command = [sys.executable, "-c", code, str(target), str(tmp_path / "pixels.npy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    pixels = np.squeeze(np.load(tmp_path / "pixels.npy"))
    if compression != "jxl":
        np.testing.assert_array_equal(pixels, read_raw(target).mosaic)
    elif format == "dng-cfa":
        assert (pixels == frame.mosaic).mean() > 0.99  # all but the bad
    said = (done.stdout + done.stderr).splitlines()
    assert any("Digest" in line for line in said)
    assert not [line for line in said if "***" in line and "Too little padding" not in line]
