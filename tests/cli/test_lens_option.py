"""``--lens-correction`` from the command line: recorded, refused, and never applied twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import exiv2
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from rawfix.batch.events import schema
from rawfix.cli import exit_codes
from rawfix.cli.app import app
from rawfix.frame import RawFrame
from rawfix.io import lensfun
from rawfix.io.dng_opcodes import parse
from tests.lens_files import LIST_2, LIST_3, dots, gain_map, vignette, warp, write_dng

jsonschema = pytest.importorskip("jsonschema")
SIZE = (120, 160)
PLACES = np.array([(40.0, 50.0), (60.0, 110.0), (90.0, 80.0)])
FLAT_MAP = gain_map(np.full((2, 2, 1), 1.3), SIZE)
BENT = warp((0.98, 0.04, 0, 0, 0, 0))
run = CliRunner()


@pytest.fixture
def source(tmp_path: Path, make_frame: Callable[..., RawFrame]) -> Path:
    frame = replace(make_frame(size=(64, 64)), wb=(1.0, 1.0, 1.0))
    lists = {LIST_2: [FLAT_MAP], LIST_3: [vignette(0.2, 0, 0, 0, 0), BENT]}
    return write_dng(tmp_path / "a.dng", frame, lists, dots(SIZE, PLACES))


@pytest.fixture
def plain(tmp_path: Path, make_frame: Callable[..., RawFrame]) -> Path:
    frame = replace(make_frame(size=(64, 64)), wb=(1.0, 1.0, 1.0))
    return write_dng(tmp_path / "plain.dng", frame, {}, dots(SIZE, PLACES))


def develop(source: Path, *more: str) -> tuple[int, list[dict[str, object]], str]:
    result = run.invoke(app, ["develop", str(source), "--json", *more])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def opcodes_in(path: Path) -> set[int]:
    with tifffile.TiffFile(path) as file:
        raw = file.pages[0].pages[0].aspage()
        found = [raw.tags.get(tag) for tag in (LIST_2, LIST_3)]
        return {opcode.number for tag in found if tag is not None for opcode in parse(bytes(tag.value))}


def test_what_was_done_stands_in_xmp_and_events(source: Path) -> None:
    code, events, _ = develop(source, "--lens-correction", "dng")
    assert code == exit_codes.DONE
    for event in events:
        jsonschema.validate(event, schema())
    file = next(event for event in events if event["event"] == "file")
    said = "dng: WarpRectilinear, FixVignetteRadial, GainMap"
    assert file["lens_correction"] == said
    assert file["settings"]["lens_correction"] == "dng"  # type: ignore[index]
    image = exiv2.ImageFactory.open(str(source.with_suffix(".tif")))
    image.readMetadata()
    assert image.xmpData()["Xmp.rawfix.LensCorrection"].toString() == said


def test_without_the_option_nothing_is_done_nor_recorded(source: Path) -> None:
    _, events, _ = develop(source)
    assert next(event for event in events if event["event"] == "file")["lens_correction"] is None
    assert b"rawfix:LensCorrection" not in source.with_suffix(".tif").read_bytes()


def test_a_dng_carries_what_was_not_applied_and_only_that(source: Path, tmp_path: Path) -> None:
    untouched, corrected, again = tmp_path / "u.dng", tmp_path / "c.dng", tmp_path / "d.dng"
    assert develop(source, "--format", "dng", "-o", str(untouched))[0] == exit_codes.DONE
    assert opcodes_in(untouched) == {1, 3, 9}
    assert (
        develop(source, "--format", "dng", "--lens-correction", "dng", "-o", str(corrected))[0]
        == exit_codes.DONE
    )
    assert opcodes_in(corrected) == set()
    assert (
        develop(corrected, "--format", "dng", "--lens-correction", "auto", "-o", str(again))[0]
        == exit_codes.DONE
    )
    np.testing.assert_array_equal(pixels(again), pixels(corrected))
    assert np.abs(pixels(corrected).astype(float) - pixels(untouched)).max() > 1000


def pixels(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        return np.asarray(file.pages[0].pages[0].aspage().asarray())


def test_a_dng_corrected_once_is_the_picture_corrected_once(source: Path, tmp_path: Path) -> None:
    """TIFF from the original with its corrections = TIFF from the corrected DNG without any."""
    look = ("--space", "camera", "--linear", "--tone", "none", "--bits", "32")
    direct, middle, round_about = tmp_path / "1.tif", tmp_path / "m.dng", tmp_path / "2.tif"
    develop(source, "--lens-correction", "dng", "-o", str(direct), *look)
    develop(source, "--lens-correction", "dng", "-o", str(middle), "--format", "dng")
    develop(middle, "-o", str(round_about), *look)
    np.testing.assert_allclose(tifffile.imread(round_about), tifffile.imread(direct), atol=3e-4)


def test_the_preview_of_a_dng_is_corrected_too(source: Path, tmp_path: Path) -> None:
    thumbnails = []
    for choice in ("off", "dng"):
        target = tmp_path / f"{choice}.dng"
        develop(source, "--format", "dng", "--lens-correction", choice, "-o", str(target))
        thumbnails.append(tifffile.imread(target).astype(float))
    assert np.abs(thumbnails[0] - thumbnails[1]).max() > 30


def test_what_is_asked_for_by_name_and_missing_is_one_line_and_code_5(plain: Path) -> None:
    code, _, error = develop(plain, "--lens-correction", "dng")
    assert code == exit_codes.ALL_FAILED
    assert error.count("\n") == 1 and "plain.dng" in error and "no lens corrections" in error
    assert not plain.with_suffix(".tif").exists()


def test_auto_develops_with_a_note(plain: Path) -> None:
    code, events, _ = develop(plain, "--lens-correction", "auto")
    file = next(event for event in events if event["event"] == "file")
    assert code == exit_codes.DONE and file["lens_correction"] is None
    assert sum("the lens was not corrected" in note for note in file["notes"]) == 1  # type: ignore[attr-defined]
    told = run.invoke(app, ["develop", str(plain), "--lens-correction", "auto", "--overwrite"]).stderr
    assert told.count("the lens was not corrected") == 1


def test_a_missing_library_is_a_matter_of_usage(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lensfun, "find_spec", lambda name: None)
    result = run.invoke(app, ["develop", str(plain), "--lens-correction", "lensfun"])
    assert result.exit_code == exit_codes.USAGE
    assert "rawfix[lens]" in result.stderr and result.stderr.count("\n") == 1


def test_an_unknown_choice_is_a_matter_of_usage(plain: Path) -> None:
    result = run.invoke(app, ["develop", str(plain), "--lens-correction", "yes"])
    assert result.exit_code == exit_codes.USAGE
    assert "off, auto, dng, lensfun" in result.stderr
