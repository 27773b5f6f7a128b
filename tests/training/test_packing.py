"""Packing as a graph does it, by convolutions with ones, is torch's own to the bit."""

from __future__ import annotations

import warnings

import pytest

torch = pytest.importorskip("torch")

from rawfix.training.networks.packing import shuffle, unshuffle  # noqa: E402


@pytest.mark.parametrize("planes", [1, 3, 12])
@pytest.mark.parametrize("factor", [2, 3])
def test_as_torch_does_it(planes: int, factor: int) -> None:
    x = torch.randn(2, planes, 6 * factor, 4 * factor)
    packed = torch.nn.functional.pixel_unshuffle(x, factor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        down = torch.jit.trace(lambda plane: unshuffle(plane, factor), x)
        up = torch.jit.trace(lambda plane: shuffle(plane, factor), packed)
    assert "convolution" in str(down.graph) and "convolution" in str(up.graph)
    for pack, unpack in ((down, up), (lambda p: unshuffle(p, factor), lambda p: shuffle(p, factor))):
        assert torch.equal(pack(x), packed)
        assert torch.equal(unpack(packed), x)
