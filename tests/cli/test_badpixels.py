"""``rawfix badpixels`` and ``--bad-pixels`` as a script meets them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import Result
from typer.testing import CliRunner

from rawfix.cli.app import app
from rawfix.frame import RawFrame
from rawfix.io.dng import DngExif, write_cfa_dng
from rawfix.io.raw import read_raw

pytestmark = pytest.mark.models
HOT = [(20, 31), (77, 100), (77, 101), (150, 3)]


def rawfix(home: Path, *words: object) -> Result:
    environment = {"RAWFIX_DATA_DIR": str(home), "COLUMNS": "200"}
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


@pytest.fixture
def make_shot(tmp_path: Path, make_frame: Callable[..., RawFrame]) -> Callable[..., Path]:
    """``make_shot(name, light, serial="42", hot=0)``: a DNG of a body with hot pixels."""

    def make(name: str, light: np.ndarray | None = None, serial: str = "42", hot: int = 3000) -> Path:
        frame = make_frame(light, iso=800)
        mosaic = frame.mosaic.copy()
        for site in HOT:
            mosaic[site] = min(mosaic[site] + hot, 16383)
        exif = DngExif(make="Maker", model="One", serial=serial, exposure_time=2.0)
        write_cfa_dng(tmp_path / name, replace(frame, mosaic=mosaic), exif)
        return tmp_path / name

    return make


def test_a_map_is_learnt_shown_applied_exported_and_forgotten(
    make_shot: Callable[..., Path], tmp_path: Path
) -> None:
    home, dark = tmp_path / "data", make_shot("dark.dng", np.zeros((160, 192, 3), np.float32))
    learnt = rawfix(home, "badpixels", "learn", "--dark", dark, "--json")
    assert learnt.exit_code == 0, learnt.stderr
    facts = json.loads(learnt.stdout)
    assert (facts["pixels"], facts["frames"], facts["iso"], facts["seconds"]) == (4, 1, [800, 800], [2, 2])
    assert Path(facts["path"]).is_file()

    again = rawfix(home, "badpixels", "learn", "--dark", dark)
    assert again.exit_code == 5 and "--overwrite" in again.stderr and len(again.stderr.splitlines()) == 1
    listed = rawfix(home, "badpixels", "list")
    assert listed.exit_code == 0 and "Maker One 42" in listed.stdout
    shown = json.loads(rawfix(home, "badpixels", "show", "one", "--json").stdout)
    assert shown["sites"] == [list(site) for site in HOT]

    picture = make_shot("a.dng", hot=60)
    counts = {}
    for choice in ("auto", "off"):
        output = tmp_path / f"{choice}.tif"
        done = rawfix(home, "develop", picture, "-o", output, "--bad-pixels", choice, "--json")
        assert done.exit_code == 0, done.stderr
        counts[choice] = next(
            e for e in map(json.loads, done.stdout.splitlines()) if e.get("event") == "file"
        )
    assert (counts["auto"]["bad_known"], counts["off"]["bad_known"]) == (4, 0)
    assert counts["auto"]["bad_kinds"]["cluster"] == 1
    assert counts["auto"]["bad_pixels"] >= 4 > counts["off"]["bad_pixels"]
    assert (tifffile.imread(tmp_path / "auto.tif") != tifffile.imread(tmp_path / "off.tif")).any()
    info = json.loads(rawfix(home, "info", picture, "--json").stdout)
    assert info["bad_known"] == 4 and info["bad_kinds"]["cluster"] == 1

    exported = rawfix(home, "badpixels", "export", "42", "-o", tmp_path / "a.badpixels", "--format", "dcraw")
    assert exported.exit_code == 0, exported.stderr
    assert (tmp_path / "a.badpixels").read_text() == "".join(f"{x} {y} 0\n" for y, x in HOT)
    assert rawfix(home, "badpixels", "forget", "42").exit_code == 0
    assert "No maps" in rawfix(home, "badpixels", "list").stdout


@pytest.mark.parametrize("format", ["dcraw", "rawtherapee", "sensor", "rows", "opcodes"])
def test_lists_go_out_and_come_in(make_shot: Callable[..., Path], tmp_path: Path, format: str) -> None:
    home, shot, path = tmp_path / "data", make_shot("a.dng"), tmp_path / "list.txt"
    (tmp_path / "first.txt").write_text("".join(f"{y} {x}\n" for y, x in HOT))
    commands = (
        ("import", tmp_path / "first.txt", "--like", shot),
        ("export", "one", "-o", path, "--format", format, "--like", shot),
        ("forget", "one"),
        ("import", path, "--like", shot, "--format", format),
    )
    for words in commands:
        done = rawfix(home, "badpixels", *words)
        assert done.exit_code == 0, (words, done.stderr)
    shown = json.loads(rawfix(home, "badpixels", "show", "one", "--json").stdout)
    assert shown["sites"] == [list(site) for site in HOT]


def test_an_opcode_list_is_recognised(make_shot: Callable[..., Path], tmp_path: Path) -> None:
    home, shot, path = tmp_path / "data", make_shot("a.dng"), tmp_path / "list.opcodes"
    (tmp_path / "first.txt").write_text("".join(f"{y} {x}\n" for y, x in HOT))
    for words in (
        ("import", tmp_path / "first.txt", "--like", shot),
        ("export", "one", "-o", path, "--format", "opcodes", "--like", shot),
        ("forget", "one"),
        ("import", path, "--like", shot),
    ):
        done = rawfix(home, "badpixels", *words)
        assert done.exit_code == 0, (words, done.stderr)
    assert json.loads(rawfix(home, "badpixels", "show", "one", "--json").stdout)["sites"] == [*map(list, HOT)]
    assert rawfix(home, "badpixels", "forget", "one").exit_code == 0
    developed = rawfix(home, "develop", shot, "-o", tmp_path / "a.tif", "--bad-pixels", path, "--json")
    assert developed.exit_code == 0, developed.stderr
    assert '"bad_known": 4' in developed.stdout
    path.write_bytes(path.read_bytes()[:-1])
    for words in (("badpixels", "import", path, "--like", shot), ("develop", shot, "--bad-pixels", path)):
        refused = rawfix(home, *words)
        assert refused.exit_code == 2 and len(refused.stderr.splitlines()) == 1
        assert "list.opcodes: is no opcode list" in refused.stderr


def test_refusals_are_one_line_and_change_nothing(make_shot: Callable[..., Path], tmp_path: Path) -> None:
    home, bright = tmp_path / "data", make_shot("a.dng")
    nameless = make_shot("b.dng", np.zeros((160, 192, 3), np.float32), serial="")
    (tmp_path / "bad.txt").write_text("1 2\nx y\n")
    for code, words in (
        (2, ["badpixels", "learn", bright]),
        (2, ["badpixels", "learn", bright, *[shutil.copy(bright, tmp_path / f"c{n}.dng") for n in range(8)]]),
        (2, ["badpixels", "learn", "--dark", nameless]),
        (2, ["badpixels", "learn", "--dark", nameless, "--camera", "Another"]),
        (3, ["badpixels", "learn", tmp_path / "*.nef"]),
        (2, ["badpixels", "show", "nothing"]),
        (2, ["badpixels", "import", tmp_path / "bad.txt", "--like", bright]),
        (2, ["develop", bright, "--bad-pixels", tmp_path / "bad.txt"]),
        (2, ["develop", bright, "--bad-pixels", tmp_path / "missing.txt"]),
    ):
        done = rawfix(home, *words)
        assert done.exit_code == code, (words, done)
        assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr
    assert not home.exists() and not list(tmp_path.glob("*.tif"))
    kept = rawfix(home, "badpixels", "learn", "--dark", nameless, "--camera", "Maker One")
    assert kept.exit_code == 0 and "4 bad pixels" in kept.stdout


def test_a_name_in_place_of_a_serial_number_that_files_tell_is_refused(
    make_shot: Callable[..., Path], tmp_path: Path
) -> None:
    home, black = tmp_path / "data", np.zeros((160, 192, 3), np.float32)
    told, nameless = make_shot("told.dng", black), make_shot("nameless.dng", black, serial="")
    (tmp_path / "a.badpixels").write_text("1 2 0\n")
    named = ("--camera", "Maker One")
    for words in (
        ("badpixels", "learn", "--dark", told, *named),
        ("badpixels", "import", tmp_path / "a.badpixels", "--like", told, *named),
        ("calibrate", "psf", told, *named),
    ):
        refused = rawfix(home, *words)
        assert refused.exit_code == 2 and len(refused.stderr.splitlines()) == 1, (words, refused)
        assert "told.dng" in refused.stderr and "leave --camera out" in refused.stderr
    assert not home.exists()
    some = rawfix(home, "badpixels", "learn", "--dark", nameless, told, *named, "--json")
    assert some.exit_code == 1 and "told.dng: is of Maker One 42" in some.stderr
    assert json.loads(some.stdout)["frames"] == 1 and json.loads(some.stdout)["serial"] == ""
    info = json.loads(rawfix(home, "info", nameless, "--no-defects", "--json").stdout)
    assert info["bad_known"] == len(HOT)


def test_a_body_that_has_a_map_is_refused_after_the_first_frame(
    make_shot: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, black = tmp_path / "data", np.zeros((160, 192, 3), np.float32)
    words = ("badpixels", "learn", "--dark", *(make_shot(f"{number}.dng", black) for number in range(3)))
    assert rawfix(home, *words).exit_code == 0
    read: list[str] = []

    def counted(path: Path) -> RawFrame:
        read.append(path.name)
        return read_raw(path)

    monkeypatch.setattr("rawfix.batch.learn.read_frame", counted)
    again = rawfix(home, *words)
    assert again.exit_code == 5 and "has a map already; use --overwrite" in again.stderr
    assert read == ["0.dng"] and len(again.stderr.splitlines()) == 1
    assert rawfix(home, *words, "--add").exit_code == 0 and len(read) == 4


def test_an_order_of_columns_that_was_guessed_is_told(make_shot: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 2\n")
    words = ("badpixels", "import", tmp_path / "a.txt", "--like", make_shot("a.dng"))
    guessed = rawfix(tmp_path / "data", *words)
    assert guessed.exit_code == 0 and "a.txt: note: its lines were read as 'row column'" in guessed.stderr
    said = rawfix(tmp_path / "data", *words, "--format", "rows", "--overwrite")
    assert said.exit_code == 0 and not said.stderr


def test_a_date_to_come_keeps_a_pixel_out_of_the_map(make_shot: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"1 2 0\n3 4 1000000000\n5 6 {2**40}\n")
    home = tmp_path / "data"
    done = rawfix(home, "badpixels", "import", tmp_path / "a.txt", "--like", make_shot("a.dng"))
    assert done.exit_code == 0, done.stderr
    dated, later = done.stderr.splitlines()
    assert dated.startswith("rawfix: a.txt: note: 1 of 3 pixels carry a date")
    assert later.startswith("rawfix: a.txt: note: 1 of 3 pixels are bad only from a date to come")
    shown = json.loads(rawfix(home, "badpixels", "show", "one", "--json").stdout)
    assert shown["sites"] == [[2, 1], [4, 3]]


def test_pixels_outside_of_the_sensor_are_left_out_and_told(
    make_shot: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("1 2\n160 0\n3 192\n")
    done = rawfix(tmp_path / "data", "badpixels", "import", tmp_path / "a.txt", "--like", make_shot("a.dng"))
    assert done.exit_code == 0 and "1 bad pixels" in done.stdout
    assert "2 of 3 pixels lie outside" in done.stderr
