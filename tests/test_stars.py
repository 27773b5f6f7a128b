"""A night sky keeps its stars and loses its hot pixels, whatever the network thinks of stars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from rawfix.demosaicing import demosaic_model, tiled
from rawfix.frame import Image, RawFrame
from rawfix.physics.sensor import Sensor, expose
from rawfix.pipeline import to_camera
from rawfix.settings import Settings
from rawfix.stages import demosaic as stage
from rawfix.stages.normalize import normalize
from tests.conftest import noise_at
from tests.physics.stars import SKY, Star, night_sky

pytestmark = pytest.mark.models
SIZE = (384, 384)
NOISE = noise_at(800)
WB = (2.0, 1.0, 1.5)


def exposed(number: int, seed: int = 7) -> tuple[RawFrame, Image, list[Star]]:
    rng = np.random.default_rng(seed)
    light, stars = night_sky(SIZE, number, rng)
    frame, _ = expose(light, Sensor(noise_model=NOISE, wb=WB, iso=800), rng)
    return frame, np.minimum(light, np.float32(WB)), stars


def with_hot_pixels(frame: RawFrame, seed: int = 3) -> tuple[RawFrame, np.ndarray]:
    """One pixel in a thousand 3 to 80 % of white brighter, and where."""
    from dataclasses import replace

    rng = np.random.default_rng(seed)
    hot = rng.random(frame.mosaic.shape) < 1e-3
    added = np.exp(rng.uniform(np.log(0.03), np.log(0.8), frame.mosaic.shape)) * 15871
    mosaic = np.where(hot, np.minimum(frame.mosaic + added, 16383), frame.mosaic).astype(np.uint16)
    return replace(frame, mosaic=mosaic), hot


def flux(camera: Image, stars: list[Star]) -> float:
    """Light of all stars in all channels above the sky, in boxes of 13 pixels."""
    boxes = (camera[int(s.y) - 6 : int(s.y) + 7, int(s.x) - 6 : int(s.x) + 7] for s in stars)
    return float(sum((box - SKY).sum(dtype=np.float64) for box in boxes))


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        stage, "are_point_sources", lambda mosaic, sites, *rest: np.zeros(len(sites[0]), bool)
    )


def test_a_star_field_keeps_its_light() -> None:
    frame, light, stars = exposed(120)
    camera, bad, _ = to_camera(frame, Settings())
    assert frame.cfa is not None and bad is not None
    mosaic = normalize(frame)
    measured = 1 - (mosaic - frame.cfa.mosaic(camera)).sum() / (mosaic - SKY).sum()
    assert measured >= 0.99
    assert 0.98 < flux(camera, stars) / flux(light, stars) < 1.03


def test_hot_pixels_among_stars_are_repaired_with_the_guard_as_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recalls = []
    for guarded in (True, False):
        if not guarded:
            monkeypatch.setattr(
                stage, "are_point_sources", lambda mosaic, sites, *rest: np.zeros(len(sites[0]), bool)
            )
        found = planted = 0
        for seed in range(3):
            frame, hot = with_hot_pixels(exposed(60, seed)[0], seed)
            _, bad, _ = to_camera(frame, Settings())
            assert bad is not None
            found, planted = found + int(bad[hot].sum()), planted + int(hot.sum())
        recalls.append(found / planted)
    assert recalls[1] > 0.9
    assert recalls[0] >= recalls[1] - 0.01


def peaks(mosaic: Image, stars: list[Star]) -> np.ndarray:
    """The brightest sample of every star."""
    mask = np.zeros(mosaic.shape, bool)
    for star in stars:
        top, left = round(star.y) - 1, round(star.x) - 1
        y, x = divmod(int(np.argmax(mosaic[top : top + 3, left : left + 3])), 3)
        mask[top + y, left + x] = True
    return mask


def develop_with_a_network_that_hates_stars(frame: RawFrame, stars: list[Star]) -> tuple[Image, Image]:
    """The shipped network, made to replace the peak of every star and to call it bad: camera and mosaic."""
    model = demosaic_model(frame, Settings())
    assert model is not None and frame.cfa is not None
    shipped, mosaic = tiled(model, frame, Settings(), None), normalize(frame)
    hated = peaks(mosaic, stars)

    def network(inputs: Mapping[str, Any], finish: Any) -> Any:
        def verdict(y: int, x: int, planes: dict[str, Image]) -> Any:
            height, width = planes["bad"].shape
            worse = np.maximum(planes["bad"], hated[y : y + height, x : x + width])
            return finish(y, x, {**planes, "bad": worse})

        return shipped({**inputs, "known_bad": hated.astype(np.float32)}, verdict)

    camera, _ = stage.demosaic(mosaic, frame.cfa, frame.wb, NOISE, network)
    return camera, mosaic


def test_the_guard_saves_stars_from_any_network() -> None:
    frame, light, stars = exposed(80)
    camera, mosaic = develop_with_a_network_that_hates_stars(frame, stars)
    assert frame.cfa is not None
    assert 1 - (mosaic - frame.cfa.mosaic(camera)).sum() / (mosaic - SKY).sum() >= 0.99
    assert flux(camera, stars) / flux(light, stars) > 0.97


@pytest.mark.usefixtures("unguarded")
def test_without_the_guard_such_a_network_loses_them() -> None:
    frame, _, stars = exposed(80)
    camera, mosaic = develop_with_a_network_that_hates_stars(frame, stars)
    assert frame.cfa is not None
    assert 1 - (mosaic - frame.cfa.mosaic(camera)).sum() / (mosaic - SKY).sum() < 0.98
