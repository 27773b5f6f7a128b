"""Packing by convolutions with ones is torch's own, to the bit."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from rawfix.training.networks.packing import shuffle, unshuffle  # noqa: E402


@pytest.mark.parametrize("planes", [1, 3, 12])
@pytest.mark.parametrize("factor", [2, 3])
def test_as_torch_does_it(planes: int, factor: int) -> None:
    x = torch.randn(2, planes, 6 * factor, 4 * factor)
    packed = unshuffle(x, factor)
    assert torch.equal(packed, torch.nn.functional.pixel_unshuffle(x, factor))
    assert torch.equal(shuffle(packed, factor), x)


def test_gradients_come_back_to_their_places() -> None:
    x = torch.randn(1, 2, 8, 8, requires_grad=True)
    weights = torch.randn(1, 2, 8, 8)
    (shuffle(unshuffle(x, 2), 2) * weights).sum().backward()
    assert torch.equal(x.grad, weights)
