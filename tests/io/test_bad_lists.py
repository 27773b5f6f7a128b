"""Lists of bad pixels of other programs."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL
from rawfix.errors import OutputError, SettingsError
from rawfix.io.bad_lists import (
    FORMATS,
    ListFormat,
    guess_format,
    read_for_map,
    read_list,
    to_mask,
    write_list,
)
from rawfix.io.bad_opcodes import read_opcodes
from rawfix.io.dng_bad_pixels import encode_bad_pixels

SAMPLES = Path(os.environ.get("RAWFIX_SAMPLES", Path(__file__).resolve().parents[3] / "shared" / "raw"))


def written(tmp_path: Path, text: str, name: str = "list.txt") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_dcraw_lists_column_row_and_time_of_death(tmp_path: Path) -> None:
    path = written(tmp_path, "# ours\n\n962 91 1028350000\n1285 1067 0 # dead\n1285 1067 0\n")
    assert read_list(path, "dcraw").tolist() == [[91, 962], [1067, 1285]]
    assert read_list(path, "dcraw", taken=1028350000).tolist() == [[91, 962], [1067, 1285]]
    assert read_list(path, "dcraw", taken=1028349999).tolist() == [[1067, 1285]]


def test_a_map_is_told_of_the_dates_it_does_not_know(tmp_path: Path) -> None:
    path = written(tmp_path, "1 2 0\n3 4 1000\n5 6 2000\n7 8 2001\n7 9 3000\n1 2 1000\n3 4 3000\n")
    sites, (dated, later) = read_for_map(path, "dcraw", now=2000)
    assert sites.tolist() == [[2, 1], [4, 3], [6, 5]]
    assert dated.startswith("2 of 5 pixels carry a date") and "bad always" in dated
    assert later.startswith("2 of 5 pixels are bad only from a date to come") and "left out" in later
    for text, format in (("1 2 0\n", "dcraw"), ("1 2\n", "rows"), ("1 2\n", "sensor")):
        sites, notes = read_for_map(written(tmp_path, text), format, now=2000)  # type: ignore[arg-type]
        assert len(sites) == 1 and not notes


def test_rawtherapee_lists_column_and_row(tmp_path: Path) -> None:
    path = written(tmp_path, "10 20\n30 40\n")
    assert read_list(path, "rawtherapee", margins=(6, 48)).tolist() == [[20, 10], [40, 30]]


def test_rawtherapee_may_begin_with_an_offset(tmp_path: Path) -> None:
    assert read_list(written(tmp_path, "4\n10 20\n"), "rawtherapee").tolist() == [[24, 14]]
    with pytest.raises(SettingsError, match="line 2"):
        read_list(written(tmp_path, "10 20\n4\n"), "rawtherapee")


def test_whole_sensor_coordinates_lose_their_margins(tmp_path: Path) -> None:
    path = written(tmp_path, "48 6\n10 3\n")
    assert read_list(path, "sensor", margins=(6, 48)).tolist() == [[-3, -38], [0, 0]]


def test_what_lies_outside_is_ignored() -> None:
    mask = to_mask(np.array([[0, 0], [-1, 2], [2, 3], [4, 0], [0, 5]]), (4, 5))
    assert np.argwhere(mask).tolist() == [[0, 0], [2, 3]]
    assert not to_mask(np.zeros((0, 2), np.intp), (4, 5)).any()


@pytest.mark.parametrize("line", ["1 2", "1 2 3 4", "one 2 3", "1.5 2 3", "1,2,3", f"{10**23} 1 0"])
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, f"1 2 3\n{line}\n")
    with pytest.raises(SettingsError, match="line 2") as refusal:
        read_list(path, "dcraw")
    assert str(path) in str(refusal.value) and line in str(refusal.value) and "\n" not in str(refusal.value)


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "a.bin"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    broken = tmp_path / "a.gz"
    broken.write_bytes(gzip.compress(b"1 2\n" * 500)[:20])
    for path in (binary, broken, tmp_path / "missing", tmp_path):
        with pytest.raises(SettingsError, match="list"):
            read_list(path, "rows")


@given(sites=st.sets(st.tuples(st.integers(0, 99), st.integers(0, 99))), format=st.sampled_from(FORMATS))
def test_writing_then_reading_gives_the_same_pixels(
    tmp_path_factory: pytest.TempPathFactory, sites: set[tuple[int, int]], format: ListFormat
) -> None:
    path = tmp_path_factory.mktemp("list") / "a.txt"
    pixels = np.array(sorted(sites), np.intp).reshape(-1, 2)
    write_list(path, pixels, format, margins=(6, 48))
    np.testing.assert_array_equal(read_list(path, format, margins=(6, 48)), pixels)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = written(tmp_path, "precious")
    with pytest.raises(OutputError, match="--overwrite"):
        write_list(path, np.array([[1, 2]]), "rows")
    assert path.read_text() == "precious"


def test_formats_are_guessed(tmp_path: Path) -> None:
    assert guess_format(written(tmp_path, "# x\n1 2 0\n", "a.badpixels")) == "dcraw"
    assert guess_format(written(tmp_path, "1 2\n", "a.badpixels")) == "rawtherapee"
    assert guess_format(written(tmp_path, "1 2\n", "a.txt")) == "rows"
    for name, text, format in (("a.gz", "1 2 0\n", "dcraw"), ("b.badpixels.gz", "1 2\n", "rawtherapee")):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
        assert guess_format(tmp_path / name) == format
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"1 2 0\n")[:12])
    assert guess_format(tmp_path / "c.gz") == "rows"


def test_an_opcode_list_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    bad = np.zeros((40, 300), bool)
    bad[7, 260] = bad[3] = True
    data = encode_bad_pixels(bad, CANONICAL["bayer"])
    for name, content in (
        ("a.badpixels", data),
        ("a.txt", data),
        ("a.bin", data[:30]),
        ("a.gz", gzip.compress(data)),
    ):
        (tmp_path / name).write_bytes(content)
        assert guess_format(tmp_path / name) == "opcodes"
    for name in ("a.txt", "a.gz"):
        assert (read_opcodes(tmp_path / name, np.zeros(bad.shape, np.uint16)) == bad).all()
        assert (read_opcodes(tmp_path / name, np.zeros((38, 290), np.uint16), (2, 10)) == bad[2:, 10:]).all()
    for name in ("a.bin", "missing"):
        with pytest.raises(SettingsError, match=name):
            read_opcodes(tmp_path / name, np.zeros(bad.shape, np.uint16))
    with pytest.raises(SettingsError, match="opcodes"):
        read_list(tmp_path / "a.txt", "rows")


@pytest.mark.samples
def test_a_real_cameras_list_is_read() -> None:
    path = SAMPLES / "mosaic" / "rawpy_bad_pixels.gz"
    if not path.is_file():
        pytest.skip("no sample lists; set RAWFIX_SAMPLES")
    sites = read_list(path, "rows")
    assert sites.shape == (26484, 2)
    assert sites[:3].tolist() == [[0, 300], [0, 440], [0, 568]]
