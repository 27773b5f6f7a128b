"""What is known to be bad before a frame is developed, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawfix.batch.known_bad import check_choice, known_digest, with_known_bad
from rawfix.cfa import CANONICAL
from rawfix.errors import SettingsError
from rawfix.frame import RawFrame
from rawfix.io.bad_maps import BadMap, path_of, write_map
from rawfix.io.dng import DngExif, write_cfa_dng
from rawfix.io.dng_bad_pixels import encode_bad_pixels
from rawfix.io.mask import write_mask
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.raw import read_raw
from rawfix.io.read import read_frame
from rawfix.physics.saturation import find_saturation

TODAY = date(2025, 6, 1)
BLOWN_BAD = np.zeros((160, 192), bool)
BLOWN_BAD[::7, ::5] = True


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_frame: Callable[..., RawFrame]) -> Path:
    """A DNG of a body with serial number 42, which calls (3, 4) bad itself."""
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    frame = make_frame(iso=800)
    own = np.zeros(frame.mosaic.shape, bool)
    own[3, 4] = True
    exif = DngExif(make="Maker", model="One", serial="42", exposure_time=4.0, datetime="2025:05:01 10:00:00")
    write_cfa_dng(tmp_path / "a.dng", replace(frame, known_bad=own), exif)
    return tmp_path / "a.dng"


def known(shot: Path, choice: str) -> tuple[list[list[int]], str]:
    frame = with_known_bad(read_raw(shot), shot, choice, TODAY)
    sites = [] if frame.known_bad is None else np.argwhere(frame.known_bad).tolist()
    return sites, "; ".join(frame.notes)


def keep(**more: object) -> None:
    values: dict[str, object] = {
        "camera": "Maker One", "serial": "42", "height": 160, "width": 192, "made": "2025-01-01",
        "source": "dark frames", "frames": 3, "iso": (100.0, 800.0), "seconds": (1.0, 4.0), "sites": ((9, 9),),
    }  # fmt: skip
    write_map(BadMap(**{**values, **more}), overwrite=True)  # type: ignore[arg-type]


def test_auto_takes_the_files_own_list_and_the_bodys_map(shot: Path) -> None:
    assert known(shot, "auto") == ([[3, 4]], "")
    keep()
    assert known(shot, "auto") == ([[3, 4], [9, 9]], "")


def test_off_takes_neither(shot: Path) -> None:
    keep()
    assert known(shot, "off") == ([], "")


def test_a_list_takes_the_place_of_the_map(shot: Path, tmp_path: Path) -> None:
    keep()
    (tmp_path / "a.txt").write_text("5 6\n1000 0\n")
    assert known(shot, str(tmp_path / "a.txt"))[0] == [[3, 4], [5, 6]]
    (tmp_path / "dead.badpixels").write_text(f"6 5 0\n7 7 {2**31 - 1}\n")
    assert known(shot, str(tmp_path / "dead.badpixels"))[0] == [[3, 4], [5, 6]]


def test_a_list_of_much_of_the_frame_is_told(shot: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{row} {column}\n" for row in range(20) for column in range(192)))
    assert "12 % of the frame are listed as bad" in known(shot, str(path))[1]


def test_pixels_of_a_list_that_the_frame_does_not_have_are_told(shot: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("5 6\n180 0\n3 192\n")
    assert known(shot, str(path)) == (
        [[3, 4], [5, 6]],
        "a.txt: 2 of 3 pixels lie outside of 192×160 and were left out",
    )
    sent = with_known_bad(read_raw(shot), shot, str(path), named="lists/mine.txt")
    assert sent.notes == ("mine.txt: 2 of 3 pixels lie outside of 192×160 and were left out",)
    path.write_text("5 6\n159 191\n")
    assert known(shot, str(path))[1] == ""


@pytest.mark.parametrize(
    ("name", "text", "sites", "doubt"),
    [
        ("a.txt", "5 6\n", [5, 6], "a.txt: its lines were read as 'row column'; call it *.badpixels"),
        ("a.badpixels", "6 5\n", [5, 6], ""),
        ("a.txt", "6 5 0\n", [5, 6], ""),
        ("a.txt", "5 180\n", [5, 180], ""),
        ("a.txt", "5 5\n", [5, 5], ""),
        ("a.txt", "# none\n", None, ""),
    ],
)
def test_the_order_of_two_columns_is_told_where_it_is_a_guess(
    shot: Path, tmp_path: Path, name: str, text: str, sites: list[int] | None, doubt: str
) -> None:
    (tmp_path / name).write_text(text)
    found, notes = known(shot, str(tmp_path / name))
    assert found == [[3, 4], *([] if sites is None else [sites])]
    assert notes.startswith(doubt) and bool(notes) == bool(doubt)


def test_a_gray_world_is_that_of_the_good_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_frame: Callable[..., RawFrame]
) -> None:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    path, mask, facts = tmp_path / "a.npy", tmp_path / "bad.png", MosaicFacts.from_values({"cfa": "RGGB"})
    mosaic = make_frame().mosaic.copy()
    bad = np.zeros(mosaic.shape, bool)
    bad[::16, ::4] = True
    write_mask(mask, bad, overwrite=False)
    balances = []
    for level in (0, 30000):
        mosaic[bad] = level
        np.save(path, mosaic)
        frame = read_frame(path, facts)
        balances.append([with_known_bad(frame, path, choice).wb for choice in (str(mask), "off", "auto")])
    (good, *cold), (same, *hot) = balances
    assert good == same and good not in (*cold, *hot) and cold[0] == cold[1] != hot[0] == hot[1]
    told = with_known_bad(read_frame(path, replace(facts, wb=(2.0, 1.0, 1.5))), path, str(mask))
    assert told.wb == (2.0, 1.0, 1.5)


@pytest.fixture
def make_blown(tmp_path: Path, make_frame: Callable[..., RawFrame]) -> Callable[..., Path]:
    """``make_blown(level, own=False)``: a DNG that saturates at 0.88 of white; samples at `BLOWN_BAD` read a level."""
    light = (
        np.full((160, 192, 3), 0.2, np.float32) * np.linspace(0.5, 1, 192, dtype=np.float32)[None, :, None]
    )
    light[:, 150:] = 4

    def make(level: int, own: bool = False) -> Path:
        frame = make_frame(light, wb=(2.0, 1.0, 1.5))
        white, black = float(frame.white[0]), float(frame.black.mean())
        mosaic = np.minimum(frame.mosaic, np.uint16(black + 0.88 * (white - black)))
        mosaic[BLOWN_BAD] = level
        path = tmp_path / f"{level}-{own}.dng"
        write_cfa_dng(path, replace(frame, mosaic=mosaic, known_bad=BLOWN_BAD if own else None))
        return path

    return make


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether samples were left out, of every look for the saturation."""
    seen: list[bool] = []

    def counted(*given: Any) -> float | None:
        seen.append(given[-1] is not None)
        return find_saturation(*given)

    monkeypatch.setattr("rawfix.io.good_samples.find_saturation", counted)
    return seen


