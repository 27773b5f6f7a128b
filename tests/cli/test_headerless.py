"""Mosaics without a RAW container on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import exiv2
import numpy as np
import pytest
import tifffile

from rawfix.cfa import CANONICAL
from rawfix.cli.headerless import check_facts, facts_of
from rawfix.errors import SettingsError
from tests.conftest import scene

pytestmark = pytest.mark.models
NOTHING = dict.fromkeys(
    ("cfa", "size", "black", "white", "byte_order", "packing", "matrix", "input_bits", "wb", "bits", "format")
)
DESCRIBED = ["--cfa", "RGGB", "--size", "96x80", "--black", "64", "--white", "4000"]


def rawfix(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from rawfix.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def told_of(source: Path, *words: object) -> dict[str, Any]:
    """The line that speaks of the file."""
    done = rawfix("develop", source, *words, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return next(line for line in lines if "source" in line)


@pytest.fixture
def headerless(tmp_path: Path) -> Path:
    mosaic = CANONICAL["bayer"].shift(0, 1).mosaic(scene(80, 96))
    (64 + mosaic / 1.2 * 3900).astype("<u2").tofile(tmp_path / "a.raw")
    return tmp_path / "a.raw"


def test_a_described_mosaic_develops(headerless: Path) -> None:
    done = rawfix("develop", headerless, *DESCRIBED, "--bits", 12, "--wb", "1.1,1,1.2")
    assert done.returncode == 0, done.stderr
    image = tifffile.imread(headerless.with_suffix(".tif"))
    assert image.shape == (80, 96, 3)
    assert image.dtype == np.uint16
    assert "cannot be read" not in done.stderr


def test_a_dng_of_it_says_how_it_was_made(headerless: Path) -> None:
    words = [*DESCRIBED, "--wb", "2,1,1.5", "--format", "dng", "--quality", "fast"]
    done = rawfix("develop", headerless, *words, "--upscale", 2, "--detail", 1, "--seed", 5)
    assert done.returncode == 0, done.stderr
    image = exiv2.ImageFactory.open(str(headerless.with_name("a-rawfix.dng")))
    image.readMetadata()
    said = {datum.key(): datum.toString() for datum in image.xmpData()}
    assert "upscale-x2-camera-fast sha256:" in said["Xmp.rawfix.Models"]
    assert (said["Xmp.rawfix.Detail"], said["Xmp.rawfix.Seed"]) == ("1.0", "5")
    assert said["Xmp.iptcExt.DigitalSourceType"].endswith("algorithmicallyEnhanced")


def test_a_given_white_balance_is_the_light_of_the_mosaic(headerless: Path) -> None:
    words = [headerless, *DESCRIBED, "--input-bits", 12, "--wb", "2.2,1.1,1.65"]
    told = told_of(*words, "--bits", 8)
    assert told["wb"] == pytest.approx([2.0, 1.0, 1.5])
    assert tifffile.imread(headerless.with_suffix(".tif")).dtype == np.uint8
    facts = json.loads(rawfix("info", *words, "--no-defects", "--json").stdout)
    assert facts["wb"] == [2.0, 1.0, 1.5]


def test_info_reads_it_by_its_toml(headerless: Path) -> None:
    headerless.with_suffix(".toml").write_text('cfa = "RGGB"\nsize = "96x80"\nbits = 12\nblack = 64\n')
    done = rawfix("info", headerless, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["cfa"] == {"name": "bayer", "pattern": ["RG", "GB"]}
    assert (facts["width"], facts["height"], facts["black"], facts["white"]) == (96, 80, [64.0], [4095.0] * 3)
    assert facts["bad_pixels"] is not None


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("develop", [], 5), ("info", [], 5), ("develop", ["--cfa", "purple"], 2), ("info", ["--wb", "daylight"], 2),
        ("develop", [*DESCRIBED[:3], "96x81", "--bits", "12"], 5),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_told_in_one_line(
    headerless: Path, command: str, words: list[str], code: int
) -> None:
    done = rawfix(command, headerless, *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done
    assert not headerless.with_suffix(".tif").exists()


@pytest.mark.parametrize("wb", ["2,1,1", "auto"])
@pytest.mark.parametrize(
    "described", [{"cfa": "RGGB"}, {"bits": 12}, {"input_bits": 8}, {"matrix": "1,0,0,0,1,0,0,0,1"}]
)
def test_a_description_without_a_mosaic_is_a_mistake(described: dict[str, object], wb: str) -> None:
    facts = facts_of(NOTHING | {"wb": wb} | described)
    with pytest.raises(SettingsError, match="no input is one"):
        check_facts(facts, [Path("a.dng")], wb_is_look=True)
    check_facts(facts, [Path("a.dng"), Path("b.raw")], wb_is_look=True)


def test_a_look_is_no_description() -> None:
    facts = facts_of(NOTHING | {"wb": "2,1,1", "bits": 16})
    check_facts(facts, [Path("a.dng")], wb_is_look=True)
    with pytest.raises(SettingsError, match="no input is one"):
        check_facts(facts, [Path("a.dng")], wb_is_look=False)


def test_two_words_for_the_bits_must_agree() -> None:
    with pytest.raises(SettingsError, match="contradict"):
        facts_of(NOTHING | {"bits": 12, "input_bits": 14})
    assert facts_of(NOTHING | {"bits": 12, "input_bits": 12}).bits == 12
    assert facts_of(NOTHING | {"bits": 16, "input_bits": 12}).bits == 12


def test_an_output_whose_description_has_changed_is_stale(headerless: Path) -> None:
    assert told_of(headerless, *DESCRIBED, "--bits", 12)["status"] == "done"
    again = told_of(headerless, *DESCRIBED, "--bits", 12, "--dry-run")
    other = told_of(headerless, *DESCRIBED, "--bits", 13, "--dry-run")
    headerless.with_suffix(".toml").write_text("wb = [2, 1, 1]")
    beside = told_of(headerless, *DESCRIBED, "--bits", 12, "--dry-run")
    assert [told["action"] for told in (again, other, beside)] == ["unchanged", "refuse", "refuse"]
    assert "description" in other["reason"]
