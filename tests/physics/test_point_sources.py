"""Stars are told from hot pixels by their neighbors of other colors."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import Image
from rawfix.physics.point_sources import are_point_sources
from rawfix.physics.sensor import Sensor, expose
from rawfix.stages.normalize import normalize
from tests.conftest import noise_at
from tests.physics.bodies import SIZE, scene
from tests.physics.stars import SKY, Star, night_sky

WB = (2.0, 1.0, 1.5)
NOISE = noise_at(800)
BAYER = Cfa.from_rows("RG", "GB")


def mosaic_of(light: Image, cfa: Cfa = BAYER, iso: float = 800, seed: int = 0) -> Image:
    frame, _ = expose(light, Sensor(cfa=cfa, noise_model=noise_at(iso), wb=WB), np.random.default_rng(seed))
    return normalize(frame)


def brightest(mosaic: Image, stars: list[Star]) -> tuple[np.ndarray, np.ndarray]:
    """The sample of each star that is most above its sky: the one a detector of outliers would take."""
    sites = []
    for star in stars:
        top, left = round(star.y) - 1, round(star.x) - 1
        y, x = divmod(int(np.argmax(mosaic[top : top + 3, left : left + 3])), 3)
        sites.append((top + y, left + x))
    rows, columns = np.array(sites).T
    return rows, columns


def grid(step: int = 9, size: int = 512) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = (
        part.ravel() for part in np.meshgrid(np.arange(6, size - 6, step), np.arange(6, size - 6, step))
    )
    return rows, columns


@pytest.mark.parametrize("family", ["bayer", "xtrans", "quad"])
def test_nearly_all_light_of_stars_is_spared(family: str) -> None:
    """Of the samples that carry a star's peak: those not spared hold less than a hundredth of all stars' light."""
    light, stars = night_sky((512, 512), 120, np.random.default_rng(1))
    mosaic = mosaic_of(light, CANONICAL[family])
    rows, columns = brightest(mosaic, stars)
    spared = are_point_sources(mosaic, (rows, columns), CANONICAL[family], WB, NOISE)
    lost = (mosaic[rows, columns] - SKY)[~spared].sum() / (mosaic - SKY).sum()
    assert lost < 0.01
    assert spared.mean() > 0.85


@pytest.mark.parametrize("sky", [SKY, 0.1])
@pytest.mark.parametrize("strength", [8, 20, 100, 5000])
def test_hot_pixels_in_the_dark_are_never_stars(sky: float, strength: float) -> None:
    """``strength`` is in noise deviations of the sky; the greatest is blown."""
    mosaic = mosaic_of(np.full((512, 512, 3), sky, np.float32))
    sites = grid()
    gain = np.asarray(WB)[BAYER.channels((512, 512))[sites]]
    sigma = np.sqrt(NOISE.shot[1] * sky + NOISE.read[1])
    mosaic[sites] = np.minimum(mosaic[sites] + strength * sigma * gain, gain)
    assert are_point_sources(mosaic, sites, BAYER, WB, NOISE).mean() < 0.005


@pytest.mark.parametrize("iso", [100, 3200])
@pytest.mark.parametrize("strength", [0.1, 0.3, 0.6])
def test_hot_pixels_on_a_scene_are_hardly_ever_stars(iso: float, strength: float) -> None:
    spared = []
    for seed in range(4):
        mosaic = mosaic_of(scene(np.random.default_rng(seed)) * np.float32(0.5), iso=iso)
        rows, columns = grid()
        sites = rows[rows < SIZE[0] - 4], columns[rows < SIZE[0] - 4]
        sites = sites[0][sites[1] < SIZE[1] - 4], sites[1][sites[1] < SIZE[1] - 4]
        gain = np.asarray(WB)[BAYER.channels(SIZE)[sites]]
        mosaic[sites] = np.minimum(mosaic[sites] + strength * gain, gain)
        spared.append(are_point_sources(mosaic, sites, BAYER, WB, noise_at(iso)).mean())
    assert np.mean(spared) < 0.01


@pytest.mark.parametrize(
    "others", [[(0, 1)], [(1, 0)], [(1, 1)], [(0, 1), (0, 2)], [(1, 0), (2, 0), (-1, 0)]]
)
def test_a_cluster_of_hot_pixels_is_no_star(others: list[tuple[int, int]]) -> None:
    mosaic = mosaic_of(np.full((512, 512, 3), SKY, np.float32))
    rows, columns = grid(13)
    for dy, dx in [(0, 0), *others]:
        mosaic[rows + dy, columns + dx] = 0.5
    assert are_point_sources(mosaic, (rows, columns), BAYER, WB, NOISE).mean() < 0.02


def test_dark_samples_are_no_points_of_light() -> None:
    light, stars = night_sky((256, 256), 40, np.random.default_rng(1))
    mosaic = mosaic_of(light)
    sites = brightest(mosaic, stars)
    mosaic[sites] = 0
    assert not are_point_sources(mosaic, sites, BAYER, WB, NOISE).any()


def test_worthless_samples_are_not_looked_at() -> None:
    light, stars = night_sky((256, 256), 40, np.random.default_rng(1))
    mosaic = mosaic_of(light)
    sites = brightest(mosaic, stars)
    worthless = np.random.default_rng(0).random(mosaic.shape) < 0.05
    worthless[sites] = False
    other = np.where(worthless, np.float32(0.9), mosaic)
    np.testing.assert_array_equal(
        are_point_sources(mosaic, sites, BAYER, WB, NOISE, worthless),
        are_point_sources(other, sites, BAYER, WB, NOISE, worthless),
    )


def test_at_the_border_and_without_sites_nothing_breaks() -> None:
    mosaic = mosaic_of(np.full((16, 16, 3), SKY, np.float32))
    corners = np.array([0, 0, 15, 15]), np.array([0, 15, 0, 15])
    mosaic[corners] = 0.5
    assert not are_point_sources(mosaic, corners, BAYER, WB, NOISE).any()
    nothing = np.zeros(0, np.intp)
    assert are_point_sources(mosaic, (nothing, nothing), BAYER, WB, NOISE).shape == (0,)
