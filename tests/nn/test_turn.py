"""A network that is shown a moved frame, and a caller who does not notice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL
from rawfix.nn.tiles import run_tiled
from rawfix.nn.turn import run_turned
from rawfix.symmetry import Symmetry

FAMILIES = st.sampled_from(sorted(CANONICAL))
SYMMETRIES = st.sampled_from(list(Symmetry.all()))


def exact(
    tensors: Mapping[str, np.ndarray], family: str, seen: list[tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """A network that knows only the canonical phase: every sample goes to its channel, twice sigma to the others."""
    mosaic, sigma = tensors["mosaic"][0, 0], tensors["sigma"][0, 0]
    seen.append(mosaic.shape)
    camera = np.repeat(2 * sigma[..., None], 4, axis=2)
    CANONICAL[family].place(mosaic, camera)
    return {"camera": np.moveaxis(camera, 2, 0)[None], "bad": (mosaic > 0.5).astype(np.float32)[None, None]}


@given(FAMILIES, SYMMETRIES, st.integers(0, 5), st.integers(0, 5), st.integers(1, 30), st.integers(1, 30))
def test_every_family_phase_and_symmetry_reaches_the_network_in_its_canonical_phase(
    family: str, symmetry: Symmetry, y: int, x: int, height: int, width: int
) -> None:
    cfa = CANONICAL[family].shift(y, x).moved(symmetry, (height, width))
    light = np.random.default_rng(height * 100 + width).random(
        (*symmetry.shape((height, width)), 4), np.float32
    )
    mosaic = cfa.mosaic(light)
    shape = (mosaic.shape[0], mosaic.shape[1])
    canonical = cfa.to_canonical(shape)
    assert canonical is not None
    _, move, origin = canonical
    sizes: list[tuple[int, ...]] = []

    def sigma(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
        assert 0 <= y0 < y1 <= shape[0]
        assert 0 <= x0 < x1 <= shape[1]
        return np.sqrt(mosaic[y0:y1, x0:x1])

    def run_tiles(inputs: Any, finish: Any) -> Any:
        return run_tiled(
            lambda tensors: exact(tensors, family, sizes), inputs, {"camera": 4, "bad": 1}, tile=8, halo=2,
            multiple=2, period=CANONICAL[family].period, origin=origin, finish=finish,
        )  # fmt: skip

    def finish(y: int, x: int, planes: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        height, width = planes["bad"].shape
        # What the caller sees at (y, x) is its own frame, in its own phase.
        part = mosaic[y : y + height, x : x + width]
        np.testing.assert_array_equal(cfa.shift(y, x).mosaic(planes["camera"]), part)
        return {"camera": planes["camera"], "bad": planes["bad"] > 0}

    found = run_turned(run_tiles, {"mosaic": mosaic, "sigma": sigma}, finish, move, shape)
    np.testing.assert_array_equal(found["bad"], mosaic > 0.5)
    expected = np.repeat(2 * np.sqrt(mosaic)[..., None], 4, axis=2)
    cfa.place(mosaic, expected)
    np.testing.assert_array_equal(found["camera"], expected)
    plain = run_turned(run_tiles, {"mosaic": mosaic, "sigma": sigma}, None, move, shape)
    np.testing.assert_array_equal(plain["camera"], expected)
