"""Super-resolution is measured by the literature's protocol and the camera's, from one end of the knob to the other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

torch = pytest.importorskip("torch")

from typer.testing import CliRunner  # noqa: E402

from rawfix.physics.light import draw_light  # noqa: E402
from rawfix.training.__main__ import app  # noqa: E402
from rawfix.training.config import NetworkConfig, TrainConfig, UpscaleConfig  # noqa: E402
from rawfix.training.evaluation import enlarging  # noqa: E402
from rawfix.training.evaluation.enlarging import psnr_y  # noqa: E402
from rawfix.training.evaluation.knob_plot import draw_knob  # noqa: E402
from rawfix.training.evaluation.tables import to_markdown  # noqa: E402
from rawfix.training.networks import build  # noqa: E402
from rawfix.training.networks.upscale import UpscaleNetwork  # noqa: E402

pytestmark = pytest.mark.torch
CONFIG = TrainConfig(task="upscale", tier="tiny", network=UpscaleConfig(width=6))


def photo(seed: int = 0) -> np.ndarray:
    light = np.clip(draw_light(111, 133, np.random.default_rng(seed)), 0, 1) ** 0.45
    return np.rint(light * 255).astype(np.uint8)


def demosaicer(folder: Path) -> Path:
    """A checkpoint of a demosaicing network that has learned nothing."""
    config = TrainConfig(
        network=NetworkConfig(demosaicers=2, widths=(4, 4, 4), blocks=(1,) * 5, verdict_width=4)
    )
    state = {"ema": build(config.network).state_dict(), "config": config.to_dict(), "step": 0, "seconds": 0.0}
    torch.save(state, folder / "demosaic.pt")
    return folder / "demosaic.pt"


def generator(scale: int = 2, *, lively: bool = True) -> UpscaleNetwork:
    assert isinstance(CONFIG.network, UpscaleConfig)
    torch.manual_seed(0)
    model = UpscaleNetwork(replace(CONFIG.network, scale=scale))
    with torch.no_grad():
        for parameter in model.parameters() if lively else ():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("scale", [2, 4])
def test_figures_fall_from_least_error_and_the_guard_holds_them_to_the_input(
    scale: int, tmp_path: Path
) -> None:
    for seed in range(2):
        Picture.fromarray(photo(seed)).save(tmp_path / f"{seed}.png")
    stored: dict[str, Any] = {"held_back": ["0.png"], "pictures": ["1.png"]}
    found = enlarging.evaluate(generator(scale), CONFIG, stored, tmp_path, "all")
    report = found[f"{tmp_path.name} ×{scale}"]
    assert (report["pictures"], report["trained_on"], report["scale"]) == (2, 1, scale)
    for protocol, figure in (("bicubic", "psnr_y"), ("camera", "psnr")):
        rows = report[protocol]
        assert set(rows) == {"bicubic", "Lanczos", *(f"detail {d:g}" for d in enlarging.DETAILS)}
        assert rows["detail 0"][figure] > rows["detail 1"][figure]
    assert report["bicubic"]["detail 0"]["consistency"] > 50
    assert report["bicubic"]["detail 1"]["consistency"] > 45
    assert report["camera"]["detail 1"]["consistency"] > 100
    card = to_markdown(found)
    assert f"×{scale}, bicubic protocol" in card
    assert "detail 0.25" in card


def test_an_untrained_network_with_the_guard_is_no_worse_than_bicubic(tmp_path: Path) -> None:
    Picture.fromarray(photo()).save(tmp_path / "0.png")
    stored: dict[str, Any] = {"held_back": ["0.png"], "pictures": []}
    rows = enlarging.evaluate(generator(lively=False), CONFIG, stored, tmp_path)["held_back ×2"]["bicubic"]
    assert rows["detail 0"]["psnr_y"] > rows["bicubic"]["psnr_y"]
    assert rows["detail 0"] == rows["detail 1"]


def test_pictures_through_a_mosaic_are_another_protocol(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    Picture.fromarray(photo()).save(folder / "0.png")
    stored: dict[str, Any] = {"held_back": ["0.png"], "pictures": []}
    found = enlarging.evaluate(generator(), CONFIG, stored, folder, demosaic=demosaicer(tmp_path))
    report = found["held_back ×2"]
    assert set(report["demosaiced"]) == set(report["camera"])
    assert report["demosaiced"]["Lanczos"]["psnr"] < report["camera"]["Lanczos"]["psnr"]
    assert report["demosaiced"]["detail 1"]["consistency"] > 100
    assert "demosaiced" in to_markdown(found)
    with pytest.raises(ValueError, match="does not demosaic"):
        state = {"config": CONFIG.to_dict(), "ema": generator().state_dict(), "step": 0, "seconds": 0.0}
        torch.save(state, tmp_path / "no.pt")
        enlarging.evaluate(generator(), CONFIG, stored, folder, demosaic=tmp_path / "no.pt")


def test_psnr_of_luma_is_the_literatures() -> None:
    truth = np.full((40, 40, 3), 100, np.uint8)
    wrong = truth.copy()
    wrong[..., 1] += 10
    assert psnr_y(wrong, truth, 4) == pytest.approx(20 * np.log10(255 / (10 * 128.553 / 255)))
    wrong[:4] = 255
    assert psnr_y(wrong, truth, 4) == pytest.approx(20 * np.log10(255 / (10 * 128.553 / 255)))


def test_the_plot_shows_every_method() -> None:
    rows = {f"detail {d}": {"psnr_y": 30 - d, "distance": 0.2 - 0.1 * d} for d in (0, 1)}
    without, whole = (
        np.asarray(draw_knob(r)) for r in (rows, rows | {"bicubic": {"psnr_y": 28.0, "distance": 0.3}})
    )
    assert without.shape == whole.shape
    assert (without != whole).any()


def test_the_command_measures_and_draws(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    Picture.fromarray(photo()).save(folder / "0.png")
    torch.save(
        {
            "config": CONFIG.to_dict(), "step": 0, "seconds": 0.0, "ema": generator().state_dict(),
            "pictures": [], "held_back": [], "hardware": "none",
        },
        tmp_path / "checkpoint.pt",
    )  # fmt: skip
    words = ["evaluate", "upscale", "--checkpoint", str(tmp_path / "checkpoint.pt"), "--data", str(folder)]
    words += [
        "--set",
        "all",
        "--pictures",
        str(tmp_path / "strips"),
        "--json",
        str(tmp_path / "figures.json"),
    ]
    done = CliRunner().invoke(app, [*words, "--threads", "1"])
    assert done.exit_code == 0, done.output
    assert "set ×2" in json.loads((tmp_path / "figures.json").read_text())
    assert (tmp_path / "strips" / "0.png").exists()
    missing = CliRunner().invoke(app, [*words, "--features", str(tmp_path / "none.npz")])
    assert missing.exit_code == 2
