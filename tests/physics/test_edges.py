"""Edge widths of charts whose blur is known, and the PSF they make."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL
from rawfix.frame import Image, NoiseModel
from rawfix.physics.edges import Edge, find_edges, normal_cdf
from rawfix.physics.psf_field import LEAST, LEAST_EDGES, MOST, estimate_width, fit_field

NOISE = NoiseModel((1e-4,) * 3, (1e-7,) * 3)


def chart(height: int, width: int, sigma: float | NDArray[np.float64], cell: int = 80) -> Image:
    """Slanted squares as a sensor's square pixels see them through a Gaussian blur: ``(H, W, 3)``, with noise."""
    over = 4
    y, x = (np.mgrid[0 : height * over, 0 : width * over] + 0.5) / over
    angle = np.deg2rad(5.5)

    def wave(at: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = np.mod(at, 2 * cell)
        nearest = np.minimum(np.abs(phase - 0.5 * cell), np.abs(phase - 1.5 * cell))
        return normal_cdf(np.where(np.abs(phase - cell) < 0.5 * cell, nearest, -nearest) / sigma)

    across, down = wave(x * np.cos(angle) + y * np.sin(angle)), wave(y * np.cos(angle) - x * np.sin(angle))
    fine = 0.1 + 0.5 * (across * down + (1 - across) * (1 - down))
    gray = fine.reshape(height, over, width, over).mean((1, 3))
    light = gray[..., None] * np.array((0.5, 1.0, 0.7))
    noise = np.sqrt(1e-4 * light + 1e-7) * np.random.default_rng(0).standard_normal(light.shape)
    return (light + noise).astype(np.float32)


def medians(edges: list[Edge]) -> NDArray[np.float64]:
    return np.nanmedian(np.array([edge.sigmas for edge in edges]), axis=0)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 2.0])
@pytest.mark.parametrize("family", ["bayer", "xtrans", "mono", None])
def test_known_blur_is_measured_within_five_percent(sigma: float, family: str | None) -> None:
    light = chart(240, 300, sigma)
    cfa = None if family is None else CANONICAL[family]
    edges = find_edges(
        light if cfa is None else cfa.mosaic(light), None if cfa is None else cfa.unit(), NOISE
    )
    assert len(edges) >= LEAST_EDGES
    assert np.abs(medians(edges) / sigma - 1).max() < 0.05


def test_noise_and_texture_are_no_edges() -> None:
    rng = np.random.default_rng(0)
    flat = (0.3 + 0.02 * rng.standard_normal((200, 200))).astype(np.float32)
    blocks = np.kron(rng.random((50, 50)), np.ones((4, 4))).astype(np.float32) * 0.8
    coarse = NoiseModel((1e-3,) * 3, (1e-4,) * 3)
    assert find_edges(flat, CANONICAL["bayer"].unit(), coarse) == []
    assert find_edges(blocks, CANONICAL["bayer"].unit(), coarse) == []


def test_clipped_edges_are_left_out() -> None:
    light = np.minimum(chart(240, 300, 1.0) * 2, 1).astype(np.float32)
    widths = [edge.sigmas for edge in find_edges(light, None, NOISE)]
    assert widths and np.isnan(np.array(widths)[:, 1]).all()
    assert np.isfinite(np.array(widths)[:, 0]).any()


def test_edges_along_the_rows_are_left_out() -> None:
    """An edge that keeps its phase does not say how wide it is."""
    light = np.full((120, 120), 0.1, np.float32)
    light[:, 60:] = 0.6
    assert find_edges(light, CANONICAL["bayer"].unit(), NOISE) == []


def test_width_grows_towards_the_corners() -> None:
    height, width = 420, 560
    y, x = np.mgrid[0 : height * 4, 0 : width * 4] / 4
    radius = np.hypot(y - height / 2, x - width / 2) / np.hypot(height / 2, width / 2)
    light = chart(height, width, np.sqrt(0.7**2 + (1.5**2 - 0.7**2) * radius**2))
    psf = fit_field(find_edges(light, None, NOISE), (height, width))
    assert psf is not None and psf.source == "calibrated"
    assert psf.center == pytest.approx((0.7,) * 3, rel=0.05)
    assert psf.corner == pytest.approx((1.5,) * 3, rel=0.05)
    assert psf.at(0.5)[1] == pytest.approx(np.sqrt(0.7**2 + (1.5**2 - 0.7**2) / 4), rel=0.05)


def edge(*sigmas: float) -> Edge:
    return Edge(10.0, 10.0, (sigmas[0], sigmas[1], sigmas[2]), 0.5)


def test_photographs_are_judged_by_their_sharpest_edges() -> None:
    nan = float("nan")
    sharp = [edge(nan, 0.8, 0.9)] * 10
    soft = [edge(nan, 2.5, 3.0)] * 10
    psf = estimate_width(sharp + soft)
    assert psf is not None and psf.source == "estimated"
    assert psf.center == psf.corner == pytest.approx((0.8, 0.8, 0.9))


def test_an_estimate_is_bounded_and_needs_edges() -> None:
    blunt, keen = estimate_width([edge(5, 5, 5)] * 8), estimate_width([edge(0.1, 0.1, 0.1)] * 8)
    assert blunt is not None and blunt.center == (MOST,) * 3
    assert keen is not None and keen.center == (LEAST,) * 3
    assert estimate_width([edge(1, 1, 1)] * 7) is None and estimate_width([]) is None
    assert fit_field([edge(1, 1, 1)] * 7, (100, 100)) is None
