"""The command line as a script meets it: exit codes, one line for a refusal, whole outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from rawfix.batch.journal import NAME as JOURNAL

pytestmark = pytest.mark.models
MakeDng = Callable[..., Path]


def rawfix(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rawfix", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def names(folder: Path) -> list[str]:
    """What a user sees in a folder; the journal is hidden."""
    return sorted(path.name for path in folder.iterdir() if path.name != JOURNAL)


def test_develop_writes_a_16_bit_tiff_beside_the_input(make_dng: MakeDng, tmp_path: Path) -> None:
    done = rawfix("develop", make_dng())
    assert done.returncode == 0, done.stderr
    image = tifffile.imread(tmp_path / "a.tif")
    assert image.dtype == np.uint16 and image.shape == (160, 192, 3)
    assert names(tmp_path) == ["a.dng", "a.tif"]


@pytest.mark.parametrize(
    ("format", "suffix", "bits"), [("png", ".png", 16), ("png", ".png", 8), ("jpeg", ".jpg", 8)]
)
def test_other_formats(make_dng: MakeDng, tmp_path: Path, format: str, suffix: str, bits: int) -> None:
    done = rawfix(
        "develop", make_dng(), "-o", tmp_path / "new" / "folder", "--format", format, "--bits", bits
    )
    assert done.returncode == 0, done.stderr
    with Picture.open(tmp_path / "new" / "folder" / f"a{suffix}") as picture:
        assert picture.size == (192, 160)


def test_nothing_is_overwritten_without_being_asked(make_dng: MakeDng, tmp_path: Path) -> None:
    source = make_dng()
    (tmp_path / "a.tif").write_bytes(b"precious")
    refused = rawfix("develop", source)
    assert refused.returncode == 5
    assert refused.stderr.count("\n") == 1 and "--overwrite" in refused.stderr
    assert rawfix("develop", source, "--skip-existing").returncode == 0
    assert (tmp_path / "a.tif").read_bytes() == b"precious"
    assert rawfix("develop", source, "--overwrite").returncode == 0
    assert tifffile.imread(tmp_path / "a.tif").shape == (160, 192, 3)


def test_a_broken_file_does_not_stop_the_others(make_dng: MakeDng, tmp_path: Path) -> None:
    good = make_dng()
    broken = tmp_path / "broken.dng"
    broken.write_bytes(good.read_bytes()[:3000])
    done = rawfix("develop", broken, good, tmp_path / "missing.cr2", "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 2
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["run", "file", "file", "file", "summary"]
    assert [event["status"] for event in events[1:-1]] == ["failed", "done", "failed"]
    assert names(tmp_path) == ["a.dng", "a.tif", "broken.dng"]


def test_exit_codes(make_dng: MakeDng, tmp_path: Path) -> None:
    source = make_dng()
    assert rawfix("develop", tmp_path / "*.nef").returncode == 3
    assert rawfix("develop", tmp_path / "missing.nef").returncode == 5
    for words in (
        ["--denoise", "-1.5"],
        ["--deblur", "11"],
        ["--space", "cmyk"],
        ["--bits", "12"],
        ["--tile", "3"],
        ["--name", "{nonsense}"],
        ["--wb", "purple"],
        ["--denoise", "nan"],
    ):
        done = rawfix("develop", source, *words)
        assert done.returncode == 2 and "Traceback" not in done.stderr, (words, done)
        assert len(done.stderr.splitlines()) == 1, done.stderr
    assert rawfix("develop").returncode == 2
    assert not list(tmp_path.glob("*.tif"))


def test_two_inputs_never_share_an_output(make_dng: MakeDng, tmp_path: Path) -> None:
    first = make_dng("a.dng")
    (tmp_path / "sub").mkdir()
    second = make_dng("sub/a.dng")
    done = rawfix("develop", first, second, "-o", tmp_path / "out")
    assert done.returncode == 2 and "both be written" in done.stderr
    assert (
        rawfix("develop", first, second, "-o", tmp_path / "out", "--name", "{stem}-{seq:04}").returncode == 0
    )
    assert names(tmp_path / "out") == ["a-0001.tif", "a-0002.tif"]


def test_name_template_knows_the_file(make_dng: MakeDng, tmp_path: Path) -> None:
    done = rawfix("develop", make_dng(iso=400), "-o", tmp_path / "out", "--name", "{camera}_{iso}_{stem}")
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "out") == ["rawfix Synthetic_400_a.tif"]


def test_bad_map_and_stages(make_dng: MakeDng, tmp_path: Path) -> None:
    done = rawfix(
        "develop", make_dng(), "--bad-map", tmp_path / "bad.png", "--save-stages", tmp_path / "stages"
    )
    assert done.returncode == 0, done.stderr
    with Picture.open(tmp_path / "bad.png") as picture:
        assert picture.size == (192, 160) and set(np.unique(np.asarray(picture))) <= {0, 255}
    assert names(tmp_path / "stages") == ["a-camera.tif", "a-working.tif"]


def test_info_tells_what_the_file_holds(make_dng: MakeDng) -> None:
    done = rawfix("info", make_dng(iso=1600, pattern="GB/RG"), "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["cfa"] == {"name": "bayer", "pattern": ["GB", "RG"]}
    assert facts["iso"] == 1600 and facts["noise"]["source"] == "file" and facts["bad_pixels"] is not None
    table = rawfix("info", make_dng("b.dng"))
    assert table.returncode == 0 and "filter array" in table.stdout


def test_models_and_doctor() -> None:
    verified = rawfix("models", "--verify", "--json")
    assert verified.returncode == 0 and json.loads(verified.stdout.splitlines()[0])["difference"] < 1e-3
    plain = rawfix("models", "--verify").stdout.splitlines()
    for line, told in zip(plain, map(json.loads, verified.stdout.splitlines()), strict=True):
        assert {told["id"], told["contract"], told["sha256"]} <= set(line.split()) and "passed" in line
    healthy = rawfix("doctor", "--json")
    assert healthy.returncode == 0 and json.loads(healthy.stdout)["ok"] is True


def test_a_damaged_model_is_exit_4(
    make_dng: MakeDng, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from rawfix.nn.manifest import models_root

    shutil.copytree(models_root(), tmp_path / "models")
    with (tmp_path / "models/demosaic-bayer-standard/model.onnx").open("ab") as graph:
        graph.write(b"x")
    monkeypatch.setenv("RAWFIX_MODELS", str(tmp_path / "models"))
    done = rawfix("develop", make_dng())
    assert done.returncode == 4 and "sha256" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "a.tif").exists()


@pytest.mark.parametrize("words", [(), ("--denoise", "1"), ("--save-maps",)])
def test_missing_networks_are_code_4(
    make_dng: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("RAWFIX_MODELS", str(tmp_path / "models"))
    source = make_dng()
    done = rawfix("develop", source, *words)
    assert (
        done.returncode == 4 and "install rawfix again" in done.stderr and len(done.stderr.splitlines()) == 1
    )
    assert rawfix("sweep", source, "--denoise", "0,1").returncode == 4


def test_what_is_named_in_vain_is_told_and_counts(make_dng: MakeDng, tmp_path: Path) -> None:
    source, empty = make_dng(), tmp_path / "empty"
    empty.mkdir()
    done = rawfix("develop", source, tmp_path / "miss*.dng", empty, "--json")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 2, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == 1 and "a.tif" in names(tmp_path)
    alone = rawfix("develop", empty)
    assert alone.returncode == 3 and "is a folder without RAW files" in alone.stderr
    assert rawfix("info", source, tmp_path / "miss*.dng").returncode == 1
