"""Lossless JPEG comes back from two decoders that are not ours."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.io.ljpeg import encode, huffman

DECODERS = {"liblj92": imagecodecs.ljpeg_decode, "libjpeg-turbo": imagecodecs.jpeg_decode}


def picture(kind: str, shape: tuple[int, int, int]) -> np.ndarray:
    rng = np.random.default_rng(0)
    height, width, _ = shape
    ramp = np.add.outer(np.arange(height), np.arange(width))[..., None] * 30.0
    return {
        "photo": lambda: (ramp + rng.normal(500, 20, shape)).clip(0, 65535).astype(np.uint16),
        "noise": lambda: rng.integers(0, 65536, shape).astype(np.uint16),
        "half scale": lambda: (rng.integers(0, 2, shape) * 32768).astype(np.uint16),
        "flat": lambda: np.full(shape, 32768, np.uint16),
    }[kind]()


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("kind", ["photo", "noise", "half scale", "flat"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (16, 16, 1), (256, 128, 2), (250, 131, 3)])
def test_every_sample_comes_back(shape: tuple[int, int, int], kind: str, decoder: str) -> None:
    samples = picture(kind, shape)
    np.testing.assert_array_equal(DECODERS[decoder](encode(samples)).reshape(shape), samples)


def test_a_photograph_gets_smaller() -> None:
    samples = picture("photo", (256, 256, 3))
    assert len(encode(samples)) < 0.5 * samples.nbytes


@given(st.lists(st.integers(0, 10**9), min_size=17, max_size=17))
def test_codes_are_those_of_a_table_that_jpeg_can_hold(counts: list[int]) -> None:
    lengths, codes = huffman(np.array(counts))
    assert lengths.min() >= 1 and lengths.max() <= 16
    words = [format(code, f"0{length}b") for code, length in zip(codes, lengths, strict=True)]
    assert not any(a != b and b.startswith(a) for a in words for b in words)
    assert len(set(words)) == 17 and not any(set(word) == {"1"} for word in words)
