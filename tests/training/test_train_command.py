"""What training refuses before it reads a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from typer.testing import CliRunner

from rawfix.training.__main__ import app

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--task", "guess"), "--task guess: there is demosaic, restore, upscale"),
        (("--tier", "none"), "--tier none: there is"),
        (("--task", "restore"), "--task restore needs --demosaic"),
        (("--demosaic", "a.pt"), "--task demosaic does not take it"),
        (("--scale", "3"), "give 2 or 4"),
        (("--task", "upscale", "--tier", "fast", "--fidelity", "0"), "--fidelity 0.0: a weight is above 0"),
        (("--hard", "1.5"), "--hard 1.5: a share lies between 0 and 1"),
        (("--optimizer", "sgd"), "--optimizer sgd: there is muon, adam"),
        (("--patch", "32"), "give a multiple of 8, 48 or more"),
    ],
)
def test_training_refuses_in_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    asked = ["train", "--run", str(tmp_path / "run"), "--data", str(tmp_path), *words]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 2
    assert says in found.stderr
    assert found.stderr.count("rawfix.training:") == 1
    assert not (tmp_path / "run").exists()
