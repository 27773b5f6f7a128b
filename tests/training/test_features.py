"""Classifiers of the perceptual loss: two networks, one interface, opened from weights or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from rawfix.training import features  # noqa: E402
from rawfix.training.__main__ import app  # noqa: E402
from rawfix.training.config import TrainConfig, UpscaleConfig  # noqa: E402
from rawfix.training.data import load  # noqa: E402
from rawfix.training.features import open_features  # noqa: E402
from rawfix.training.networks.perceptual import contextual, distance  # noqa: E402
from rawfix.training.networks.upscale import UpscaleNetwork  # noqa: E402
from rawfix.training.networks.vgg import Vgg19  # noqa: E402
from rawfix.training.upscale import UpscaleTask  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]

BLOCKS = ((8, 2), (8, 2), (12, 4), (16, 4), (16, 4))
"""Channels and convolutions of VGG-19's blocks; in the network itself 64, 128, 256, 512, 512 channels."""


def torchvision_layout(blocks: tuple[tuple[int, int], ...] = BLOCKS) -> nn.Sequential:
    """What torchvision calls ``features``, not trained."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    inputs = 3
    for channels, convolutions in blocks:
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU()]
            nn.init.kaiming_normal_(layers[-2].weight)
            inputs = channels
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def state_of(layers: nn.Sequential) -> dict[str, torch.Tensor]:
    state = {f"features.{name}": value for name, value in layers.state_dict().items()}
    return state | {"classifier.0.weight": torch.zeros(4, 4), "classifier.0.bias": torch.zeros(4)}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(state_of(torchvision_layout()), tmp_path / "vgg19-random.pth")
    return tmp_path / "vgg19-random.pth"


def test_features_are_those_of_torchvisions_layers(weights: Path) -> None:
    classifier, layers, picture = open_features(str(weights)), torchvision_layout(), torch.rand(2, 3, 64, 96)
    assert isinstance(classifier, Vgg19)
    assert not list(classifier.parameters())
    mean = torch.tensor((0.485, 0.456, 0.406))[:, None, None]
    x = (picture - mean) / torch.tensor((0.229, 0.224, 0.225))[:, None, None]
    expected = []
    with torch.no_grad():
        for place, layer in enumerate(layers):
            x = layer(x)
            if place in (8, 13, 22, 31):  # the rectifiers behind conv2_2, conv3_2, conv4_2, conv5_2
                expected.append(x)
    found = classifier(picture)
    assert [tuple(f.shape[1:]) for f in found] == [(8, 32, 48), (12, 16, 24), (16, 8, 12), (16, 4, 6)]
    torch.testing.assert_close(found, expected)


def test_distances_grow_with_difference_and_reach_the_picture(weights: Path) -> None:
    classifier, picture = open_features(str(weights)), torch.rand(1, 3, 64, 64)
    base = classifier(picture)
    assert float(distance(base, base)) == pytest.approx(0, abs=1e-6)
    near, far = ((picture + a * torch.rand_like(picture)).clamp(0, 1) for a in (0.1, 0.8))
    far.requires_grad_(True)
    assert 0 < float(distance(base, classifier(near))) < float(distance(base, classifier(far)).detach())
    contextual(classifier(far)[1], base[1]).backward()
    assert far.grad is not None
    assert float(far.grad.abs().sum()) > 0


def test_a_run_learns_with_it(weights: Path, pictures: Path) -> None:
    network = UpscaleConfig(width=8)
    config = TrainConfig(
        task="upscale", batch=2, patch=48, warm_steps=1, network=network, features=str(weights)
    )
    task, model = UpscaleTask(config, load(pictures), "cpu"), UpscaleNetwork(network)
    batch = task.batch(tuple(torch.as_tensor(a) for a in task.draw(np.random.default_rng(1))))
    task.loss(model, batch)
    loss, parts = task.loss(model, batch)
    assert parts["perceptual"] > 0
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_the_name_stands_for_what_torch_has_downloaded(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(features, "find_spec", lambda name: None)
    with pytest.raises(
        FileNotFoundError, match=r"no weights vgg19-\*\.pth in .*; pip install torchvision, then"
    ):
        open_features("vgg19")
    monkeypatch.setattr(features, "find_spec", lambda name: "there")
    with pytest.raises(FileNotFoundError, match=r"; download them with python -c .* or give the path"):
        open_features("vgg19")
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    state = torch.load(weights, weights_only=True)
    path = tmp_path / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)  # as torchvision's are
    assert isinstance(open_features("vgg19"), Vgg19)


def _write_vgg16(path: Path) -> None:
    torch.save(state_of(torchvision_layout(((8, 2), (8, 2), (8, 3), (8, 3), (8, 3)))), path)


def _write_uneven(path: Path) -> None:
    torch.save(state_of(torchvision_layout()) | {"features.5.weight": torch.zeros(8, 7, 3, 3)}, path)


WRITERS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": (
        "a.pth",
        lambda path: None,
        "no such file; give SqueezeNet's weights (.npz), VGG-19's (.pth), or",
    ),
    "vgg16": (
        "a.pth",
        _write_vgg16,
        "not the weights of torchvision's VGG-19; give another file (its convolutions",
    ),
    "uneven": ("a.pth", _write_uneven, "features.5 is no convolution of 8 channels"),
    "list": ("a.pth", lambda path: torch.save([1, 2], path), "(no state dict)"),
    "text": ("a.pth", lambda path: path.write_text("text"), "not the weights of torchvision's VGG-19"),
    "text as npz": ("a.npz", lambda path: path.write_text("text"), "not the weights of SqueezeNet 1.0"),
    "other npz": ("a.npz", lambda path: np.savez(path, x=np.zeros(3)), "it lacks conv1/bias"),
}


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize("case", WRITERS)
def test_other_weights_are_refused_in_one_line(
    command: str, case: str, pictures: Path, tmp_path: Path
) -> None:
    name, write, says = WRITERS[case]
    path = tmp_path / name
    write(path)
    words = ["train", "--task", "upscale", "--tier", "fast", "--run", str(tmp_path / "run"), "--steps", "1"]
    if command == "evaluate":
        config = TrainConfig(task="upscale", network=UpscaleConfig(width=6))
        state = {"config": config.to_dict(), "ema": UpscaleNetwork(UpscaleConfig(width=6)).state_dict()}
        torch.save(state | {"pictures": [], "held_back": []}, tmp_path / "run.pt")
        words = ["evaluate", "upscale", "--checkpoint", str(tmp_path / "run.pt"), "--set", "all"]
    more = ["--data", str(pictures), "--features", str(path), "--threads", "1"]
    done = CliRunner().invoke(app, [*words, *more])
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert f"--features {path}: " in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_its_figure_has_a_name_of_its_own(weights: Path, pictures: Path, tmp_path: Path) -> None:
    from rawfix.training.evaluation import enlarging
    from rawfix.training.evaluation.tables import to_markdown

    config = TrainConfig(task="upscale", network=UpscaleConfig(width=6))
    model = UpscaleNetwork(UpscaleConfig(width=6))
    stored = {"held_back": ["0.png"], "pictures": []}
    found = enlarging.evaluate(model, config, stored, pictures, features=weights, strips_in=tmp_path)
    rows = found["held_back ×2"]["bicubic"]
    assert rows["Lanczos"]["distance_vgg19"] > 0
    assert "distance" not in rows["Lanczos"]
    assert "VGG-19 distance" in (card := to_markdown(found))
    assert "SqueezeNet" not in card
    assert not list(tmp_path.glob("knob*"))