def test_saturation_is_that_of_the_good_samples(
    make_blown: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scans: list[bool]
) -> None:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    mask = tmp_path / "bad.png"
    write_mask(mask, BLOWN_BAD, overwrite=False)
    for level, hidden in ((0, False), (16383, True)):
        path = make_blown(level)
        read = read_raw(path)
        assert (read.saturation == (1.0, 1.0, 1.0)) == hidden and len(read.notes) == (not hidden)
        told = with_known_bad(read, path, str(mask))
        assert told.saturation == pytest.approx((0.88,) * 3, abs=0.003)
        (note,) = told.notes
        assert note.startswith("the sensor saturates at ")
        again = with_known_bad(told, path, "off")
        assert (again.saturation, again.notes) == (read.saturation, read.notes)
    assert scans == [False, True, False] * 2


def test_saturation_leaves_out_what_the_file_itself_calls_bad(
    make_blown: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scans: list[bool]
) -> None:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    path = make_blown(16383, own=True)
    read = read_raw(path)
    assert read.saturation == with_known_bad(read, path, "auto").saturation
    assert read.saturation == pytest.approx((0.88,) * 3, abs=0.003) and scans == [True]
    off = with_known_bad(read, path, "off")
    assert off.saturation == (1.0, 1.0, 1.0) and not off.notes and scans == [True, False]


