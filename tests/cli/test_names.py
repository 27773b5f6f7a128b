"""Files whose names are no UTF-8, or hold what drives a terminal, are developed as any other."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from rawfix.errors import OutputError
from rawfix.io.atomic import check_target
from rawfix.io.read import read_frame
from tests.batch.crowd import make_dngs, rawfix, visible

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names"),
]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A DNG whose name is no UTF-8."""
    (plain,) = make_dngs(tmp_path / "in", 1)
    return plain.rename(plain.with_name(os.fsdecode(b"bad\xff.dng")))


@pytest.mark.parametrize("format", ["tiff", "dng", "exr", "jpeg", "png"])
def test_a_name_that_is_no_utf_8_is_developed(odd: Path, tmp_path: Path, format: str) -> None:
    sides = ("--save-stages", tmp_path / "stages", "--bad-map", tmp_path / "bad", "--save-maps")
    more = () if format == "dng" else ("--report", tmp_path / "page.html", *sides)
    done = rawfix("develop", odd, "-o", tmp_path / "out", "--format", format, "--json", *more)
    assert done.returncode == 0 and not done.stderr, done.stderr
    event = json.loads(done.stdout.splitlines()[1])
    assert event["source"].endswith("bad\\xff.dng") and not event["notes"], event
    assert len(visible(tmp_path / "out")) == (1 if format == "dng" else 2)


def test_it_is_read_as_under_any_other_name(odd: Path, tmp_path: Path) -> None:
    (same,) = make_dngs(tmp_path / "same", 1)
    ours, theirs = read_frame(odd), read_frame(same)
    assert (ours.mosaic == theirs.mosaic).all() and ours.camera == theirs.camera and ours.iso == theirs.iso


def test_a_folder_that_is_no_utf_8_is_refused_for_outputs(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"dir\xff")
    folder.mkdir()
    with pytest.raises(OutputError, match="not UTF-8"):
        check_target(folder / "a.tif", overwrite=False)


def test_a_name_of_two_lines_is_told_in_one(tmp_path: Path) -> None:
    (plain,) = make_dngs(tmp_path / "in", 1)
    done = rawfix("develop", plain.rename(plain.with_name("a\n\x1b[31mb.dng")))
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    assert r"a\n\x1b[31mb.dng" in done.stdout and "\x1b" not in done.stdout
