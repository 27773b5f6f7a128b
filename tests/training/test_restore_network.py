"""What the restoration network sees."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from rawfix.training.networks.restore import MOST_DEVIATIONS, SURROUNDINGS, deviations  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("strength", [1e-4, 1e-2, 1.0])
def test_noise_of_any_strength_looks_the_same(strength: float) -> None:
    noise = torch.randn((1, 3, 48, 64), generator=torch.Generator().manual_seed(0))
    sigma = torch.full_like(noise, strength)
    seen = deviations(5 * strength + strength * noise, sigma)
    torch.testing.assert_close(seen, deviations(noise, torch.ones_like(noise)), atol=1e-3, rtol=0)
    assert 0.4 < float(seen.std()) < 0.5


def test_edges_are_bounded_and_even_light_is_nothing() -> None:
    step = torch.zeros(1, 3, 40, 40)
    step[..., 20:] = 1.0
    seen = deviations(step, torch.full_like(step, 1e-3))
    assert float(seen.abs().max()) == MOST_DEVIATIONS / 2
    assert not seen[..., : 20 - SURROUNDINGS // 2].any() and not seen[..., 20 + SURROUNDINGS // 2 :].any()


def test_without_noise_nothing_is_infinite() -> None:
    image = torch.rand((1, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    assert bool(torch.isfinite(deviations(image, torch.zeros_like(image))).all())
