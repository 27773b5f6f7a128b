"""Clusters of a frame: found whole where a part of one was found, and repaired as if they had been known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from rawfix import demosaicing
from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import Image, RawFrame
from rawfix.metrics import cpsnr
from rawfix.physics.sensor import Sensor, expose
from rawfix.pipeline import develop, find, to_camera
from rawfix.settings import Settings
from tests.conftest import noise_at, scene

pytestmark = pytest.mark.models
SETTINGS = Settings()
Bool = NDArray[np.bool_]


@pytest.fixture
def light(script: ModuleType) -> Image:
    return script.render_scene()[500:820, 30:542].clip(0, 1) * np.float32(0.9)


def with_blocks(frame: RawFrame, side: int, seed: int = 0) -> tuple[RawFrame, Bool]:
    """Two dozen blocks, each of one value."""
    rng = np.random.default_rng(seed)
    mosaic, blocks = frame.mosaic.copy(), np.zeros(frame.mosaic.shape, bool)
    for y in range(20, 300, 75):
        for x in range(20, 480, 75):
            at = np.s_[
                (top := y + rng.integers(20)) : top + side, (left := x + rng.integers(20)) : left + side
            ]
            mosaic[at] = rng.choice([512, 16383, rng.integers(512, 16383)])
            blocks[at] = True
    return replace(frame, mosaic=mosaic), blocks


def near(blocks: Bool, reach: int = 3) -> Bool:
    marked = blocks.copy()
    for y, x in zip(*np.nonzero(blocks), strict=True):
        marked[y - reach : y + reach + 1, x - reach : x + reach + 1] = True
    return marked


@pytest.mark.parametrize(
    ("quality", "side", "left", "gain"),
    [("fast", 2, 0.6, 2), ("standard", 2, 0.6, 2), ("standard", 3, 0.8, 1)],
)
def test_more_of_each_block_is_found_and_less_of_it_left(
    make_frame: Callable[..., RawFrame],
    light: Image,
    monkeypatch: pytest.MonkeyPatch,
    quality: str,
    side: int,
    left: float,
    gain: int,
) -> None:
    settings = replace(SETTINGS, quality=quality)
    frame = make_frame(light, black=512, white=16383)
    blotted, blocks = with_blocks(frame, side)
    whole, found = to_camera(frame, settings)[0], find(blotted, settings)
    monkeypatch.setattr(demosaicing, "find_clustered", lambda *given: np.zeros_like(given[-1]))
    parts = find(blotted, settings)
    assert found.bad is not None and parts.bad is not None
    missed, missed_before = (blocks & ~bad for bad in (found.bad, parts.bad))
    assert missed.sum() < left * missed_before.sum()
    around = near(blocks)
    psnr, before = (
        cpsnr(camera[around][None], whole[around][None]) for camera in (found.camera, parts.camera)
    )
    assert psnr > before + gain


def test_blocks_are_repaired_as_if_they_had_been_known(
    make_frame: Callable[..., RawFrame],
) -> None:
    y, x = np.mgrid[:320, :512]
    light = np.repeat((0.3 + 0.2 * np.sin(x / 30 + y / 40))[..., None], 3, 2).astype(np.float32)
    frame = make_frame(light, black=512, white=16383)
    mosaic, blocks = frame.mosaic.copy(), np.zeros(frame.mosaic.shape, bool)
    for y, x in ((40, 90), (41, 200), (150, 300)):
        mosaic[y : y + 2, x : x + 2] = 16383
        blocks[y : y + 2, x : x + 2] = True
    blotted = replace(frame, mosaic=mosaic)
    found, told = find(blotted, SETTINGS), find(replace(blotted, known_bad=blocks), SETTINGS)
    assert found.bad is not None and found.bad[blocks].all()
    around, whole = near(blocks), to_camera(frame, SETTINGS)[0]
    reached, best = (
        cpsnr(camera[around][None], whole[around][None]) for camera in (found.camera, told.camera)
    )
    assert reached > best - 1
    assert np.abs(found.camera - told.camera)[~near(blocks, 24)].max() < 1e-3


def test_tiles_do_not_matter(make_frame: Callable[..., RawFrame], light: Image) -> None:
    blotted, _ = with_blocks(make_frame(light, black=512, white=16383), 2, seed=3)
    one, many = (find(blotted, replace(SETTINGS, tile=tile)) for tile in (0, 128))
    assert one.bad is not None and many.bad is not None
    assert np.array_equal(one.bad, many.bad)
    assert np.abs(one.camera - many.camera).max() < 1e-4


@pytest.mark.parametrize("family", ["bayer", "xtrans", "rgbir4"])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("at", [(303, 290), (20, 300)])
def test_a_second_look_at_a_part_is_one_at_the_whole(
    family: str, mirrored: bool, at: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = CANONICAL[family].unit()
    cfa = Cfa.from_array(unit[:, ::-1] if mirrored else unit).shift(1, 0)
    size = (542, 611)
    light = scene(*size)
    light = np.concatenate((light, light[..., 1:2] * 0.5), -1) if cfa.has_infrared else light
    sensor = Sensor(cfa=cfa, noise_model=noise_at(100), iso=100)
    frame, _ = expose(light, sensor, np.random.default_rng(0))
    block = np.zeros(size, bool)
    block[at[0] : at[0] + 2, at[1] : at[1] + 2] = True
    monkeypatch.setattr(demosaicing, "find_clustered", lambda *_: block.copy())
    part = find(frame, SETTINGS)
    monkeypatch.setattr(demosaicing, "find_clustered", lambda *given: np.zeros_like(given[-1]))
    whole, without = find(replace(frame, known_bad=block), SETTINGS), find(frame, SETTINGS)
    assert part.bad is not None and whole.bad is not None
    assert np.abs(without.camera - whole.camera).max() > 5e-3
    assert np.abs(part.camera - whole.camera).max() < 1e-5
    assert np.array_equal(part.bad, whole.bad)


def test_a_frame_without_clusters_is_looked_at_once(make_frame: Callable[..., RawFrame]) -> None:
    steps: list[tuple[int, int]] = []
    develop(make_frame(size=(400, 480)), SETTINGS, progress=lambda done, total: steps.append((done, total)))
    assert steps and len(steps) == len(set(steps))
