"""Mosaics without a RAW container: every layout comes back, and what does not fit is refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import CorruptRawError, RawfixError, SettingsError, UnsupportedRawError
from rawfix.io.mosaic_facts import MosaicFacts, facts_beside
from rawfix.io.mosaic_samples import unpack_genicam, unpack_mipi
from rawfix.io.read import read_frame
from rawfix.physics.sensor import SRGB_TO_XYZ

SAMPLES = Path(os.environ.get("RAWFIX_SAMPLES") or Path(__file__).parents[2].parent / "shared" / "raw")
FULL = {"cfa": "RGGB", "size": "48x32", "bits": 12, "black": "64", "white": "4000", "wb": "2,1,1.5"}


def noisy(bits: int = 12, height: int = 32, width: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(70, 2**bits - 100, (height, width)).astype(np.uint16)


def facts(**changes: object) -> MosaicFacts:
    return MosaicFacts.from_values({**FULL, **changes})


def pack_mipi(mosaic: np.ndarray, bits: int) -> bytes:
    """Bit by bit, as the specification draws it: upper eight bits of each, then the rests, the first lowest."""
    group, lower = {10: (4, 2), 12: (2, 4)}[bits]
    packed = bytearray()
    for samples in mosaic.reshape(-1, group).tolist():
        packed += bytes(sample >> lower for sample in samples)
        packed.append(
            sum((sample & (2**lower - 1)) << (lower * place) for place, sample in enumerate(samples))
        )
    return bytes(packed)


def pack_genicam(mosaic: np.ndarray, bits: int) -> bytes:
    """As one string of bits, the lowest of the first sample first."""
    string = sum(sample << bits * place for place, sample in enumerate(mosaic.ravel().tolist()))
    return string.to_bytes(mosaic.size * bits // 8, "little")


def write(path: Path, mosaic: np.ndarray, layout: str) -> Path:
    if layout.startswith("mipi"):
        path.write_bytes(pack_mipi(mosaic, int(layout[4:])))
    elif layout.startswith("genicam"):
        path.write_bytes(pack_genicam(mosaic, int(layout[7:])))
    elif layout in ("<u2", ">u2", "u1"):
        path.write_bytes(mosaic.astype(layout).tobytes())
    elif path.suffix == ".npy":
        np.save(path, mosaic)
    elif path.suffix == ".png":
        path.write_bytes(imagecodecs.png_encode(mosaic))
    else:
        tifffile.imwrite(path, mosaic, photometric="minisblack")
    return path


@pytest.mark.parametrize(
    ("name", "layout", "bits", "order"),
    [
        ("a.raw", "<u2", 10, "little"), ("a.raw", "<u2", 14, ""), ("a.bin", ">u2", 12, "big"),
        ("a.raw", "<u2", 16, "little"), ("a.raw", "u1", 8, ""), ("a.bin", "mipi10", 10, ""),
        ("a.raw", "mipi12", 12, ""), ("a.npy", "", 14, ""), ("a.png", "", 12, ""), ("a.tif", "", 16, ""),
        ("a.tiff", "", 10, ""),
    ],
)  # fmt: skip
def test_every_layout_comes_back(name: str, layout: str, bits: int, order: str, tmp_path: Path) -> None:
    mosaic = noisy(bits)
    frame = read_frame(
        write(tmp_path / name, mosaic, layout), facts(bits=bits, byte_order=order, white=None, black=None)
    )
    np.testing.assert_array_equal(frame.mosaic, mosaic)
    assert frame.mosaic.dtype == np.uint16
    assert not frame.mosaic.flags.writeable
    assert frame.white == (2**bits - 1,) * 3
    assert frame.cfa == Cfa.from_rows("RG", "GB")


@given(st.sampled_from([10, 12]), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_packed_samples_are_unpacked(bits: int, groups: int, seed: int) -> None:
    mosaic = np.random.default_rng(seed).integers(0, 2**bits, groups * 4).astype(np.uint16)
    packed = np.frombuffer(pack_mipi(mosaic, bits), np.uint8)
    np.testing.assert_array_equal(unpack_mipi(packed, bits), mosaic)
    string = np.frombuffer(pack_genicam(mosaic, bits), np.uint8)
    np.testing.assert_array_equal(unpack_genicam(string, bits), mosaic)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("layout", ["mipi", "genicam"])
def test_packed_samples_tell_their_rule_by_their_looks(layout: str, bits: int, tmp_path: Path) -> None:
    rows, columns = np.mgrid[:32, :48]
    grain = np.random.default_rng(3).normal(0, 2**bits / 60, (32, 48))
    mosaic = np.clip(2**bits * (0.3 + rows / 80 + columns / 400) + grain, 0, 2**bits - 1).astype(np.uint16)
    path = write(tmp_path / "a.raw", mosaic, f"{layout}{bits}")
    frame = read_frame(path, facts(bits=bits, white=None))
    np.testing.assert_array_equal(frame.mosaic, mosaic)
    assert any("GenICam" in note for note in frame.notes) == (layout == "genicam")
    other = {"mipi": "genicam", "genicam": "mipi"}[layout]
    assert (read_frame(path, facts(bits=bits, white=None, packing=layout)).mosaic == mosaic).all()
    assert (read_frame(path, facts(bits=bits, white=None, packing=other)).mosaic != mosaic).any()


def test_the_bits_of_a_tiff_are_its_own(tmp_path: Path) -> None:
    mosaic = noisy(12)
    tifffile.imwrite(tmp_path / "a.tif", mosaic, photometric="minisblack", bitspersample=12)
    frame = read_frame(tmp_path / "a.tif", facts(bits=None, white=None))
    np.testing.assert_array_equal(frame.mosaic, mosaic)
    assert frame.white == (4095.0,) * 3
    assert not any("input-bits" in note for note in frame.notes)


@pytest.mark.parametrize("name", ["a.npy", "a.png", "a.tif"])
def test_16_bits_that_are_not_used_are_told(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, noisy(12), "")
    frame = read_frame(path, facts(bits=None, white=None))
    assert frame.white == (65535.0,) * 3
    assert f"no sample exceeds {noisy(12).max()}" in frame.notes[0]
    assert "--input-bits" in frame.notes[0]
    bright = write(tmp_path / f"b{path.suffix}", noisy(16), "")
    for of, said in (
        (path, {"bits": 12, "white": None}),
        (path, {"bits": None}),
        (bright, {"bits": None, "white": None}),
    ):
        assert not any("--input-bits" in note for note in read_frame(of, facts(**said)).notes)


@pytest.mark.parametrize("family", sorted(CANONICAL))
def test_every_family_is_read(family: str, tmp_path: Path) -> None:
    frame = read_frame(
        write(tmp_path / "a.npy", noisy(), ""),
        facts(cfa=family if family == "mono" else CANONICAL[family].letters),
    )
    assert frame.cfa == CANONICAL[family]
    assert frame.noise is not None
    assert min(frame.noise.shot + frame.noise.read) > 0


def test_facts_reach_the_frame(tmp_path: Path) -> None:
    frame = read_frame(
        write(tmp_path / "a.npy", noisy(), ""), facts(black="64,60,68", matrix="2,-1,0,0,1,0,0,0,4")
    )
    np.testing.assert_array_equal(frame.black, [[64, 60], [60, 68]])
    assert frame.white == (4000.0,) * 3
    assert frame.wb == (2.0, 1.0, 1.5)
    np.testing.assert_allclose(frame.cam_to_xyz, SRGB_TO_XYZ @ [[2, -1, 0], [0, 1, 0], [0, 0, 1]])
    assert frame.notes == ()


def test_what_is_assumed_is_told(tmp_path: Path) -> None:
    frame = read_frame(write(tmp_path / "a.npy", noisy(16), ""), MosaicFacts.from_values({"cfa": "RGGB"}))
    assert [note.split(" is ")[0] for note in frame.notes[:2]] == [
        "the black level",
        "the camera's color matrix",
    ]
    assert "gray world" in frame.notes[2]
    mono = read_frame(tmp_path / "a.npy", MosaicFacts.from_values({"cfa": "mono", "black": "0"}))
    assert (mono.notes, mono.wb) == ((), (1.0, 1.0, 1.0))


def test_infrared_has_its_own_black(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npy", noisy(), "")
    assert read_frame(path, facts(cfa="rgbir2", black="1,2,3,4")).black.tolist() == [[2, 3], [1, 4]]
    with pytest.raises(SettingsError, match="four channels"):
        read_frame(path, facts(cfa="rgbir2", black="1,2,3"))
    with pytest.raises(SettingsError, match="three channels"):
        read_frame(path, facts(cfa="bayer", black="1,2,2,3"))


def test_a_toml_beside_the_file_describes_it_and_options_win(tmp_path: Path) -> None:
    path = write(tmp_path / "a.raw", noisy(), "<u2")
    (tmp_path / "a.toml").write_text(
        'cfa = ["GB", "RG"]\nsize = [48, 32]\nbits = 12\nblack = 64\nwhite = 4000\nbyte_order = "little"\n'
        "wb = [2.0, 1.0, 1.5]\nmatrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]\n"
    )
    frame = read_frame(path)
    assert frame.cfa == Cfa.from_rows("GB", "RG")
    assert (frame.white, frame.wb, frame.notes) == ((4000.0,) * 3, (2.0, 1.0, 1.5), ())
    changed = read_frame(path, MosaicFacts.from_values({"white": "3900"}))
    assert changed.white == (3900.0,) * 3
    assert changed.cfa == frame.cfa


@pytest.mark.parametrize(
    "text",
    [
        "size = 5",
        "purple = 1",
        "cfa = ",
        "cfa = 'RGGX'",
        "bits = 12.5",
        "bits = true",
        "wb = [1, 2]",
        "black = -1",
        "serial = 7",
        "camera = ' '",
        "camera = ['a']",
        'camera = "a\\nb"',
        f"serial = '{'1' * 101}'",
    ],
)
def test_a_toml_without_meaning_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"^a\.toml: ") as caught:
        facts_beside(tmp_path / "a.raw")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("size", "48"), ("size", "0x3"), ("size", "axb"), ("bits", 7), ("bits", 17), ("white", "1,2"),
        ("white", "bright"), ("black", "1,2"), ("black", "70000"), ("byte_order", "middle"), ("packing", "tight"),
        ("wb", "1,1"),
        ("wb", "1,0,1"), ("matrix", "1,0,0"), ("matrix", "1,0,0,1,0,0,0,0,1"), ("matrix", "nan,0,0,0,1,0,0,0,1"),
        ("cfa", "RGB/GG"),
    ],
)  # fmt: skip
def test_an_option_without_meaning_is_named(key: str, value: object) -> None:
    label = "--input-bits" if key == "bits" else f"--{key.replace('_', '-')}"
    with pytest.raises(SettingsError, match=label):
        MosaicFacts.from_values({key: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": "48x31"}, r"has 3072 bytes; 48x31 .* check --size"),
        ({"size": None}, "give --size"),
        ({"size": "96x32", "bits": 12}, "of 12 bits .* check --size and --input-bits"),
        ({"bits": 8}, "exceed 8 bits"),
        ({"bits": None, "white": None}, "input-bits or --white"),
        ({"byte_order": "big"}, "exceed 12 bits"),
        ({"bits": 10}, "exceed 10 bits"),
        ({"black": "4000"}, "not above black"),
    ],
)
def test_facts_that_contradict_the_file_are_refused(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.raw", noisy(), "<u2")
    with pytest.raises(RawfixError, match=message) as caught:
        read_frame(path, facts(**changes))
    assert str(caught.value).startswith("a.raw: ")


@pytest.mark.parametrize("name", ["a.raw", "a.npy", "a.png", "a.tif"])
def test_a_file_that_nothing_describes_is_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, noisy(), "<u2" if name == "a.raw" else "")
    with pytest.raises(UnsupportedRawError, match=r"give --cfa.* or a a\.toml beside it"):
        read_frame(path)


@pytest.mark.parametrize("name", ["a.npy", "a.png", "a.tif"])
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.7])
def test_files_cut_short_are_refused(name: str, keep: float, tmp_path: Path) -> None:
    path = write(tmp_path / name, noisy(), "")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(CorruptRawError, match=f"^{name}: ") as caught:
        read_frame(path, facts(size=None))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "samples",
    [np.ones((4, 5, 3), np.uint16), np.ones((4, 5), np.float32), np.full((4, 5), -1), np.array(["a"])],
)
def test_what_is_no_mosaic_is_refused(samples: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRawError, match=r"a\.npy: "):
        read_frame(write(tmp_path / "a.npy", samples, ""), facts(size=None))


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(CorruptRawError):
        read_frame(tmp_path / "a.npy", facts())


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is 48x32, not --size 48x30"):
        read_frame(write(tmp_path / "a.png", noisy(), ""), facts(size="48x30"))


@pytest.mark.samples
def test_the_14_bit_sample_is_read() -> None:
    path = SAMPLES / "mosaic" / "mosaic_isp_dsc1339_768x512_u16_rggb_bpc_test.raw"
    if not path.exists():
        pytest.skip("no sample mosaics; set RAWFIX_SAMPLES to their folder")
    frame = read_frame(path, facts(size="768x512", bits=14, black="600", white=None))
    assert frame.mosaic.shape == (512, 768)
    assert frame.white == (16383.0,) * 3
    np.testing.assert_array_equal(frame.mosaic, np.fromfile(path, "<u2").reshape(512, 768))


@pytest.mark.samples
def test_the_8_bit_sample_is_read() -> None:
    path = SAMPLES / "mosaic" / "mosaic_infinite_isp_Indoor1_2592x1536_u8_grbg.raw"
    if not path.exists():
        pytest.skip("no sample mosaics; set RAWFIX_SAMPLES to their folder")
    given = MosaicFacts.from_values({"cfa": "GRBG", "size": "2592x1536"})
    frame = read_frame(path, given)
    assert frame.mosaic.shape == (1536, 2592)
    assert (frame.white, frame.cfa) == ((255.0,) * 3, Cfa.from_rows("GR", "BG"))
