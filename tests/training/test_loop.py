"""A run trains, logs, and goes on from where it was stopped."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from rawfix.training import demosaic, loop  # noqa: E402
from rawfix.training.config import NetworkConfig, TrainConfig  # noqa: E402
from rawfix.training.linear import fit_bank  # noqa: E402
from rawfix.training.loop import learning_rate, train  # noqa: E402
from rawfix.training.weights import commits_of, load_initial  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]

CONFIG = TrainConfig(
    steps=10,
    batch=2,
    patch=48,
    network=NetworkConfig(widths=(8, 8, 8), demosaicers=2, bank_kernel=3, verdict_width=8),
)


class Recorder:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.losses: dict[str, float] = {}
        self.scores: list[dict[str, float]] = []

    def step(self, step: int, progress: float, losses: dict[str, float]) -> None:
        self.steps.append(step)
        self.losses = losses
        assert 0 <= progress < 1

    def validation(self, step: int, scores: dict[str, float]) -> None:
        self.scores.append(scores)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*args: Any, **options: Any) -> Any:
        return fit_bank(*args, **{**options, "samples": 4000})

    monkeypatch.setattr(demosaic, "fit_bank", fit)


def run(folder: Path, pictures: Path, config: TrainConfig, **more: Any) -> tuple[dict[str, Any], Recorder]:
    recorder = Recorder()
    path = train(folder, pictures, config, reporter=recorder, **more)  # type: ignore[arg-type]
    return torch.load(path, weights_only=False), recorder


def test_a_run_resumes_from_its_checkpoint(tmp_path: Path, pictures: Path) -> None:
    first, recorder = run(tmp_path / "run", pictures, CONFIG)
    assert first["step"] == 10
    assert recorder.steps == list(range(1, 11))
    other_network = replace(CONFIG.network, demosaicers=5)
    second, recorder = run(tmp_path / "run", pictures, replace(CONFIG, steps=20, network=other_network))
    assert second["step"] == 20
    assert recorder.steps == list(range(11, 21))
    assert second["seconds"] > first["seconds"]
    assert TrainConfig.from_dict(second["config"]).network == CONFIG.network
    moved = [(first["ema"][k] != v).any() for k, v in second["ema"].items() if v.is_floating_point()]
    assert any(moved)
    assert all(math.isfinite(loss) for loss in recorder.losses.values())


def test_a_run_logs_and_draws_its_validation(tmp_path: Path, pictures: Path) -> None:
    state, recorder = run(tmp_path / "run", pictures, replace(CONFIG, steps=2))
    run(tmp_path / "run", pictures, replace(CONFIG, steps=3))
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 3]
    assert lines[0]["validation"] == recorder.scores[0]
    assert {"cpsnr", "cpsnr_defects", "recall", "noise_kept"} <= set(lines[0]["validation"])
    assert lines[0]["validation"]["cpsnr"] > 15
    assert (tmp_path / "run" / "validation.png").stat().st_size > 0
    assert set(state["pictures"]) | set(state["held_back"]) == {"0.png", "1.png", "2.png"}


def test_a_finished_run_is_not_trained_further(tmp_path: Path, pictures: Path) -> None:
    first, _ = run(tmp_path / "run", pictures, replace(CONFIG, steps=2))
    second, recorder = run(tmp_path / "run", pictures, replace(CONFIG, steps=2))
    assert not recorder.steps
    assert second["step"] == 2
    for name, value in first["ema"].items():
        torch.testing.assert_close(second["ema"][name], value, rtol=0, atol=0)


def test_a_run_may_start_from_given_weights(tmp_path: Path, pictures: Path) -> None:
    given, _ = run(tmp_path / "first", pictures, replace(CONFIG, steps=1))
    initial = load_initial(tmp_path / "first" / "checkpoint.pt")
    still = replace(CONFIG, steps=1, learning_rate=0.0)
    state, _ = run(tmp_path / "second", pictures, still, init=initial)
    assert state["earlier"] == {"steps": 1, "seconds": given["seconds"], "commits": given["commits"]}
    for name, value in given["ema"].items():
        torch.testing.assert_close(state["model"][name], value, rtol=0, atol=0)


def test_every_commit_that_trained_is_recorded_once(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(commit: str, folder: str, steps: int, **more: Any) -> dict[str, Any]:
        monkeypatch.setattr(loop, "current_commit", lambda: commit)
        return run(tmp_path / folder, pictures, replace(CONFIG, steps=steps), **more)[0]

    assert at("a", "first", 1)["commits"] == ["a"]
    idle = at("b", "first", 1)
    assert (idle["commit"], idle["commits"]) == ("a", ["a"])
    at("b", "first", 2)
    again = at("a", "first", 3)
    assert (again["commit"], again["commits"]) == ("a", ["a", "b"])
    initial = load_initial(tmp_path / "first" / "checkpoint.pt")
    state = at("c", "second", 1, init=initial)
    assert (state["commits"], state["earlier"]["commits"]) == (["c"], ["a", "b"])
    resumed = at("b", "second", 2)
    assert (resumed["commits"], resumed["earlier"]["commits"]) == (["c", "b"], ["a", "b"])
    assert commits_of(resumed) == ["a", "b", "c"]

    # A checkpoint from before commits were listed.
    del resumed["commits"], resumed["earlier"]["commits"]
    torch.save(resumed, tmp_path / "second" / "checkpoint.pt")
    assert load_initial(tmp_path / "second" / "checkpoint.pt").commits == ("b",)
    assert at("d", "second", 3)["commits"] == ["b", "d"]


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth() -> None:
    config = TrainConfig(learning_rate=1.0, warmup=0.1)
    assert learning_rate(config, 0.0) == 0
    assert learning_rate(config, 0.05) == pytest.approx(0.5)
    assert learning_rate(config, 0.1) == pytest.approx(1)
    assert learning_rate(config, 0.55) == pytest.approx(0.505)
    assert learning_rate(config, 1.0) == pytest.approx(0.01)
    assert learning_rate(config, 1.2) == pytest.approx(0.01)


@pytest.mark.parametrize("family", ["quad", "xtrans", "rgbir4"])
def test_another_filter_array_starts_from_a_bayer_trunk(family: str, tmp_path: Path, pictures: Path) -> None:
    state, _ = run(tmp_path / "bayer", pictures, replace(CONFIG, steps=2))
    config = replace(CONFIG, steps=1, learning_rate=0.0, network=replace(CONFIG.network, cfa=family))
    grafted, _ = run(
        tmp_path / family, pictures, config, init=load_initial(tmp_path / "bayer" / "checkpoint.pt")
    )
    for name in ("unet.enc0.first.weight", "unet.down2.bias", "unet.dec0.first.weight"):
        torch.testing.assert_close(grafted["model"][name], state["ema"][name])
    assert grafted["model"]["unet.head.weight"].shape != state["ema"]["unet.head.weight"].shape
    assert grafted["validation"]["cpsnr"] > 12
