"""The commands on bursts say what they did, and refuse in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from rawfix.cfa import CANONICAL
from rawfix.io.raw import read_raw
from rawfix.training.__main__ import app
from rawfix.training.burst_bundle import Levels, open_bundle, write_bundle

pytestmark = pytest.mark.torch

SCRIPT = Path(__file__).parents[2] / "scripts" / "bundle_burst.py"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    level = np.linspace(1000, 8000, 48) * np.ones((40, 1))
    brightness = np.where(np.arange(8) == 5, 1.2, 1.0)
    frames = (np.rint(rng.normal(512 + b * level, 40)).astype(np.uint16) for b in brightness)
    darks = (np.rint(rng.normal(512, 8, (40, 48))).astype(np.uint16) for _ in range(8))
    levels = Levels(
        np.full((1, 1), 512, np.float32),
        np.full(3, 16383, np.float32),
        np.array((4, 1), np.float32),
        CANONICAL["bayer"],
    )
    path = tmp_path / "burst.npz"
    write_bundle(path, frames, darks, levels)
    return path


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_burst_writes_truth_and_tells_what_it_dropped(bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "truth.npz"
    code, out, _ = call("burst", "--bundle", bundle, "--output", output)
    assert code == 0
    told = json.loads(out)
    assert (told["frames"], told["dark_frames"]) == (8, 8)
    assert 5 in told["dropped"]
    with np.load(output) as truth:
        assert set(truth.files) == {"signal", "bad", "kept", "scales", "gains"}
        known = np.linspace(1000, 8000, 48) / (16383 - 512)
        np.testing.assert_allclose(truth["signal"].mean(0), known, atol=0.004)
        assert not truth["kept"][5]
    code, _, err = call("burst", "--bundle", bundle, "--output", output)
    assert code == 2
    assert "exists already" in err
    assert call("burst", "--bundle", bundle, "--output", output, "--overwrite")[0] == 0


def test_a_lower_threshold_finds_more(bundle: Path, tmp_path: Path) -> None:
    bad = []
    for threshold in (0, 16):
        _, out, _ = call(
            "burst", "--bundle", bundle, "--output", tmp_path / f"{threshold}.npz", "--threshold", threshold
        )
        bad.append(json.loads(out)["bad"])
    assert bad[0] == 0
    assert bad[1] > 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bundle", "none.npz", "--output", "t.npz"), "none.npz: there is no such bundle"),
        (("--bundle", "none.npz", "--output", "t.tif"), "truth is an .npz file"),
        (("--bundle", "none.npz", "--output", "t.npz", "--confidence", "1.5"), "between 0 and 1"),
    ],
)
def test_burst_refuses_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    code, out, err = call("burst", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_noise_trains_and_prints_moments(bundle: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, out, _ = call(
        "noise", "--run", run, "--bundle", bundle, "--steps", 2, "--patch", 32, "--threads", 1
    )
    assert code == 0
    told = json.loads(out)
    assert Path(told["checkpoint"]).is_file()
    (moments,) = told["moments"]
    assert moments["gains"] == [4, 1]
    assert set(moments["real"]) == set(moments["generated"]) == set(moments["gaussian"])
    assert moments["real"]["variance_dark"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--patch", "30"), "multiple of 8"),
        (("--patch", "64"), "side of 40"),
        (("--steps", "-1"), "not negative"),
    ],
)
def test_noise_refuses_in_one_line(
    bundle: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = call("noise", "--run", tmp_path / "run", "--bundle", bundle, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("rawfix.training:") == 1


def test_training_refuses_what_is_no_noise_generator(pictures: Path, tmp_path: Path) -> None:
    code, _, err = call(
        "train", "--run", tmp_path / "run", "--data", pictures, "--noise", tmp_path / "none.pt", "--steps", 1
    )
    assert code == 2
    assert "no such checkpoint of a noise generator" in err


@pytest.fixture
def script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs the script that bundles RAW files: exit code, stderr."""
    spec = spec_from_file_location("bundle_burst", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["bundle_burst.py", *(str(a) for a in arguments)])
        code: int = module.main()
        return code, capsys.readouterr().err

    return run


Script = Callable[..., tuple[int, str]]


def test_raw_files_become_a_bundle(make_dng: Callable[..., Path], tmp_path: Path, script: Script) -> None:
    frames = [make_dng(f"{i}.dng", iso=400) for i in range(3)]
    output = tmp_path / "burst.npz"
    assert script(*frames, "--dark", frames[0], "--output", output) == (0, "")
    opened = open_bundle(output)
    assert (opened.frames, opened.dark_frames) == (3, 1)
    assert opened.levels.gains.tolist() == [4, 1]
    np.testing.assert_array_equal(next(opened.mosaics()), read_raw(frames[0]).mosaic)
    code, err = script(*frames, "--output", output)
    assert code == 2
    assert "exists already" in err


def test_what_does_not_belong_to_the_burst_is_refused(
    make_dng: Callable[..., Path], tmp_path: Path, script: Script
) -> None:
    first, faster = make_dng("a.dng"), make_dng("b.dng", iso=800)
    output = tmp_path / "b.npz"
    for others, message in (
        ((), "two frames"),
        ((tmp_path / "none.dng",), "none.dng"),
        ((faster,), "ISO 800.0 differs"),
    ):
        code, err = script(first, *others, "--output", output)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1
        assert not output.exists()
