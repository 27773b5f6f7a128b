"""Each term of the loss answers to its own fault and to no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from rawfix.training.config import NetworkConfig, TrainConfig  # noqa: E402
from rawfix.training.losses import Batch, LinearDemosaic, demosaic_loss, inside  # noqa: E402
from rawfix.training.networks.demosaic import DemosaicNetwork  # noqa: E402

pytestmark = pytest.mark.torch

CONFIG = TrainConfig(border=4)
SURE = -40.0


def batch(side: int = 32) -> Batch:
    light = 0.2 + 0.5 * torch.rand(2, 3, side, side)
    plane = torch.zeros(2, 1, side, side)
    return Batch(plane, plane + 0.01, plane, light, plane.clone(), light, light.amax((2, 3), keepdim=True))


def terms(camera: torch.Tensor, logits: torch.Tensor, given: Batch) -> dict[str, float]:
    return demosaic_loss(camera, logits, given, CONFIG)[1]


def no_defects(given: Batch) -> torch.Tensor:
    return torch.full_like(given.bad, SURE)


def test_a_perfect_answer_costs_nothing() -> None:
    given = batch()
    total, parts = demosaic_loss(given.target, no_defects(given), given, CONFIG)
    assert float(total) == pytest.approx(0, abs=1e-6)
    assert set(parts) == {"mean", "focal", "variation", "detect", "exposure"}


def test_the_total_is_the_weighted_sum() -> None:
    given = batch()
    given.bad[..., 10, 10] = 1
    total, parts = demosaic_loss(given.target + 0.1 * torch.rand(2, 3, 32, 32), given.bad, given, CONFIG)
    weights = {name: getattr(CONFIG, f"lambda_{name}") for name in parts}
    assert float(total) == pytest.approx(sum(weights[name] * part for name, part in parts.items()), rel=1e-5)


def test_focal_sees_errors_near_defects_only() -> None:
    given = batch()
    camera = given.target.clone()
    camera[..., 10, 10] += 0.3
    assert terms(camera, no_defects(given), given)["focal"] == 0
    given.bad[..., 12, 12] = 1
    assert terms(camera, no_defects(given), given)["focal"] > 0
    given.bad.zero_()
    given.bad[..., 14, 10] = 1
    assert terms(camera, no_defects(given), given)["focal"] == 0


def test_variation_prefers_an_even_error() -> None:
    given = batch()
    given = replace(given, clean=torch.full_like(given.clean, 0.4), target=torch.full_like(given.clean, 0.4))
    even = given.target + 0.05
    checkered = given.target.clone()
    checkered[..., ::2, ::2] += 0.05
    assert terms(even, no_defects(given), given)["variation"] == pytest.approx(0, abs=1e-6)
    assert terms(checkered, no_defects(given), given)["variation"] > 1e-3


def test_detection_sees_what_was_missed_and_what_was_imagined() -> None:
    given = batch()
    imagined = no_defects(given)
    imagined[..., 10, 10] = 5
    assert terms(given.target, imagined, given)["detect"] > 1e-3
    given.bad[..., 10, 10] = 1
    assert terms(given.target, no_defects(given), given)["detect"] > 1e-3
    assert terms(given.target, (2 * given.bad - 1) * -SURE, given)["detect"] == pytest.approx(0, abs=1e-6)


def test_exposure_sees_a_shift_and_not_a_zero_mean_error() -> None:
    given = batch()
    assert terms(given.target + 0.1, no_defects(given), given)["exposure"] == pytest.approx(0.1, rel=1e-4)
    balanced = given.target.clone()
    balanced[..., ::2] += 0.1
    balanced[..., 1::2] -= 0.1
    assert terms(balanced, no_defects(given), given)["exposure"] == pytest.approx(0, abs=1e-6)


def test_noise_makes_errors_cheaper() -> None:
    given = batch()
    noisy = replace(given, sigma=given.sigma * 20)
    camera = given.target + 0.05
    assert terms(camera, no_defects(given), noisy)["mean"] < terms(camera, no_defects(given), given)["mean"]


def test_the_border_does_not_count() -> None:
    given = batch()
    camera = given.target.clone()
    camera[..., :4, :] += 1
    camera[..., -4:] += 1
    total, _ = demosaic_loss(camera, no_defects(given), given, CONFIG)
    assert float(total) == pytest.approx(0, abs=1e-6)
    assert torch.zeros(1, 1, 9, 9)[inside(0)].shape == (1, 1, 9, 9)


def test_what_lies_outside_of_the_frame_does_not_count() -> None:
    given = batch()
    given = replace(given, known_bad=given.known_bad.clone())
    given.known_bad[..., 12:, :] = 1
    camera = given.target.clone()
    camera[..., 12:, :] += 1
    logits = no_defects(given)
    logits[..., 12:, :] = 9
    total, _ = demosaic_loss(camera, logits, given, CONFIG)
    assert float(total) == pytest.approx(0, abs=1e-5)
    given.bad[..., 20, 20] = 1
    assert float(demosaic_loss(camera, logits, given, CONFIG)[0]) > 1e-3


def test_linear_demosaic_is_linear_and_keeps_samples() -> None:
    network = DemosaicNetwork(NetworkConfig(demosaicers=1))
    torch.nn.init.normal_(network.bank.direct, std=0.1)
    linear = LinearDemosaic(network.bank, network.order, network.period)
    first, second = torch.randn(2, 1, 1, 16, 16)
    torch.testing.assert_close(
        linear(2 * first - second), 2 * linear(first) - linear(second), rtol=1e-4, atol=1e-5
    )
    assert linear(first).shape == (1, 3, 16, 16)
    torch.testing.assert_close(linear(first)[:, 1, ::2, ::2], first[:, 0, ::2, ::2])
    torch.testing.assert_close(linear(first)[:, 0, ::2, 1::2], first[:, 0, ::2, 1::2])
