"""Restoration learns noise without blur and blur without noise; what it finds, it finds in the noise model's unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rawfix.cfa import CANONICAL  # noqa: E402
from rawfix.training import restore_pairs  # noqa: E402
from rawfix.training.config import NetworkConfig, RestoreConfig, TrainConfig  # noqa: E402
from rawfix.training.data import load  # noqa: E402
from rawfix.training.networks import build  # noqa: E402
from rawfix.training.restore import BORDER, RestoreBatch, RestoreTask, restore_loss  # noqa: E402
from rawfix.training.restore_pairs import draw_blur, make_restore_pair  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = RestoreConfig((8, 8, 8))
DEMOSAIC = NetworkConfig(widths=(8, 8, 8), demosaicers=1, verdict_width=8, bank_kernel=3)


def photo(seed: int = 0, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def pairs(monkeypatch: pytest.MonkeyPatch, blurred: float, noisy: float) -> list[restore_pairs.RestorePair]:
    monkeypatch.setattr(restore_pairs, "BLURRED", blurred)
    monkeypatch.setattr(restore_pairs, "NOISY", noisy)
    return [
        make_restore_pair(photo(seed), CANONICAL["bayer"], np.random.default_rng(seed)) for seed in range(8)
    ]


def test_the_same_noise_lies_on_the_sharp_and_on_the_blurred_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    cfa = CANONICAL["bayer"]
    for sharp, blurred in zip(pairs(monkeypatch, 0, 1), pairs(monkeypatch, 1, 1), strict=True):
        np.testing.assert_array_equal(sharp.sharp, blurred.sharp)
        np.testing.assert_array_equal(sharp.seen, sharp.sharp)
        assert (blurred.seen != blurred.sharp).any()
        fields = [pair.mosaic - cfa.mosaic(pair.seen) for pair in (sharp, blurred)]
        white = [pair.mosaic >= pair.mosaic.max() * 0.99 for pair in (sharp, blurred)]
        inside = ~(white[0] | white[1]) & (cfa.mosaic(sharp.seen) < 0.9) & (cfa.mosaic(blurred.seen) < 0.9)
        np.testing.assert_allclose(fields[0][inside], fields[1][inside], atol=1e-5)


def test_without_components_nothing_is_to_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for pair in pairs(monkeypatch, 0, 0):
        np.testing.assert_array_equal(pair.seen, pair.sharp)
        np.testing.assert_allclose(pair.mosaic, CANONICAL["bayer"].mosaic(pair.sharp), atol=1e-5)


def test_blur_is_clipped_after_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pairs(monkeypatch, 1, 0)
    assert any((pair.sharp >= pair.sharp.max() - 1e-6).sum() > 3 for pair in made)
    assert all(pair.sharp.min() >= 0 and pair.seen.min() >= 0 for pair in made)


def test_kernels_keep_the_light() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        for kernel in draw_blur(rng):
            assert kernel.sum() == pytest.approx(1, abs=1e-4)
            assert kernel.shape[0] % 2 == 1


@pytest.mark.parametrize("trunks", [1, 2])
def test_an_untrained_network_finds_nothing(trunks: int) -> None:
    model = build(replace(SMALL, trunks=trunks))
    maps = model(torch.rand(1, 3, 32, 40), torch.full((1, 3, 32, 40), 0.01))
    assert [tuple(m.shape) for m in maps] == [(1, 3, 32, 40)] * 2
    assert all(not m.any() for m in maps)


def test_where_the_noise_model_has_no_noise_none_is_found() -> None:
    model = build(SMALL)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    noise_map, blur_map = model(torch.rand(1, 3, 32, 32), torch.zeros(1, 3, 32, 32))
    assert not noise_map.any()
    assert blur_map.any()


def demosaicer(folder: Path, network: NetworkConfig) -> str:
    path = folder / f"{network.cfa}.pt"
    config = TrainConfig(network=network).to_dict()
    torch.save({"config": config, "ema": build(network).state_dict(), "step": 0, "seconds": 0.0}, path)
    return str(path)


@pytest.fixture
def task(tmp_path: Path, pictures: Path) -> RestoreTask:
    models = (demosaicer(tmp_path, DEMOSAIC),)
    config = TrainConfig(task="restore", batch=2, patch=48, demosaic=models, network=SMALL)
    return RestoreTask(config, load(pictures), "cpu")


def test_it_learns_from_each_demosaicer_it_is_given(tmp_path: Path, pictures: Path) -> None:
    models = tuple(demosaicer(tmp_path, replace(DEMOSAIC, cfa=cfa)) for cfa in ("bayer", "xtrans"))
    config = TrainConfig(task="restore", batch=2, patch=48, demosaic=models, network=SMALL)
    task = RestoreTask(config, load(pictures), "cpu")
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(8):
        arrays = tuple(torch.as_tensor(a) for a in task.draw(rng))
        which = task.families[int(arrays[-1])]
        measured = torch.from_numpy(CANONICAL[which].channels((48, 48)).astype(np.int64))[None, None]
        sampled = task.batch(arrays).camera.gather(1, measured.expand(2, 1, 48, 48))
        clip = arrays[7].expand(2, 3, 48, 48).gather(1, measured.expand(2, 1, 48, 48))
        torch.testing.assert_close(sampled, torch.minimum(arrays[3], clip))
        seen.add(which)
    assert seen == {"bayer", "xtrans"}
    assert "iso_6400_xtrans" in task.validate(build(SMALL))


def test_a_batch_holds_camera_images_of_our_own_demosaicing(task: RestoreTask) -> None:
    arrays = tuple(torch.from_numpy(a) for a in task.draw(np.random.default_rng(1)))
    batch = task.batch(arrays)
    measured = torch.from_numpy(CANONICAL["bayer"].channels((48, 48)).astype(np.int64))[None, None]
    sampled = batch.camera.gather(1, measured.expand(2, 1, 48, 48))
    clip = arrays[7].expand(-1, 3, 48, 48).gather(1, measured.expand(2, 1, 48, 48))
    torch.testing.assert_close(sampled, torch.minimum(arrays[3], clip))
    assert (batch.camera <= arrays[7]).all()
    assert {plane.dtype for plane in (batch.camera, batch.sigma, batch.quiet)} == {torch.float32}
    assert (batch.sigma > 0).all()
    assert batch.seen.shape == batch.sharp.shape == batch.camera.shape


def true_maps(batch: RestoreBatch) -> tuple[torch.Tensor, torch.Tensor]:
    return batch.camera - batch.quiet, batch.seen - batch.sharp


def test_the_true_maps_cost_nothing_and_any_other_something(task: RestoreTask) -> None:
    batch = task.batch(tuple(torch.from_numpy(a) for a in task.draw(np.random.default_rng(1))))
    noise_map, blur_map = true_maps(batch)
    total, parts = restore_loss(noise_map, blur_map, batch)
    assert float(total) == pytest.approx(0, abs=1e-5)
    assert set(parts) == {"noise", "blotches", "blur", "both", "exposure"}
    wrong: list[tuple[str, Callable[[], tuple[torch.Tensor, torch.Tensor]]]] = [
        ("noise", lambda: (noise_map + 0.1, blur_map)),
        ("blur", lambda: (noise_map, blur_map + 0.1)),
        ("exposure", lambda: (noise_map + 0.1, blur_map)),
    ]
    for name, maps in wrong:
        assert restore_loss(*maps(), batch)[1][name] > 1e-3
    rim = noise_map.clone()
    rim[..., :BORDER, :] += 1
    assert float(restore_loss(rim, blur_map, batch)[0]) == pytest.approx(0, abs=1e-5)


def test_validation_measures_each_case(task: RestoreTask, tmp_path: Path) -> None:
    scores = task.validate(build(SMALL), tmp_path / "validation.png")
    assert {"iso_1600", "iso_25600", "gauss_1.2", "sharp"} <= set(scores)
    assert scores["iso_100"] > scores["iso_25600"]
    assert scores["gauss_1.2"] == pytest.approx(0, abs=1e-4)
    assert (tmp_path / "validation.png").stat().st_size > 0


def test_noise_counts_as_much_at_any_iso() -> None:
    """Left as it is, noise of a deviation costs the same where it is weak as where it is strong."""
    costs = []
    for sigma in (0.02, 0.2):
        shape = (2, 3, 64, 64)
        light = torch.full(shape, 0.3)
        camera = light + sigma * torch.randn(shape, generator=torch.Generator().manual_seed(0))
        batch = RestoreBatch(camera, torch.full(shape, sigma), light, light, light)
        costs.append(restore_loss(torch.zeros(shape), torch.zeros(shape), batch)[1]["noise"])
    assert costs[1] == pytest.approx(costs[0], rel=0.1)


def test_blotches_count_beyond_their_share_of_the_noise() -> None:
    """An error as wide as a square costs as much as pixel noise of eight times its deviation."""
    shape = (1, 3, 88, 88)
    light, sigma = torch.full(shape, 0.3), torch.full(shape, 0.1)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    costs = []
    for error in (0.1 * noise, torch.full(shape, 0.1 / 8)):
        batch = RestoreBatch(light + error, sigma, light, light, light)
        costs.append(restore_loss(torch.zeros(shape), torch.zeros(shape), batch)[1]["blotches"])
    assert costs[1] == pytest.approx(costs[0], rel=0.25)


def test_an_error_counts_the_more_the_less_blur_took() -> None:
    """Sharpening what had been sharp costs more than leaving as much of a blur."""
    shape = (1, 3, 88, 88)
    sharp = 0.3 + 0.2 * torch.rand(shape, generator=torch.Generator().manual_seed(0))
    costs = []
    for taken in (0.0, 0.5, 1.0):
        seen = sharp + taken * (sharp.mean() - sharp)
        batch = RestoreBatch(seen, torch.full(shape, 0.01), seen, seen, sharp)
        error = 0.01 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
        costs.append(restore_loss(torch.zeros(shape), seen - sharp + error, batch)[1]["blur"])
    assert costs[0] > 1.2 * costs[1] and costs[1] > 1.2 * costs[2] > 0


def test_without_noise_there_is_none_to_find_whatever_demosaicing_leaves(
    task: RestoreTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_pairs, "NOISY", 0)
    batch = task.batch(tuple(torch.from_numpy(a) for a in task.draw(np.random.default_rng(1))))
    assert (batch.camera - batch.seen).abs().max() > 0.01
    nothing = torch.zeros_like(batch.camera)
    _, parts = restore_loss(nothing, batch.seen - batch.sharp, batch)
    assert parts["noise"] + parts["blotches"] < 1e-3
