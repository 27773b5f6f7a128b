"""Small pictures, small networks, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def smooth_photo(seed: int, height: int = 136, width: int = 144) -> np.ndarray:
    """Colored blobs: 8-bit sRGB, not white noise, so that a demosaic can be fitted."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((height // 8 + 1, width // 8 + 1, 3))
    y, x = np.arange(height) / 8, np.arange(width) / 8
    rows, cols = y.astype(int), x.astype(int)
    fy, fx = (y - rows)[:, None, None], (x - cols)[None, :, None]
    coarse = np.pad(coarse, ((0, 1), (0, 1), (0, 0)), mode="edge")
    top = coarse[rows][:, cols] * (1 - fx) + coarse[rows][:, cols + 1] * fx
    bottom = coarse[rows + 1][:, cols] * (1 - fx) + coarse[rows + 1][:, cols + 1] * fx
    return (255 * (top * (1 - fy) + bottom * fy)).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three small pictures."""
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(3):
        Image.fromarray(smooth_photo(seed)).save(folder / f"{seed}.png")
    return folder
