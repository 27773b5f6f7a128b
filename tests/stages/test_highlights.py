"""Blown highlights come back without magenta, and nothing else moves."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from rawfix.stages.highlights import rebuild_highlights

CLIP = np.array([2.0, 1.0, 1.5], np.float32)


def blown(color: tuple[float, float, float], noise: float = 0.003) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:192, :192]
    light = 3.0 * np.exp(-(((y - 96) ** 2 + (x - 96) ** 2) / 48.0**2))
    truth = (light[..., None] * np.array(color)).astype(np.float32)
    measured = np.minimum(truth, CLIP)
    return truth, measured + np.random.default_rng(3).normal(0, noise, truth.shape).astype(np.float32)


def test_a_picture_without_clipping_is_returned_itself() -> None:
    camera = np.random.default_rng(0).uniform(-0.1, 0.85, (70, 90, 3)).astype(np.float32)
    assert rebuild_highlights(camera, CLIP) is camera


def test_pixels_far_from_clipping_are_kept_bit_for_bit() -> None:
    _, camera = blown((0.8, 1.0, 1.2))
    before = camera.copy()
    rebuilt = rebuild_highlights(camera, CLIP)
    far = (camera < 0.9 * CLIP).all(-1)
    assert (rebuilt[far] == camera[far]).all()
    assert (camera == before).all()
    assert not (rebuilt == camera).all()


def test_a_white_light_is_rebuilt_white_everywhere() -> None:
    truth, camera = blown((1.0, 1.0, 1.0))
    rebuilt = rebuild_highlights(camera, CLIP)
    believable = truth[..., 0] < 1.7
    np.testing.assert_allclose(rebuilt[believable], truth[believable], atol=0.05)
    core = truth[..., 0] > 2.2
    assert (rebuilt[core] == 2.0).all()


@pytest.mark.parametrize("color", [(0.75, 1.0, 1.26), (1.3, 1.0, 0.8), (1.4, 0.9, 0.4)])
def test_a_colored_light_is_rebuilt_closer_than_it_was(color: tuple[float, float, float]) -> None:
    truth, camera = blown(color)
    rebuilt = rebuild_highlights(camera, CLIP)
    ring = (truth > CLIP).any(-1) & (truth < 1.9).all(-1)
    assert ring.any()
    assert np.abs(rebuilt - truth)[ring].mean() < 0.5 * np.abs(camera - truth)[ring].mean()


def test_no_seam_appears_where_clipping_begins() -> None:
    _, camera = blown((0.9, 1.0, 1.1), noise=0.0)
    row = rebuild_highlights(camera, CLIP)[96]
    assert np.abs(np.diff(row, axis=0)).max() < 0.16


def test_fully_clipped_picture_is_neutral() -> None:
    camera = np.broadcast_to(CLIP, (33, 17, 3)).astype(np.float32)
    assert (rebuild_highlights(camera, CLIP) == 2.0).all()


def test_in_place_gives_the_same_in_the_picture_itself() -> None:
    _, camera = blown((0.8, 1.0, 1.2))
    rebuilt = rebuild_highlights(camera, CLIP)
    assert rebuilt is not camera
    assert rebuild_highlights(camera, CLIP, in_place=True) is camera
    assert np.array_equal(camera, rebuilt)


def test_memory_beyond_the_result_stays_small() -> None:
    camera = np.full((2048, 1024, 3), 0.3, np.float32)
    camera[500:900, 200:700] = CLIP
    tracemalloc.start()
    rebuild_highlights(camera, CLIP)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < camera.nbytes * 1.4
