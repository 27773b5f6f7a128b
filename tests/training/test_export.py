"""A checkpoint becomes a model folder: the same bytes each time, and the same results as in training."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
from onnx.reference import ReferenceEvaluator  # noqa: E402
from PIL import Image as Picture  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from rawfix.errors import ManifestError  # noqa: E402
from rawfix.nn.manifest import find_models, load_model  # noqa: E402
from rawfix.training import card_pictures  # noqa: E402
from rawfix.training.__main__ import app  # noqa: E402
from rawfix.training.config import (  # noqa: E402
    NETWORKS,
    RESTORERS,
    UPSCALERS,
    NetworkConfig,
    RestoreConfig,
    TrainConfig,
    UpscaleConfig,
)
from rawfix.training.export import export, gflop_per_megapixel, reach, to_onnx  # noqa: E402
from rawfix.training.fusing import fuse  # noqa: E402
from rawfix.training.networks import Network, build  # noqa: E402
from rawfix.training.weights import load_initial, load_weights  # noqa: E402

# The exporter by tracing is deprecated, and says so from several places.
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")]

CONFIG = TrainConfig(
    tier="tiny", network=NetworkConfig(widths=(8, 8, 12), demosaicers=2, bank_kernel=3, verdict_width=8)
)
PLANES = ("mosaic", "sigma", "known_bad")


def random_network(config: NetworkConfig | RestoreConfig | UpscaleConfig = CONFIG.network) -> Network:
    """As a trained network: nothing is zero."""
    torch.manual_seed(0)
    model = build(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
    return model


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    state: dict[str, Any] = {
        "config": CONFIG.to_dict(),
        "step": 0,
        "seconds": 0.0,
        "ema": random_network().state_dict(),
        "pictures": ["a.png"],
        "held_back": ["b.png"],
        "hardware": "none",
    }
    torch.save(state, tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


def planes(height: int, width: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    mosaic = rng.normal(0.3, 0.3, (1, 1, height, width)).astype(np.float32)
    known = (rng.random(mosaic.shape) < 0.05).astype(np.float32)
    return dict(zip(PLANES, (mosaic, np.full_like(mosaic, 0.02), known), strict=True))


def test_the_fused_network_is_the_trained_one() -> None:
    model, given = random_network(), planes(40, 48)
    tensors = [torch.from_numpy(given[name]) for name in PLANES]
    with torch.no_grad():
        for trained, fused in zip(model(*tensors), fuse(model)(*tensors), strict=True):
            torch.testing.assert_close(fused, trained, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(40, 48), (64, 24)])
def test_the_graph_is_the_network_at_any_size(size: tuple[int, int]) -> None:
    model, given = random_network(), planes(*size)
    with torch.no_grad():
        camera, logits = model(*(torch.from_numpy(given[name]) for name in PLANES))
    ran = ReferenceEvaluator(onnx.load_from_string(to_onnx(model))).run(None, given)
    np.testing.assert_allclose(ran[0], camera.numpy(), atol=1e-4)
    np.testing.assert_allclose(ran[1], torch.sigmoid(logits).numpy(), atol=1e-4)


def test_export_twice_is_equal_to_the_byte(checkpoint: Path, tmp_path: Path) -> None:
    first = export(checkpoint, tmp_path / "first")
    second = export(checkpoint, tmp_path / "second")
    names = sorted(path.name for path in first.iterdir())
    assert {"README.md", "golden.npz", "manifest.json", "model.onnx"} <= set(names)
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_an_exported_model_is_as_its_manifest_says(checkpoint: Path, tmp_path: Path) -> None:
    model = load_model(export(checkpoint, tmp_path / "models", {"drawn": {"psnr": 30.0}}))
    manifest = model.manifest
    assert manifest.id == "demosaic-bayer-tiny"
    assert hashlib.sha256(model.read_graph()).hexdigest() == manifest.sha256
    graph = onnx.load_from_string(model.read_graph()).graph
    assert [plane.name for plane in graph.input] == [plane.name for plane in model.contract.inputs]
    assert [plane.name for plane in graph.output] == [plane.name for plane in model.contract.outputs]
    assert manifest.parity["graph_to_torch"] < 1e-4
    assert manifest.parity["fused_to_trained"] < 1e-4
    assert manifest.metrics == {"drawn": {"psnr": 30.0}}
    assert manifest.training["data"]
    assert TrainConfig.from_dict(dict(manifest.training["config"])) == CONFIG
    assert "a.png" in (model.folder / "pictures.txt").read_text()
    assert manifest.id in (model.folder / "README.md").read_text()


def test_a_manifest_names_models_and_nobodys_folders(checkpoint: Path, tmp_path: Path) -> None:
    state = torch.load(checkpoint, weights_only=False)
    named = (str(tmp_path / "demosaic-bayer-mine"), "models/demosaic-bayer-standard")
    state["config"] |= {"demosaic": named, "noise_generator": str(tmp_path / "noise.pt")}
    torch.save(state, checkpoint)
    folder = export(checkpoint, tmp_path / "models")
    config = load_model(folder).manifest.training["config"]
    assert list(config["demosaic"]) == ["demosaic-bayer-mine", "models/demosaic-bayer-standard"]
    assert config["noise_generator"] == "noise.pt"
    assert str(tmp_path) not in (folder / "manifest.json").read_text()


def test_a_model_names_every_commit_that_trained_it(checkpoint: Path, tmp_path: Path) -> None:
    old = load_model(export(checkpoint, tmp_path / "old"))
    assert "commits" not in old.manifest.training
    assert load_initial(old.folder).commits == ("unknown",)
    assert "| by the code of | commit `unknown` |" in (old.folder / "README.md").read_text()

    state = torch.load(checkpoint, weights_only=False)
    state |= {"commit": "cccc", "commits": ["bbbb", "cccc"]}
    state["earlier"] = {"steps": 3, "seconds": 3.0, "commits": ["aaaa", "bbbb"]}
    torch.save(state, checkpoint)
    model = load_model(export(checkpoint, tmp_path / "new"))
    training = model.manifest.training
    assert (training["commit"], training["commits"]) == ("cccc", ["aaaa", "bbbb", "cccc"])
    assert load_initial(model.folder).commits == ("aaaa", "bbbb", "cccc")
    assert "commits `aaaa`, `bbbb`, `cccc`" in (model.folder / "README.md").read_text()
    written = (model.folder / "manifest.json").read_bytes()
    assert (export(checkpoint, tmp_path / "again") / "manifest.json").read_bytes() == written


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("commits", "abc", "commits in training is a list of texts"),
        ("averaged", [{"steps": 1}], "averaged in training lists steps and hours"),
        ("averaged", [{"steps": 1, "hours": "2"}], "averaged in training lists steps and hours"),
    ],
)
def test_what_a_manifest_tells_of_training_is_checked(
    checkpoint: Path, tmp_path: Path, key: str, value: object, says: str
) -> None:
    path = export(checkpoint, tmp_path / "models") / "manifest.json"
    content = json.loads(path.read_text())
    content["training"][key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=says):
        load_model(path.parent)


def test_an_exported_model_runs(checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from rawfix.nn.session import self_test

    assert self_test(load_model(export(checkpoint, tmp_path / "models"))) < 1e-4


def test_the_graph_names_no_machine() -> None:
    content = to_onnx(random_network())
    for secret in (str(Path.cwd()), str(Path.home()), "site-packages", ".py"):
        assert secret.encode() not in content


def test_cost_is_that_of_the_convolutions() -> None:
    config = CONFIG.network
    (w0, w1, w2), (e0, e1, middle, d1, d0) = config.widths, config.blocks
    kernel, width = config.bank_kernel, config.verdict_width
    packed = [
        4 * 9 * 16,  # two fills, values and weights
        2 * kernel**2 * 16,
        9 * 16 * width,
        9 * width * width,
        9 * width * 4,
        kernel**2 * 4 * config.demosaicers * 8,
        9 * 16 * w0,
        (e0 + d0) * 9 * w0 * w0,
        w1 * 4 * w0 / 4,
        w0 * 4 * config.demosaicers,
        9 * w0 * 16,
    ]
    half = [9 * w0 * w1, (e1 + d1) * 9 * w1 * w1, w2 * 4 * w1 / 4]
    quarter = [9 * w1 * w2, middle * 9 * w2 * w2]
    per_pixel = 2 * (sum(packed) / 4 + sum(half) / 16 + sum(quarter) / 64)
    assert gflop_per_megapixel(to_onnx(random_network())) == pytest.approx(per_pixel / 1e3, rel=0.01)


def test_nothing_beyond_the_reach_counts_and_something_at_it_does() -> None:
    model = random_network()
    side, center, far = 256, 128, reach(model)
    assert 8 <= far <= 72
    base = [torch.from_numpy(plane) for plane in planes(side, side).values()]
    step = model.multiple
    cell = np.s_[..., center : center + step, center : center + step]
    with torch.no_grad():
        before = model(*base)[0][cell]
        outside = base[0].clone()
        outside[..., : center - far, :] += 0.5
        outside[..., center + step + far :, :] += 0.5
        outside[..., : center - far] += 0.5
        outside[..., center + step + far :] += 0.5
        after = model(outside, *base[1:])[0][cell]
    torch.testing.assert_close(after, before, rtol=0, atol=1e-6)


def test_weights_come_back_from_a_checkpoint_and_from_a_model(checkpoint: Path, tmp_path: Path) -> None:
    model, config, _ = load_weights(checkpoint)
    assert config == CONFIG
    folder = export(checkpoint, tmp_path / "models")
    given = [torch.from_numpy(plane) for plane in planes(32, 32).values()]
    for source in (checkpoint, folder):
        found = load_initial(source)
        again = build(found.network).eval()
        again.load_state_dict(found.weights)
        with torch.no_grad():
            for first, second in zip(model(*given), again(*given), strict=True):
                torch.testing.assert_close(second, first, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("cfa", "tier"), NETWORKS)
def test_every_network_keeps_to_the_cost_of_its_tier(cfa: str, tier: str) -> None:
    limit = {"fast": 12, "standard": 40, "best": 250}[tier]
    graph = to_onnx(random_network(NETWORKS[cfa, tier]))
    assert 0.7 * limit < gflop_per_megapixel(graph) <= limit
    assert len(graph) < 5e6


@pytest.mark.parametrize("tier", RESTORERS)
def test_every_restorer_keeps_to_the_cost_of_its_tier(tier: str) -> None:
    limit = {"fast": 15, "standard": 60, "best": 300}[tier]
    assert 0.9 * limit < gflop_per_megapixel(to_onnx(random_network(RESTORERS[tier]))) <= limit


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("tier", UPSCALERS)
def test_every_upscaler_keeps_to_the_cost_of_its_tier(tier: str, scale: int) -> None:
    limit = {"fast": 60, "standard": 250}[tier]
    graph = to_onnx(random_network(replace(UPSCALERS[tier], scale=scale)))
    assert 0.6 * limit < gflop_per_megapixel(graph) <= limit


def test_tiles_are_multiples_of_what_the_filter_array_asks_for(tmp_path: Path) -> None:
    config = replace(CONFIG, network=replace(CONFIG.network, cfa="xtrans"))
    state = {"config": config.to_dict(), "ema": random_network(config.network).state_dict(), "step": 0}
    state |= {"seconds": 0.0, "pictures": [], "held_back": [], "hardware": "none"}
    torch.save(state, tmp_path / "checkpoint.pt")
    manifest = load_model(export(tmp_path / "checkpoint.pt", tmp_path / "models")).manifest
    assert manifest.tile == 1008
    assert manifest.tile % manifest.multiple == 0


@pytest.fixture
def strips(tmp_path: Path) -> Path:
    folder = tmp_path / "strips"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    Picture.fromarray(noise).save(folder / "b [odd].png")
    Picture.fromarray(noise // 64 * 64).resize((600, 400)).save(folder / "c.JPG", comment=b"my house")
    Picture.new("RGB", (64, 32), (9, 8, 7)).save(folder / "a.png")
    Picture.new("RGB", (64, 32)).save(folder / "knob-x2.png")
    for number in range(3):
        Picture.new("RGB", (64, 32)).save(folder / f"later-{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_card_shows_the_first_pictures_small(checkpoint: Path, strips: Path, tmp_path: Path) -> None:
    model = load_model(export(checkpoint, tmp_path / "models", pictures=strips))
    shown = sorted(model.folder.glob("picture-*"))
    assert [path.name for path in shown] == [
        "picture-1.png",
        "picture-2.jpg",
        "picture-3.jpg",
        "picture-4.png",
    ]
    assert sum(path.stat().st_size for path in shown) <= card_pictures.BYTES
    with Picture.open(shown[0]) as first, Picture.open(shown[2]) as third:
        assert first.getpixel((5, 5)) == (9, 8, 7)
        assert third.size == (600, 400)
    assert b"my house" not in shown[2].read_bytes()
    card = (model.folder / "README.md").read_text()
    assert re.findall(r"!\[(.*?)\]\((.*?)\)", card) == [
        ("a", "picture-1.png"), ("b odd", "picture-2.jpg"), ("c", "picture-3.jpg"), ("later-0", "picture-4.png"),
    ]  # fmt: skip
    assert [found.manifest.id for found in find_models(tmp_path / "models")] == [model.manifest.id]
    again = export(checkpoint, tmp_path / "again", pictures=strips)
    for path in model.folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name
    # What is too heavy is left out.
    noise = np.random.default_rng(1).integers(0, 256, (800, 800, 3), np.uint8)
    Picture.fromarray(noise).save(strips / "c.JPG", quality=95)
    assert [shown.caption for shown in card_pictures.read_pictures(strips)] == ["a", "b odd", "later-0"]
    # Another export without pictures leaves none behind.
    assert not list(export(checkpoint, tmp_path / "models").glob("picture-*"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--pictures", "{}/none"), "none: no such folder"),
        (("--pictures", "{}/empty"), "empty: holds no PNG or JPEG"),
        (("--pictures", "{}/broken"), "a.png: not a picture"),
        (("--pictures", "{}/large"), "kB as JPEG, a card has room for 400; give a crop"),
        (("--metrics", "{}/none.json"), "none.json: no JSON"),
        (("--metrics", "{}/list.json"), "list.json: no figures but a list"),
        (("--checkpoint", "{}/none.pt"), "none.pt: no such checkpoint"),
    ],
)
def test_an_export_that_cannot_be_is_refused_in_one_line(
    words: tuple[str, ...], says: str, checkpoint: Path, tmp_path: Path
) -> None:
    for name in ("empty", "broken", "large"):
        (tmp_path / name).mkdir()
    (tmp_path / "broken" / "a.png").write_text("no picture")
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    Picture.fromarray(noise).save(tmp_path / "large" / "a.png")
    (tmp_path / "list.json").write_text("[]")
    asked = ["--checkpoint", str(checkpoint), "--models", str(tmp_path / "models")]
    done = CliRunner().invoke(app, ["export", *asked, *(word.format(tmp_path) for word in words)])
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "models").exists()


def test_weights_of_several_points_are_averaged_and_told(checkpoint: Path, tmp_path: Path) -> None:
    state = torch.load(checkpoint, weights_only=False)
    other = tmp_path / "other.pt"
    earlier = {"step": 7, "seconds": 360.0, "earlier": {"steps": 3, "seconds": 360.0}}
    doubled = {
        name: 2 * weight if weight.is_floating_point() else weight for name, weight in state["ema"].items()
    }
    torch.save(state | earlier | {"ema": doubled}, other)
    folder = export(checkpoint, tmp_path / "models", average=[other, other])
    assert load_model(folder).manifest.training["averaged"] == 2 * [{"steps": 10, "hours": 0.2}]
    assert (
        "the mean of the last ones and those after 10 steps (0.2 h), 10 steps"
        in (folder / "README.md").read_text()
    )
    (weights,) = (load_initial(folder).weights[name] for name in ("unet.head.weight",))
    torch.testing.assert_close(weights, state["ema"]["unet.head.weight"] * 5 / 3)


def test_points_of_other_networks_are_not_averaged(checkpoint: Path, tmp_path: Path) -> None:
    state = torch.load(checkpoint, weights_only=False)
    config = state["config"] | {"network": state["config"]["network"] | {"demosaicers": 1}}
    model = build(TrainConfig.from_dict(config).network)
    torch.save(state | {"config": config, "ema": model.state_dict()}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="is of another network"):
        export(checkpoint, tmp_path / "models", average=[tmp_path / "other.pt"])
    assert not (tmp_path / "models").exists()
