"""Super-resolution starts as bicubic, is told apart by its noise, and answers to every term of its loss."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402

from rawfix.training.config import NetworkConfig, TrainConfig, UpscaleConfig  # noqa: E402
from rawfix.training.data import load  # noqa: E402
from rawfix.training.networks import build  # noqa: E402
from rawfix.training.networks.perceptual import SqueezeNet, contextual, distance  # noqa: E402
from rawfix.training.networks.upscale import Bicubic, UpscaleNetwork  # noqa: E402
from rawfix.training.shrink import shrink_area, shrink_bicubic  # noqa: E402
from rawfix.training.upscale import UpscaleTask, linear, srgb  # noqa: E402
from rawfix.training.weights import Initial  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]

SMALL = UpscaleConfig(width=8)


def trained(config: UpscaleConfig = SMALL) -> UpscaleNetwork:
    """As a trained network: nothing is zero."""
    model = UpscaleNetwork(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def test_bicubic_keeps_ramps_and_lies_on_the_grid_of_halved_pixels() -> None:
    ramp = torch.arange(16.0)[None, None, None].expand(1, 3, 16, 16)
    fine = Bicubic()(ramp)[0, 0]
    torch.testing.assert_close(fine[16, 8:24], torch.arange(8.0, 24.0) / 2 - 0.25)
    torch.testing.assert_close(fine[8:24, 16], fine[8, 16].expand(16))


@pytest.mark.parametrize("scale", [2, 4])
def test_shrinking_keeps_flat_pictures_and_ramps(scale: int) -> None:
    ramp = torch.arange(64.0)[None, None, None].expand(1, 3, 64, 64)
    expected = torch.arange(64 // scale) * scale + (scale - 1) / 2
    for shrink in (shrink_bicubic, shrink_area):
        found = shrink(ramp, scale)
        assert found.shape == (1, 3, 64 // scale, 64 // scale)
        torch.testing.assert_close(found[0, 0, 8, 3:-3], expected[3:-3])
        torch.testing.assert_close(
            shrink(torch.ones(1, 3, 32, 32), scale), torch.ones(1, 3, 32 // scale, 32 // scale)
        )


def test_curves_undo_each_other() -> None:
    light = torch.linspace(0, 1, 101)
    torch.testing.assert_close(linear(srgb(light)), light, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [2, 4])
def test_an_untrained_generator_interpolates(scale: int) -> None:
    image = torch.rand(1, 3, 20, 24)
    model = UpscaleNetwork(replace(SMALL, scale=scale))
    pictures = model.pyramid(image, torch.zeros(1, 1, 20, 24))
    assert [p.shape[-1] for p in pictures] == [24 * 2 ** (k + 1) for k in range(len(pictures))]
    fine = model(image, torch.zeros(1, 1, 20, 24))[0]
    assert fine.shape == (1, 3, 20 * scale, 24 * scale)
    torch.testing.assert_close(F.avg_pool2d(fine, scale).mean(), image.mean(), rtol=0.05, atol=0)


@pytest.mark.parametrize("scale", [2, 4])
def test_noise_changes_the_picture_and_its_amplitude_is_continuous(scale: int) -> None:
    model, image = trained(replace(SMALL, scale=scale)), torch.rand(1, 3, 16, 16)
    noise = torch.randn(1, 1, 16, 16)
    with torch.no_grad():
        still, half, almost, full = (model(image, noise * d)[0] for d in (0, 0.5, 0.501, 1))
    assert (full - still).abs().mean() > (half - still).abs().mean() > 0
    assert (almost - half).abs().max() < 0.02 * (full - still).abs().max()


def fake_classifier() -> SqueezeNet:
    rng = np.random.default_rng(0)
    weights: dict[str, np.ndarray] = {
        "conv1/weight": rng.normal(0, 0.01, (8, 3, 7, 7)),
        "conv1/bias": np.zeros(8),
    }
    for k in range(2, 10):
        inputs = 8
        for name, shape in (
            ("conv1x1_1", (4, inputs, 1, 1)),
            ("conv1x1_2", (4, 4, 1, 1)),
            ("conv3x3_2", (4, 4, 3, 3)),
        ):
            weights[f"fire{k}/{name}/weight"] = rng.normal(0, 0.3, shape)
            weights[f"fire{k}/{name}/bias"] = np.zeros(shape[0])
    return SqueezeNet(weights)


def test_distances_are_none_for_equals_and_grow_with_difference() -> None:
    classifier, picture = fake_classifier(), torch.rand(1, 3, 96, 96)
    base = classifier(picture)
    assert len(base) == 4
    assert float(distance(base, base)) == pytest.approx(0, abs=1e-6)
    near, far = (classifier((picture + a * torch.rand_like(picture)).clamp(0, 1)) for a in (0.1, 0.8))
    assert 0 < float(distance(base, near)) < float(distance(base, far))
    assert float(contextual(base[0], base[0])) == pytest.approx(0, abs=1e-3)
    assert float(contextual(base[0], far[0])) > 0.05


@pytest.fixture
def task(pictures: Path) -> UpscaleTask:
    config = TrainConfig(task="upscale", batch=2, patch=48, warm_steps=1, network=SMALL)
    made = UpscaleTask(config, load(pictures), "cpu")
    made.features = fake_classifier()
    return made


def test_small_pictures_are_the_large_ones_shrunk(task: UpscaleTask) -> None:
    kinds = set()
    for seed in range(6):
        batch = task.batch(tuple(torch.as_tensor(a) for a in task.draw(np.random.default_rng(seed))))
        kinds.add(batch.shrink.__name__)
        assert batch.image.shape == (2, 3, 48, 48)
        assert batch.large.shape == (2, 3, 96, 96)
        apart = (shrink_area(batch.large, 2) - batch.image).abs().mean() / batch.image.mean()
        assert float(apart) < 0.1
    assert kinds == {"shrink_bicubic", "shrink_encoded_area"}


def checkpoint_of(cfa: str, path: Path) -> Path:
    network = NetworkConfig(cfa, widths=(8, 8, 8), demosaicers=1, verdict_width=8, bank_kernel=3)
    state = {"config": TrainConfig(network=network).to_dict(), "ema": build(network).state_dict()}
    torch.save(state | {"step": 1, "seconds": 1.0}, path)
    return path


def test_most_pictures_of_cameras_come_through_a_demosaicer(pictures: Path, tmp_path: Path) -> None:
    models = tuple(str(checkpoint_of(cfa, tmp_path / f"{cfa}.pt")) for cfa in ("bayer", "xtrans"))
    config = TrainConfig(task="upscale", batch=2, patch=48, network=SMALL, demosaic=models)
    task = UpscaleTask(config, load(pictures), "cpu")
    assert [d.cfa.name for d in task.demosaicers] == ["bayer", "xtrans"]
    ways = set()
    for seed in range(24):
        arrays = tuple(torch.as_tensor(a) for a in task.draw(np.random.default_rng(seed)))
        way = int(arrays[-1])
        ways.add(way)
        if way > 0:
            seen = task.batch(arrays).image
            plain = task.batch((*arrays[:-1], torch.tensor(0))).image
            channels = torch.from_numpy(task.demosaicers[way - 1].cfa.channels((48, 48)).astype(np.int64))
            measured = F.one_hot(channels, 3).permute(2, 0, 1).bool().expand_as(seen)
            known = (seen - plain).abs() < 1e-4
            assert known[measured].float().mean() > 0.9
            assert known[~measured].float().mean() < 0.6
    assert ways == {-1, 0, 1, 2}


def test_terms_join_one_after_the_other_and_a_checkpoint_keeps_the_discriminator(task: UpscaleTask) -> None:
    model = trained()
    batch = task.batch(tuple(torch.as_tensor(a) for a in task.draw(np.random.default_rng(1))))
    names = [set(task.loss(model, batch)[1]) for _ in range(3)]
    assert names[0] == {"reconstruction", "consistency"}
    assert names[1] - names[0] == {"perceptual", "lively"}
    assert names[2] - names[1] == {"judge", "adversarial"}
    before = {name: weight.clone() for name, weight in task.judge.state_dict().items()}
    task.loss(model, batch)[0].backward()
    after = task.judge.state_dict()
    assert any((before[name] != after[name]).any() for name in before)
    assert all(parameter.grad is None or parameter.requires_grad for parameter in task.judge.parameters())
    state = task.state()
    other = UpscaleTask(replace(task.config, seed=9), task.photos, "cpu")
    other.resume(state)
    for name, weight in other.judge.state_dict().items():
        torch.testing.assert_close(weight, after[name])
    assert other.steps == task.steps


def test_validation_measures_both_protocols_and_both_ends_of_the_knob(
    task: UpscaleTask, tmp_path: Path
) -> None:
    scores = task.validate(UpscaleNetwork(SMALL), tmp_path / "validation.png")
    assert {"psnr_y", "psnr_y_lively", "distance", "distance_lively", "camera", "camera_gain"} <= set(scores)
    assert abs(scores["camera_gain"]) < 1
    assert (tmp_path / "validation.png").stat().st_size > 0


def test_config_round_trip_through_json() -> None:
    config = TrainConfig(task="upscale", features="x.npz", network=UpscaleConfig(scale=4))
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_times_four_begins_with_all_that_times_two_has_learnt() -> None:
    twice = trained()
    four = UpscaleNetwork(replace(SMALL, scale=4))
    assert Initial(SMALL, twice.state_dict(), 7, 1.0).graft(four) == len(twice.state_dict())
    torch.testing.assert_close(four.state_dict(), twice.state_dict())
