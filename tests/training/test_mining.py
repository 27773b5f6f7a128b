"""Hard places: drawn where linear demosaicing errs, never mostly from one picture."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from rawfix.cfa import CANONICAL  # noqa: E402
from rawfix.training import mining  # noqa: E402
from rawfix.training.data import Photo  # noqa: E402

pytestmark = pytest.mark.torch
CFA = CANONICAL["bayer"]


class Greens(nn.Module):
    """A demosaic that knows even light alone: every channel is the mosaic itself."""

    def forward(self, mosaic: torch.Tensor) -> torch.Tensor:
        return mosaic.expand(-1, 3, -1, -1)


def picture(seed: int, busy: tuple[slice, slice] | None = None) -> Photo:
    photo = np.full((480, 480, 3), 90 + seed, np.uint8)
    if busy is not None:
        rng = np.random.default_rng(seed)
        photo[busy] = rng.integers(0, 255, photo[busy].shape, np.uint8)
    return photo


def test_crops_hold_the_places_where_demosaicing_errs() -> None:
    busy = (slice(96, 384), slice(144, 432))
    photos = tuple((str(k), picture(k, busy if k % 4 == 0 else None)) for k in range(40))
    hard = mining.find(photos, CFA, Greens())
    assert set(hard.places[:, 0] % 4) == {0}
    rng = np.random.default_rng(1)
    for size in (48, 96, 144):
        crops = [hard.draw(size, rng) for _ in range(60)]
        assert {crop.shape for crop in crops} == {(size, size, 3)}
        assert min(crop.std() for crop in crops) > 20  # part of the noise is in every one


def test_one_picture_does_not_make_up_the_hard_places() -> None:
    photos = tuple(
        (str(k), picture(k, (slice(0, 480), slice(0, 480)) if k == 3 else None)) for k in range(80)
    )
    hard = mining.find(photos, CFA, Greens())
    count = np.bincount(hard.places[:, 0])
    assert 0 < count[3] <= max(round(mining.MOST_OF_ONE * mining.SHARE * 80 * 100), 1)


def test_crops_at_the_border_stay_inside() -> None:
    photos = (("corner", picture(5, (slice(432, 480), slice(432, 480)))),)
    hard = mining.find(photos, CFA, Greens())
    rng = np.random.default_rng(2)
    assert all(hard.draw(96, rng).shape == (96, 96, 3) for _ in range(40))
