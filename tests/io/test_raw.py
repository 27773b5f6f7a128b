"""Reading RAW files: what is kept, what is refused."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rawpy
import tifffile

from rawfix.cfa import Cfa
from rawfix.errors import CorruptRawError, RawfixError, UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.io import raw_checks, raw_color, raw_levels
from rawfix.io.dng_bad_pixels import encode_bad_pixels
from rawfix.io.raw import read_raw
from rawfix.physics.sensor import SRGB_TO_XYZ

SAMPLES = Path(os.environ.get("RAWFIX_SAMPLES") or Path(__file__).parents[2].parent / "shared" / "raw")
GOOD = sorted((SAMPLES / "good").glob("*.*"))
REFUSE = sorted((SAMPLES / "refuse").glob("*.*"))


def _containers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("containers", Path(__file__).with_name("containers.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_dng(
    path: Path, samples: np.ndarray[Any, Any], *tags: tuple[int, str, int, Any], **options: Any
) -> None:
    """A DNG with the tags given, besides the ones no DNG can lack."""
    base = [(50706, "B", 4, b"\x01\x04\x00\x00"), (50708, "s", 0, "Test One")]
    extra = sorted([(*tag, True) for tag in (*base, *tags)])
    photometric = 32803 if samples.ndim == 2 else 34892
    with tifffile.TiffWriter(path) as file:
        file.write(
            samples,
            photometric=photometric,
            planarconfig="contig" if samples.ndim == 3 else None,
            rowsperstrip=samples.shape[0],
            metadata=None,
            extratags=extra,
            **options,
        )


SRGB_WHITE = SRGB_TO_XYZ.sum(axis=1)
BAYER = ((33421, "H", 2, (2, 2)), (33422, "B", 4, b"\0\1\1\2"))


def noisy(height: int = 64, width: int = 80) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(600, 15000, (height, width)).astype(np.uint16)


def test_a_gray_world_is_that_of_the_samples_the_file_calls_good(tmp_path: Path) -> None:
    samples, bad = noisy(), np.zeros((64, 80), bool)
    bad[::16, ::4] = True
    opcodes = encode_bad_pixels(bad, Cfa.from_rows("RG", "GB"))
    balances = []
    for name, level in (("dark.dng", 0), ("hot.dng", 15000)):
        samples[bad] = level
        write_dng(tmp_path / name, samples, *BAYER, (51008, "B", len(opcodes), opcodes))
        frame = read_raw(tmp_path / name)
        assert frame.known_bad is not None and (frame.known_bad == bad).all()
        assert any("gray world" in note for note in frame.notes)
        balances.append(frame.wb)
    assert balances[0] == balances[1] != (1.0, 1.0, 1.0)


@pytest.mark.samples
def test_sample_folder_is_there() -> None:
    if not GOOD or not REFUSE:
        pytest.skip(f"no sample files under {SAMPLES.name}/; set RAWFIX_SAMPLES to their folder")


@pytest.mark.samples
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_good_samples_are_read(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frame = read_raw(path)
    assert not frame.mosaic.flags.writeable
    assert frame.mosaic.ndim == (3 if frame.cfa is None else 2)
    assert frame.wb[1] == 1
    assert min(frame.wb) > 0
    np.testing.assert_allclose(frame.cam_to_xyz @ np.ones(3), SRGB_WHITE, atol=1e-4)
    assert frame.noise is not None
    assert min(frame.noise.shot + frame.noise.read) > 0
    assert min(frame.white) > frame.black.max()
    if frame.cfa is not None:
        assert (
            np.array(frame.black.shape).max() == 1
            or not (np.array(frame.black.shape) % np.array(frame.cfa.period)).any()
        )
    assert capfd.readouterr() == ("", "")


@pytest.mark.samples
@pytest.mark.parametrize("path", REFUSE, ids=lambda path: path.name)
def test_bad_samples_are_refused_in_one_line(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((CorruptRawError, UnsupportedRawError)) as caught:
        read_raw(path)
    assert str(caught.value).startswith(f"{path.name}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


BAYER_NAMES = (
    "blackmagic.dng",
    "canon_g2_0304.crw",
    "canon_s40_0117.crw",
    "canon_d30_5s.crw",
    "canon_s40_0101.crw",
)


def half_size_srgb(frame: RawFrame) -> np.ndarray[Any, Any]:
    """Linear sRGB, a pixel a 2×2 unit, and the largest sample of each unit."""
    assert frame.cfa is not None
    height, width = (length // 2 * 2 for length in frame.mosaic.shape)
    mosaic = frame.mosaic[:height, :width].astype(np.float64)
    black = np.tile(np.broadcast_to(frame.black, (2, 2)), (height // 2, width // 2))
    units = ((mosaic - black) / (frame.white[1] - frame.black.mean())).reshape(height // 2, 2, width // 2, 2)
    channels = frame.cfa.channels((2, 2))
    camera = np.stack(
        [
            np.mean([units[:, y, :, x] for y in (0, 1) for x in (0, 1) if channels[y, x] == channel], axis=0)
            for channel in range(3)
        ],
        axis=-1,
    )
    balanced: np.ndarray[Any, Any] = (camera * frame.wb) @ (np.linalg.inv(SRGB_TO_XYZ) @ frame.cam_to_xyz).T
    return np.concatenate([balanced, camera * frame.wb], axis=-1)


@pytest.mark.samples
@pytest.mark.parametrize("name", BAYER_NAMES)
def test_colors_agree_with_libraw(name: str) -> None:
    path = SAMPLES / "good" / name
    if not path.exists():
        pytest.skip(f"{name} is not among the samples; set RAWFIX_SAMPLES to their folder")
    frame = read_raw(path)
    with rawpy.imread(str(path)) as raw:
        theirs = raw.postprocess(
            half_size=True,
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(1, 1),
            no_auto_bright=True,
            output_bps=16,
            user_wb=[*frame.wb, frame.wb[1]],
            user_flip=0,
            adjust_maximum_thr=0,
        )
    both = half_size_srgb(frame)[: theirs.shape[0], : theirs.shape[1]]
    theirs = theirs[: both.shape[0], : both.shape[1]] / 65535
    ours, camera = both[..., :3], both[..., 3:]
    usable = (camera.max(-1) < 0.9 * min(frame.wb)) & (camera.min(-1) > 0.02)
    usable &= (ours.min(-1) > 0.005) & (theirs.min(-1) > 0.005) & (theirs.max(-1) < 0.98)
    assert usable.sum() > 1000
    # LibRaw scales by the largest multiplier; exposure apart, the pixels are the same.
    ratio = theirs[usable] / ours[usable]
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=0.02)


def test_cr2_decodes_to_the_planted_mosaic(tmp_path: Path) -> None:
    mosaic = noisy(120, 160)
    _containers().write_cr2(tmp_path / "planted.cr2", mosaic)
    frame = read_raw(tmp_path / "planted.cr2")
    np.testing.assert_array_equal(frame.mosaic, mosaic)
    assert (frame.cfa, frame.camera, frame.iso) == (Cfa.from_rows("RG", "GB"), "Canon EOS 5D Mark II", 400)


def test_nef_decodes_to_the_planted_mosaic(tmp_path: Path) -> None:
    mosaic = noisy(120, 160)
    _containers().write_nef(tmp_path / "planted.nef", mosaic)
    frame = read_raw(tmp_path / "planted.nef")
    # LibRaw's entry for this model hides two columns on either side.
    np.testing.assert_array_equal(frame.mosaic, mosaic[:, 2:-2])
    assert (frame.cfa, frame.camera, frame.iso) == (Cfa.from_rows("RG", "GB"), "NIKON D700", 800)


@pytest.mark.parametrize(("suffix", "keep"), [("cr2", 0.7), ("nef", 0.7), ("cr2", 0.3), ("nef", 0.3)])
def test_files_cut_short_are_refused(suffix: str, keep: float, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{suffix}"
    getattr(_containers(), f"write_{suffix}")(path, noisy(120, 160))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(RawfixError):
        read_raw(path)


def test_odd_active_area_moves_array_and_black(tmp_path: Path) -> None:
    mosaic = noisy()
    levels = (50713, "H", 2, (2, 2)), (50714, "H", 4, (100, 200, 300, 400))
    area = (50829, "I", 4, (3, 5, 60, 76))
    write_dng(tmp_path / "odd.dng", mosaic, *BAYER, *levels, area, (50717, "H", 1, 15000))
    frame = read_raw(tmp_path / "odd.dng")
    height, width = frame.mosaic.shape
    starts = [
        (y, x)
        for y in range(3, 7)
        for x in range(5, 9)
        if np.array_equal(mosaic[y : y + height, x : x + width], frame.mosaic)
    ]
    assert len(starts) == 1
    y, x = starts[0]
    assert frame.cfa == Cfa.from_rows("RG", "GB").shift(y - 3, x - 5)
    stored = np.array([[100, 200], [300, 400]])
    np.testing.assert_array_equal(frame.black, np.roll(stored, (3 - y, 5 - x), (0, 1)))


def test_unknown_camera_says_so(tmp_path: Path) -> None:
    write_dng(tmp_path / "plain.dng", noisy(), *BAYER)
    frame = read_raw(tmp_path / "plain.dng")
    assert frame.wb == pytest.approx((1, 1, 1), abs=0.1)
    assert len(frame.notes) == 2
    np.testing.assert_array_equal(frame.cam_to_xyz, SRGB_TO_XYZ)


def test_float_samples_keep_their_exposure(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(0.0, 0.3, (40, 50, 3)).astype(np.float32)
    write_dng(tmp_path / "float.dng", samples)
    frame = read_raw(tmp_path / "float.dng")
    assert frame.cfa is None
    assert frame.white == (1, 1, 1)
    np.testing.assert_array_equal(frame.mosaic, samples)


@pytest.mark.parametrize("value", [0, 700, 65535])
def test_a_mosaic_of_one_value_is_refused(value: int, tmp_path: Path) -> None:
    write_dng(tmp_path / "flat.dng", np.full((64, 64), value, np.uint16), *BAYER)
    with pytest.raises(CorruptRawError):
        read_raw(tmp_path / "flat.dng")


def test_what_is_no_raw_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.dng").touch()
    (tmp_path / "text.nef").write_text("not a picture " * 100)
    for name in ("missing.dng", "empty.dng", "text.nef", "."):
        with pytest.raises(RawfixError, match=r".*: .*; "):
            read_raw(tmp_path / name)


def test_a_short_text_is_no_raw_file_and_a_short_tiff_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "text.cr2").write_text("hello\n")
    (tmp_path / "cut.cr2").write_bytes(b"II*\0\x10\0\0\0CR")
    with pytest.raises(UnsupportedRawError, match="is not a RAW file"):
        read_raw(tmp_path / "text.cr2")
    with pytest.raises(CorruptRawError, match="damaged or cut short"):
        read_raw(tmp_path / "cut.cr2")


def test_decoder_complaints_refuse_the_file() -> None:
    with raw_checks.captured_stderr() as lines:
        os.write(2, b"Premature end of JPEG file\n")
    with pytest.raises(CorruptRawError, match="Premature end"):
        raw_checks.check_messages(Path("picture.dng"), lines)
    raw_checks.check_messages(Path("corrupt.dng"), ["corrupt.dng: all is well"])


def test_white_balance_falls_back_in_order() -> None:
    matrix = np.linalg.inv(SRGB_TO_XYZ) * [[0.5], [1.0], [0.8]]
    assert raw_color.choose_wb([4, 2, 3, 2], [9, 9, 9], None, [1, 1, 1]) == ((2, 1, 1.5), None)
    for invalid in ([-1, 1, 1, 0], [0, 1, 0, 0], [float("nan"), 1, 1, 1]):
        assert raw_color.choose_wb(invalid, [4, 2, 3, 0], None, [1, 1, 1])[0] == (2, 1, 1.5)
        assert raw_color.choose_wb(invalid, [1, 1, 1, 0], None, [0.25, 0.5, 1.0])[0] == (2, 1, 0.5)
    from_matrix, note = raw_color.choose_wb(
        [0] * 4, [1, 1, 1, 0], np.asarray(np.diag([0.5, 1.0, 0.8]) @ matrix), [1, 1, 1]
    )
    assert from_matrix[1] == 1
    assert note is not None


def test_a_color_index_beyond_the_levels_of_a_broken_tag_is_no_crash() -> None:
    black = raw_levels.site_black([64, 65, 66, 67], np.array([[0, 6], [1, 2]]), None, (0, 0))
    np.testing.assert_array_equal(black, [[64, 67], [65, 66]])
