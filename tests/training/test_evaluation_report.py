"""``evaluate`` from the command line to the card: which pictures, which figures, which files, which refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from rawfix.nn.manifest import Manifest  # noqa: E402
from rawfix.training.__main__ import app  # noqa: E402
from rawfix.training.card import write_card  # noqa: E402
from rawfix.training.config import NetworkConfig, RestoreConfig, TrainConfig  # noqa: E402
from rawfix.training.data import load  # noqa: E402
from rawfix.training.evaluation import charts, grain, report, sets, strips, tables  # noqa: E402
from rawfix.training.export import export  # noqa: E402
from rawfix.training.networks import build  # noqa: E402
from rawfix.training.networks.demosaic import DemosaicNetwork  # noqa: E402
from tests.training.conftest import smooth_photo  # noqa: E402

pytestmark = pytest.mark.torch

NETWORK = NetworkConfig(widths=(8, 8, 8), demosaicers=2, bank_kernel=3)
CONFIG = TrainConfig(tier="tiny", network=NETWORK)
STORED = {"held_back": ["1.png"], "pictures": ["0.png", "2.png"], "config": CONFIG.to_dict()}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    state = {"ema": DemosaicNetwork(NETWORK).state_dict(), "step": 0, "seconds": 0.0, "hardware": "none"}
    torch.save(STORED | state, tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, words), "--threads", "1"])


def test_evaluate_measures_draws_and_files_every_section(
    checkpoint: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        (charts, "EDGE_SIDE"),
        (charts, "ZONE_SIDE"),
        (charts, "STAR_SIDE"),
        (grain, "SIDE"),
    ):
        monkeypatch.setattr(module, name, 96)
    figures, shots = tmp_path / "figures.json", tmp_path / "strips"
    figures.write_text(json.dumps({"mine": {"cpsnr": 1.5}, "charts": "stale"}))
    words = ["demosaic", "--checkpoint", checkpoint, "--data", pictures, "--json", figures]
    done = run(*words, "--pictures", shots)
    assert done.exit_code == 0, done.output
    first = json.loads(done.stdout)
    assert set(first) == {"held_back", "charts"}
    assert json.loads(figures.read_text()) == first | {"mine": {"cpsnr": 1.5}}
    held = first["held_back"]
    assert (held["pictures"], held["trained_on"], list(held["by_picture"])) == (1, 0, ["1.png"])
    ours = held["quality"]["rawfix"]
    # Nothing is trained, but the linear layers keep gray: it is a picture, and not a good one.
    assert 10 < ours["cpsnr_defects"] <= ours["cpsnr"] + 1 < 60
    assert 0 < ours["ssim"] < 1
    assert {"near_defects", "delta_e_2000", "zipper_percent", "false_color_percent"} <= set(ours)
    assert {"ISO 400", "ISO 25600"} <= set(held["noise"])
    assert set(held["detection"]["false_alarms_per_mp"]) == {"no noise", "ISO 100"}
    assert set(first["charts"]) == {"edges", "zone_plate", "stars", "gray_shift"}
    assert {path.name for path in shots.iterdir()} == {
        "1.png",
        "1-defects.png",
        "chart-zone-plate.png",
        "chart-stars.png",
    }
    text = tables.to_markdown(first)
    for words_of in ("### held_back", "| rawfix |", "hot (dark current", "MTF50", "zone plate", "σ 0.6 px"):
        assert words_of in text


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")
def test_a_model_s_folder_is_measured_as_its_checkpoint(
    checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    stored = torch.load(checkpoint, weights_only=False)
    draw = torch.Generator().manual_seed(0)
    for weight in stored["ema"].values():  # zeros would be left out of a graph
        if weight.is_floating_point():
            weight += 1e-3 * torch.randn(weight.shape, generator=draw)
    torch.save(stored, checkpoint)
    folder = export(checkpoint, tmp_path / "models")
    measured = []
    for path in (checkpoint, folder):
        done = run("demosaic", "--checkpoint", path, "--data", pictures, "--set", "all")
        assert done.exit_code == 0, done.output
        measured.append(json.loads(done.stdout)[pictures.name])
    of_run, of_model = measured
    assert of_model["trained_on"] is None
    assert of_model["quality"]["rawfix"]["cpsnr"] == pytest.approx(
        of_run["quality"]["rawfix"]["cpsnr"], abs=0.01
    )
    refused = run("demosaic", "--checkpoint", folder, "--data", pictures)
    assert refused.exit_code == 2 and "a model's folder does not tell its own" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["colorize"], "colorize: unknown task; there is demosaic, restore, upscale"),
        (["restore", "--peers"], "restore: --peers is for demosaic"),
        (["restore"], "of a run of demosaic, not restore; evaluate demosaic"),
        (["demosaic", "--set", "some"], "--set some: give validation or all"),
        (["demosaic", "--checkpoint", "absent.pt"], "absent.pt: no such checkpoint"),
        (["demosaic", "--checkpoint", "{data}/0.png"], "0.png: not a checkpoint"),
        (["demosaic", "--data", "nowhere"], "nowhere: no such folder"),
        (["demosaic", "--json", "{data}"], "is a folder"),
        (["demosaic", "--json", "{data}/0.png"], "0.png: holds no JSON"),
        (["demosaic", "--pictures", "{data}/0.png/strips"], "cannot be created"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_one_line(checkpoint: Path, pictures: Path, words: list[str], said: str) -> None:
    given = [word.format(data=pictures) for word in words]
    for option, value in (("--checkpoint", checkpoint), ("--data", pictures)):
        given += [] if option in given else [option, str(value)]
    done = run(*given)
    assert done.exit_code == 2, done.output
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_a_checkpoint_of_another_network_is_refused_in_one_line(pictures: Path, tmp_path: Path) -> None:
    torch.save(STORED | {"ema": {"strange": torch.zeros(1)}}, tmp_path / "other.pt")
    done = run("demosaic", "--checkpoint", tmp_path / "other.pt", "--data", pictures)
    assert done.exit_code == 2
    assert "other.pt: cannot be loaded" in done.stderr


def test_validation_is_what_the_run_held_back_and_all_is_all(pictures: Path) -> None:
    held, every = sets.find(pictures, "validation", STORED), sets.find(pictures, "all", STORED)
    assert (held.names, held.trained_on, held.title) == (("1.png",), 0, "held_back")
    assert (len(every.names), every.trained_on, every.title) == (3, 2, "pictures")
    assert [name for name, _ in every.some(2)] == ["0.png", "2.png"]
    np.testing.assert_array_equal(dict(every)["2.png"], smooth_photo(2))


def test_pictures_that_cannot_be_measured_are_said_to_be_missing(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--set all"):
        sets.find(pictures, "validation", STORED | {"held_back": ["elsewhere.png"]})
    small = tmp_path / "small"
    small.mkdir()
    Image.new("RGB", (20, 400)).save(small / "thin.png")
    with pytest.raises(FileNotFoundError, match="no pictures of 96 pixels"):
        sets.find(small, "all", STORED)
    (small / "broken.png").write_bytes(b"no picture")
    with pytest.raises(FileNotFoundError, match=r"broken\.png: not a picture"):
        sets.find(small, "all", STORED)
    (tmp_path / "broken.npz").write_bytes(b"PK no bundle")
    with pytest.raises(FileNotFoundError, match=r"broken\.npz: no bundle"):
        sets.find(tmp_path / "broken.npz", "all", STORED)


def test_a_bundle_is_measured_as_its_folder(pictures: Path, tmp_path: Path) -> None:
    from rawfix.training.data import pack

    pack(pictures, tmp_path / "bundle.npz", 50)
    found = sets.find(tmp_path / "bundle.npz", "all", STORED)
    assert found.title == "bundle"
    np.testing.assert_array_equal(dict(found)["0.png"], smooth_photo(0))


def test_the_hardest_crop_is_where_the_color_changes() -> None:
    photo = np.full((300, 400, 3), 128, np.uint8)
    photo[160:288, 240:368, 0] = np.random.default_rng(0).integers(0, 255, (128, 128))
    assert strips.hardest(photo, count=1) == [(160, 240)]
    first, second = strips.hardest(photo, count=2)
    assert abs(first[0] - second[0]) >= strips.SIDE or abs(first[1] - second[1]) >= strips.SIDE
    assert strips.hardest(photo[:60, :70], count=2) == [(0, 0)]


def test_a_strip_shows_each_method_twice_as_large() -> None:
    photo = smooth_photo(0)
    sheet = np.asarray(strips.strip({"truth": photo, "rawfix": photo}, [(8, 4)], side=32))
    assert sheet.shape == (strips.LABEL + 64, 2 * 64 + strips.GAP, 3)
    for left in (0, 64 + strips.GAP):
        crop = sheet[strips.LABEL :, left : left + 64]
        np.testing.assert_array_equal(crop[::2, ::2], photo[8:40, 4:36])
        np.testing.assert_array_equal(crop[1::2, 1::2], photo[8:40, 4:36])
    assert (sheet[: strips.LABEL] > 200).any()


def test_figures_are_plain_and_rounded() -> None:
    found = report.plain({"a": [np.float32(1.234567), np.inf], "b": {"c": np.nan}, "d": 3, "e": "text"})
    assert found == {"a": [1.235, None], "b": {"c": None}, "d": 3, "e": "text"}
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({}, "Not measured."),
        ({"cpsnr": 40.0}, "| cpsnr | 40 |"),
        ({"kodak": {"cpsnr": 40.687, "ssim": 0.987}}, "| cpsnr | 40.69 |"),
        ({"kodak": {"quality": {"rawfix": {"cpsnr": None}}}}, "| rawfix | – |"),
        ({"kodak": {"pictures": 3, "trained_on": 2}}, "2 of them were trained on"),
        ({"kodak": {"absent": ["RawTherapee: gone"]}}, "Not measured beside it: RawTherapee: gone."),
        (
            {
                "kodak": {
                    "detection": {"precision": {"all": 0.9, "hot": 0.75}, "flagged": {"all": 10, "hot": 4}}
                }
            },
            "| hot: by a quarter of white and more | 0.75 | 4 |",
        ),
        ({"kodak": {"detection": {"precision": {"all": 0.9}}}}, "0.9 of what was flagged had been planted."),
        ({"charts": {"gray_shift": {"ISO 100": 0.0002}}}, "0.0002 at ISO 100"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_tables_say_what_there_is(metrics: dict[str, Any], said: str) -> None:
    assert said in tables.to_markdown(metrics)


def manifest(task: str, metrics: dict[str, Any]) -> Manifest:
    """Of a model that was never trained."""
    config = CONFIG.to_dict()
    training = {
        "commit": "unknown",
        "config": config if task == "demosaic" else config | {"network": {"widths": [8, 8, 8]}},
        "data": [{"name": "drawn blobs", "license": "CC0"}],
        "seed": 1,
        "steps": 12,
        "hours": 0.1,
        "hardware": "none",
    }
    cfa, space = ("bayer", None) if task == "demosaic" else (None, "camera")
    return Manifest(
        id=f"{task}-{cfa or space}-tiny",
        contract=f"{task}-v1",
        cfa=cfa,
        space=space,
        tier="tiny",
        sha256="0" * 64,
        opset=17,
        tile=512,
        halo=56,
        multiple=8,
        scale=1,
        parameters=1234,
        gflop_per_mp=1.5,
        training=training,
        metrics=metrics,
        parity={"graph_to_torch": 1e-6, "fused_to_trained": 0.0},
        golden={"file": "golden.npz", "tolerance": 1e-3},
    )


@pytest.mark.parametrize("task", ["demosaic", "restore"])
@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({}, "Not measured."),
        ({"mine": {"quality": {"rawfix": {"cpsnr": 40.0}}}}, "dark current (1–100 % of white)"),
        ({"iso_100": 40.0}, "| iso_100 | 40 |"),
    ],
    ids=["none", "full", "plain"],
)
def test_a_card_is_whole_with_any_figures(
    tmp_path: Path, task: str, metrics: dict[str, Any], said: str
) -> None:
    model = manifest(task, metrics)
    write_card(tmp_path, model, ["a.png"], ["b.png"])
    card = (tmp_path / "README.md").read_text()
    for text in (f"# {model.id}", "drawn blobs (CC0)", "`b.png`", "1,234", said):
        assert text in card
    assert ("bank** of 2 linear demosaicers" in card) == (task == "demosaic")
    assert ("dark current" in card) == (said.startswith("dark"))
    assert "{" not in card
    assert (tmp_path / "pictures.txt").read_text() == "a.png\n"


def test_another_task_is_measured_by_its_own_validation(
    checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    config = TrainConfig(task="restore", demosaic=(str(checkpoint),), network=RestoreConfig((8, 8, 8)))
    state = {"ema": build(config.network).state_dict(), "config": config.to_dict(), "pictures": []}
    names = [name for name, _ in load(pictures).validation]
    torch.save(STORED | state | {"held_back": names}, tmp_path / "restore.pt")
    words = ["restore", "--checkpoint", tmp_path / "restore.pt", "--data", pictures]
    done = run(*words, "--pictures", tmp_path / "strips")
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)["held_back"]
    # An untrained restoration finds nothing: what it is given stays.
    assert scores["gauss_0.8"] == scores["sharp"] == 0
    assert (tmp_path / "strips" / "validation.png").is_file()

    torch.save(STORED | state | {"held_back": ["elsewhere.png"]}, tmp_path / "restore.pt")
    done = run(*words)
    assert (done.exit_code, "not the pictures that the run was trained from" in done.stderr) == (2, True)
