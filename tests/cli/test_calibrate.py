"""Calibrations on the command line: made, kept, used, told, forgotten."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rawfix.batch import calibrated
from rawfix.batch.calibrated import calibration_digest, with_calibration
from rawfix.cli.app import app
from rawfix.errors import SettingsError
from rawfix.frame import PsfModel
from rawfix.io.calibrations import (
    Calibration,
    PsfCalibration,
    all_calibrations,
    find_calibration,
    path_of,
    read_calibration,
    write_calibration,
)
from rawfix.io.read import read_frame
from tests.conftest import noise_at
from tests.physics.test_edges import chart

MakeDng = Callable[..., Path]
CAMERA = "rawfix Synthetic"
run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))


def without_profile(path: Path) -> Path:
    """The file without its NoiseProfile: the tag's number becomes a private one that nobody knows."""
    data = path.read_bytes()
    assert data.count(b"\x61\xc7") == 1
    path.write_bytes(data.replace(b"\x61\xc7", b"\xf0\xfd"))
    return path


@pytest.fixture
def flats(make_dng: MakeDng) -> list[str]:
    """A dark frame and two walls at each of two speeds."""
    files = []
    for iso in (400, 1600):
        for level in (0.0, 0.1, 0.6):
            light = np.full((256, 256, 3), level, np.float32)
            files.append(str(make_dng(f"{iso}-{level}.dng", light=light, iso=iso, black=2048, white=65535)))
    return files


def test_noise_is_measured_kept_and_plotted(flats: list[str], tmp_path: Path) -> None:
    plot = tmp_path / "noise.svg"
    result = run(app, ["calibrate", "noise", *flats, "--camera", CAMERA, "--plot", str(plot), "--json"])
    assert result.exit_code == 0, result.output
    found = find_calibration(CAMERA, "")
    assert found is not None and found.noise is not None
    assert [speed.iso for speed in found.noise.speeds] == [400, 1600]
    assert found.noise.at(1600).shot == pytest.approx(noise_at(1600).shot, rel=0.1)
    told = json.loads(result.stdout)
    assert told["noise"]["speeds"][1]["frames"] == 3 and Path(told["path"]).is_file()
    drawn = ElementTree.parse(plot).getroot()
    assert len(drawn.findall(".//{*}circle")) == 12 and len(drawn.findall(".//{*}polyline")) == 6


def test_speeds_can_be_measured_one_after_the_other(flats: list[str]) -> None:
    assert run(app, ["calibrate", "noise", *flats, "--camera", CAMERA]).exit_code == 0
    together = find_calibration(CAMERA, "")
    assert run(app, ["calibrate", "forget", CAMERA]).exit_code == 0
    for files in (flats[:3], flats[3:], flats[:3]):
        assert run(app, ["calibrate", "noise", *files, "--camera", CAMERA]).exit_code == 0
    assert find_calibration(CAMERA, "") == together


def test_calibrated_noise_comes_after_the_files_own(flats: list[str], make_dng: MakeDng) -> None:
    assert run(app, ["calibrate", "noise", *flats, "--camera", CAMERA]).exit_code == 0
    stated = make_dng("stated.dng", iso=800)
    frame = with_calibration(read_frame(stated), stated)
    assert frame.noise is not None and frame.noise.source == "file"
    silent = without_profile(make_dng("silent.dng", iso=800))
    alone = read_frame(silent)
    frame = with_calibration(alone, silent)
    assert alone.noise is not None and alone.noise.source == "estimated"
    assert frame.noise is not None and frame.noise.source == "calibrated"
    assert frame.noise.shot == pytest.approx(noise_at(800).shot, rel=0.1)
    told = run(app, ["info", str(silent), "--no-defects"]).stdout.split()
    assert {"calibrated", "camera)"} <= set(told) and "not" in told
    facts = json.loads(run(app, ["info", str(silent), "--no-defects", "--json"]).stdout)
    assert facts["noise"]["source"] == "calibrated" and facts["psf"] is None


def test_psf_is_measured_and_used_for_its_lens_only(make_dng: MakeDng, tmp_path: Path) -> None:
    path = make_dng("chart.dng", light=chart(300, 400, 0.9), wb=(1.0, 1.0, 1.0))
    result = run(app, ["calibrate", "psf", str(path), "--camera", CAMERA])
    assert result.exit_code == 0, result.output
    frame = with_calibration(read_frame(path), path)
    assert frame.psf is not None and frame.psf.center[1] == pytest.approx(0.9, rel=0.05)
    assert "(calibrated)" in run(app, ["info", str(path), "--no-defects"]).stdout
    found = find_calibration(CAMERA, "")
    assert found is not None and found.psf_for("Third 35mm") is None


def test_a_chart_out_of_focus_is_no_chart(make_dng: MakeDng) -> None:
    path = make_dng("soft.dng", light=chart(300, 400, 2.4), wb=(1.0, 1.0, 1.0))
    result = run(app, ["calibrate", "psf", str(path), "--camera", CAMERA])
    assert result.exit_code == 2 and "photograph a chart that is in focus" in result.stderr, result.output
    assert all_calibrations() == []