def test_a_frame_of_which_nothing_is_known_is_looked_at_once(
    make_blown: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scans: list[bool]
) -> None:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    path = make_blown(0)
    read = read_raw(path)
    (tmp_path / "none.txt").write_text("# none\n")
    for choice in ("auto", "off", str(tmp_path / "none.txt")):
        assert with_known_bad(read, path, choice).saturation == read.saturation
    assert scans == [False]


def test_a_mosaic_without_a_container_saturates_where_it_is_told(
    tmp_path: Path, make_blown: Callable[..., Path], scans: list[bool]
) -> None:
    np.save(tmp_path / "a.npy", read_raw(make_blown(16383)).mosaic)
    write_mask(tmp_path / "bad.png", BLOWN_BAD, overwrite=False)
    frame = read_frame(tmp_path / "a.npy", MosaicFacts.from_values({"cfa": "RGGB"}))
    scans.clear()
    known = with_known_bad(frame, tmp_path / "a.npy", str(tmp_path / "bad.png"))
    assert known.saturation == (1.0, 1.0, 1.0) and not scans


def test_masks_and_maps_serve_as_lists(shot: Path, tmp_path: Path) -> None:
    mask = np.zeros((160, 192), bool)
    mask[7, 8] = True
    write_mask(tmp_path / "m.png", mask, overwrite=False)
    assert known(shot, str(tmp_path / "m.png"))[0] == [[3, 4], [7, 8]]
    keep()
    assert known(shot, str(path_of("Maker One", "42")))[0] == [[3, 4], [9, 9]]
    write_mask(tmp_path / "small.png", mask[1:], overwrite=False)
    with pytest.raises(SettingsError, match="192×159"):
        known(shot, str(tmp_path / "small.png"))


def test_an_opcode_list_serves_as_a_list(shot: Path, tmp_path: Path) -> None:
    path, bad = tmp_path / "list.bin", np.zeros((160, 192), bool)
    bad[7, 8] = True
    path.write_bytes(encode_bad_pixels(bad, CANONICAL["bayer"]))
    check_choice(str(path))
    assert known(shot, str(path)) == ([[3, 4], [7, 8]], "")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SettingsError, match=r"list\.bin: is no opcode list"):
        check_choice(str(path))


def test_another_bodys_map_is_not_taken(shot: Path) -> None:
    keep(serial="43")
    keep(serial="")
    assert known(shot, "auto") == ([[3, 4]], "")


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"width": 100}, "100×160"),
        ({"made": "2023-06-01"}, "days old"),
        ({"seconds": (0.01, 0.02)}, "8 stops"),
        ({"iso": (100.0, 100.0)}, "3 stops"),
    ],
)
def test_doubts_are_told(shot: Path, change: dict[str, object], note: str) -> None:
    keep(**change)
    sites, notes = known(shot, "auto")
    assert note in notes
    assert ([9, 9] in sites) == ("width" not in change)


def test_a_damaged_map_does_not_stop_a_picture(shot: Path) -> None:
    keep()
    path_of("Maker One", "42").write_text("{")
    sites, notes = known(shot, "auto")
    assert sites == [[3, 4]] and "left out" in notes


def test_a_missing_or_malformed_list_is_refused_before_any_frame(tmp_path: Path) -> None:
    check_choice("auto")
    check_choice("off")
    with pytest.raises(SettingsError, match="no such file"):
        check_choice(str(tmp_path / "missing"))
    (tmp_path / "a.txt").write_text("1 2\nx\n")
    with pytest.raises(SettingsError, match="line 2"):
        check_choice(str(tmp_path / "a.txt"))


def test_a_change_of_the_map_is_noticed(shot: Path, tmp_path: Path) -> None:
    assert known_digest(shot, "Maker One", "auto") == ""
    keep()
    first = known_digest(shot, "Maker One", "auto")
    keep(sites=((9, 9), (10, 10)))
    assert len({"", first, known_digest(shot, "Maker One", "auto")}) == 3
    assert known_digest(shot, "Maker One", "off") == ""
