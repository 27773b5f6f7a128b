"""Restoration and super-resolution learn from demosaicers that fit them, and refuse others in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from typer.testing import CliRunner  # noqa: E402

from rawfix.training.__main__ import app  # noqa: E402
from rawfix.training.config import NetworkConfig, RestoreConfig, TrainConfig  # noqa: E402
from rawfix.training.demosaicers import open_demosaicers  # noqa: E402
from rawfix.training.networks import build  # noqa: E402

pytestmark = pytest.mark.torch


def checkpoint(network: NetworkConfig | RestoreConfig, path: Path) -> str:
    task = "demosaic" if isinstance(network, NetworkConfig) else "restore"
    config = TrainConfig(task=task, network=network).to_dict()
    torch.save({"config": config, "ema": build(network).state_dict(), "step": 0, "seconds": 0.0}, path)
    return str(path)


def small(cfa: str) -> NetworkConfig:
    return NetworkConfig(cfa, widths=(8, 8, 8), demosaicers=1, verdict_width=8, bank_kernel=3)


def test_they_come_frozen_and_in_order(tmp_path: Path) -> None:
    models = tuple(checkpoint(small(cfa), tmp_path / f"{cfa}.pt") for cfa in ("xtrans", "bayer"))
    found = open_demosaicers(TrainConfig(patch=48, demosaic=models), "cpu")
    assert [network.cfa.name for network in found] == ["xtrans", "bayer"]
    assert not any(network.training for network in found)
    assert not any(weight.requires_grad for network in found for weight in network.parameters())
    assert open_demosaicers(TrainConfig(), "cpu") == []


@pytest.mark.parametrize("task", ["restore", "upscale"])
@pytest.mark.parametrize(
    ("model", "patch", "says"),
    [
        ("rgbir2", 48, "a.pt: does not demosaic three colors; name a demosaicing model without infrared"),
        ("xtrans", 64, "a.pt demosaics xtrans; give a multiple of 24"),
        ("restore", 48, "a.pt: does not demosaic three colors"),
        ("missing", 48, "a.pt: there is none; give a model's folder or the checkpoint.pt of a run"),
        ("text", 48, "a.pt: not a checkpoint; give the checkpoint.pt of a run"),
        ("odd text", 48, "a.pt: not a checkpoint; give the checkpoint.pt of a run (it is no archive)"),
        ("folder", 48, "manifest.json: No such file"),
    ],
)
def test_one_that_does_not_fit_is_refused_in_one_line(
    task: str, model: str, patch: int, says: str, pictures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.pt"
    if model.endswith("text"):
        path.write_text("text" if model == "odd text" else "no checkpoint")
    elif model == "folder":
        path.mkdir()
    elif model != "missing":
        checkpoint(RestoreConfig((8, 8, 8)) if model == "restore" else small(model), path)
    words = ["train", "--task", task, "--run", tmp_path / "run", "--data", pictures, "--demosaic", path]
    tier = ["--tier", "fast", "--patch", patch, "--steps", 1, "--threads", 1]
    done = CliRunner().invoke(app, [str(word) for word in (*words, *tier)])
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