def test_a_lens_that_files_do_not_tell_is_found_while_it_is_the_only_one(make_dng: MakeDng) -> None:
    path = make_dng("chart.dng", light=chart(300, 400, 0.9), wb=(1.0, 1.0, 1.0))
    words = ["calibrate", "psf", str(path), "--camera", CAMERA, "--lens"]
    assert run(app, [*words, "Old 50mm"]).exit_code == 0
    frame = with_calibration(read_frame(path), path)
    assert frame.psf is not None and frame.psf.center[1] == pytest.approx(0.9, rel=0.05)
    assert "(calibrated)" in run(app, ["info", str(path), "--no-defects"]).stdout
    found = find_calibration(CAMERA, "")
    assert (
        found is not None and found.psf_for("Old 50mm") is None
    )  # of that name, but told by the file: another
    assert run(app, [*words, "Old 85mm"]).exit_code == 0
    frame = with_calibration(read_frame(path), path)
    assert frame.psf is None
    assert any("Old 50mm, Old 85mm" in note for note in frame.notes)


def test_a_lens_that_the_file_names_itself_has_no_other_name(
    make_dng: MakeDng, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_dng("chart.dng", light=chart(300, 400, 0.9), wb=(1.0, 1.0, 1.0))
    named = replace(read_frame(path), lens="EF50mm")
    monkeypatch.setattr(calibrated, "read_frame", lambda _: named)
    result = run(app, ["calibrate", "psf", str(path), "--camera", CAMERA, "--lens", "Old 50mm"])
    assert result.exit_code == 2 and "leave --lens out" in result.stderr and "EF50mm" in result.stderr
    assert run(app, ["calibrate", "psf", str(path), "--camera", CAMERA]).exit_code == 0
    found = find_calibration(CAMERA, "")
    assert found is not None and found.psf_for("EF50mm") is not None and found.psf_for("") is None


def test_a_chart_without_edges_is_refused(make_dng: MakeDng) -> None:
    path = make_dng("flat.dng", light=np.full((200, 200, 3), 0.3, np.float32))
    result = run(app, ["calibrate", "psf", str(path), "--camera", CAMERA])
    assert result.exit_code == 2 and "slanted edges" in result.stderr
    assert all_calibrations() == []


def test_one_brightness_is_refused_and_nothing_is_kept(flats: list[str], tmp_path: Path) -> None:
    result = run(app, ["calibrate", "noise", flats[2], "--camera", CAMERA])
    assert result.exit_code == 2 and "darker and brighter" in result.stderr
    assert run(app, ["calibrate", "noise", flats[2], "--plot", "a.pdf"]).exit_code == 2
    assert run(app, ["calibrate", "noise", flats[2]]).exit_code == 2  # no serial number, no --camera
    assert run(app, ["calibrate", "noise", str(tmp_path / "none.dng")]).exit_code in (2, 3)
    assert all_calibrations() == []


def some_calibration(serial: str = "") -> Calibration:
    psf = PsfModel((0.8, 0.7, 0.9), (1.0, 0.9, 1.1), "calibrated")
    return Calibration(CAMERA, serial, psfs=(PsfCalibration("Lens 50mm", psf, 40, "2024-05-01"),))


def test_calibrations_are_listed_shown_and_forgotten() -> None:
    assert "No calibrations yet" in run(app, ["calibrate", "list"]).stdout
    write_calibration(some_calibration("123"))
    assert "Lens 50mm" in run(app, ["calibrate", "list"]).stdout
    assert "σ 0.70 px in the center, 0.90" in run(app, ["calibrate", "show", "synthetic"]).stdout
    assert json.loads(run(app, ["calibrate", "show", "123", "--json"]).stdout)["serial"] == "123"
    assert run(app, ["calibrate", "forget", "nobody"]).exit_code == 2
    assert run(app, ["calibrate", "forget", "123"]).exit_code == 0
    assert all_calibrations() == []


def test_what_is_kept_comes_back(flats: list[str]) -> None:
    assert run(app, ["calibrate", "noise", *flats, "--camera", CAMERA]).exit_code == 0
    made = find_calibration(CAMERA, "")
    assert made is not None
    path = write_calibration(replace(made, psfs=some_calibration().psfs))
    assert read_calibration(path) == replace(made, psfs=some_calibration().psfs)


def test_a_damaged_calibration_costs_only_itself(make_dng: MakeDng) -> None:
    path = make_dng()
    frame = read_frame(path)
    assert with_calibration(frame, path) is frame and calibration_digest(path, CAMERA) == ""
    write_calibration(some_calibration())
    before = calibration_digest(path, CAMERA)
    path_of(CAMERA, "").write_text('{"version": 1, "camera": "x"}')
    assert before != calibration_digest(path, CAMERA) != ""
    assert any("calibration was left out" in note for note in with_calibration(frame, path).notes)
    with pytest.raises(SettingsError, match="damaged"):
        all_calibrations()
    text = write_calibration(some_calibration()).read_text()
    path_of(CAMERA, "").write_text(text.replace("0.7", "NaN", 1))
    assert any("calibration was left out" in note for note in with_calibration(frame, path).notes)
