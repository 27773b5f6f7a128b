"""Point spread functions keep light, keep the centre, and have the shapes they are named after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.physics import psf

KERNELS = {
    "gaussian": psf.gaussian(1.3),
    "small gaussian": psf.gaussian(0.01),
    "disc": psf.disc(2.6),
    "motion": psf.motion(5.0, 0.4),
    "airy": psf.airy(2.2),
    "low pass": psf.low_pass(0.7),
    "nothing": psf.gaussian(0),
}


def centroid(kernel: np.ndarray) -> tuple[float, float]:
    """``(y, x)`` from the central pixel."""
    y, x = (np.arange(side) - side // 2 for side in kernel.shape)
    return float((kernel.sum(1) * y).sum()), float((kernel.sum(0) * x).sum())


def spread(kernel: np.ndarray) -> tuple[float, float]:
    """Variance along y and x."""
    y, x = (np.arange(side) - side // 2 for side in kernel.shape)
    return float((kernel.sum(1) * y**2).sum()), float((kernel.sum(0) * x**2).sum())


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_odd_sums_to_one_and_is_centered(name: str) -> None:
    kernel = KERNELS[name]
    assert kernel.dtype == np.float32
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert centroid(kernel) == pytest.approx((0, 0), abs=1e-5)


@given(st.floats(0.01, 6), st.floats(0, np.pi))
def test_every_size_sums_to_one(size: float, angle: float) -> None:
    for kernel in (psf.disc(size), psf.motion(size, angle), psf.low_pass(size / 2), psf.gaussian(size / 3)):
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert centroid(kernel) == pytest.approx((0, 0), abs=1e-4)


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
def test_gaussian_has_its_variance_and_that_of_the_pixel(sigma: float) -> None:
    assert spread(psf.gaussian(sigma)) == pytest.approx((sigma**2 + 1 / 12,) * 2, rel=0.02)


@pytest.mark.parametrize("radius", [4.0, 6.5])
def test_disc_has_the_variance_of_a_disc(radius: float) -> None:
    assert spread(psf.disc(radius)) == pytest.approx((radius**2 / 4 + 1 / 12,) * 2, rel=0.03)


def test_motion_spreads_along_its_angle() -> None:
    along, across = spread(psf.motion(9.0, np.pi / 2))
    assert along == pytest.approx(81 / 12 + 1 / 12, rel=0.05)
    assert across < 0.2
    np.testing.assert_allclose(psf.motion(9.0, 0.0), psf.motion(9.0, np.pi / 2).T, atol=1e-6)


def test_airy_is_dark_at_its_first_zero_and_has_a_ring_beyond() -> None:
    radius = 20
    kernel = psf.airy(float(radius))
    center = kernel.shape[0] // 2
    line = kernel[center, center:] / kernel[center, center]
    assert int(line[: radius + 5].argmin()) == radius
    assert line[radius] < 1e-3
    # First ring: 1.75 % of the peak, at v = 5.1356 (Born and Wolf, table 8.2).
    ring = radius + int(line[radius : 2 * radius].argmax())
    assert ring == pytest.approx(radius * 5.1356 / 3.8317, abs=1)
    assert line[ring] == pytest.approx(0.0175, rel=0.05)


def test_airy_holds_84_percent_within_its_first_zero() -> None:
    kernel = psf.airy(12.0)
    y, x = (np.arange(kernel.shape[0]) - kernel.shape[0] // 2 for _ in range(2))
    inside = np.hypot(y[:, None], x[None]) <= 12
    # Out of 93.8 % and a little more within three times the radius, where the kernel ends.
    assert 0.838 < kernel[inside].sum() < 0.838 / 0.93


def test_low_pass_is_four_spots() -> None:
    kernel = psf.low_pass(2.0)
    center = kernel.shape[0] // 2
    for y in (-1, 1):
        for x in (-1, 1):
            assert kernel[center + y, center + x] == pytest.approx(0.25)
    np.testing.assert_array_equal(psf.low_pass(0.0).nonzero(), [[1], [1]])


@given(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from(sorted(KERNELS)))
def test_a_shift_moves_the_centroid_and_keeps_the_light(dy: float, dx: float, name: str) -> None:
    moved = psf.shifted(KERNELS[name], dy, dx)
    assert moved.sum() == pytest.approx(1, abs=1e-5)
    assert centroid(moved) == pytest.approx((dy, dx), abs=1e-3)


@pytest.mark.parametrize("name", KERNELS)
def test_an_impulse_becomes_the_kernel(name: str) -> None:
    kernel = psf.shifted(KERNELS[name], 0.3, -0.6)
    radius = kernel.shape[0] // 2
    image = np.zeros((41, 43, 3), np.float32)
    image[20, 21] = 1
    blurred = psf.blur(image, (kernel, kernel, np.ones((1, 1), np.float32)))
    found = blurred[20 - radius : 21 + radius, 21 - radius : 22 + radius]
    np.testing.assert_allclose(found[..., 0], kernel, atol=1e-6)
    np.testing.assert_allclose(found[..., 1], kernel, atol=1e-6)
    np.testing.assert_array_equal(blurred[..., 2], image[..., 2])
    assert blurred[..., 0].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", KERNELS)
def test_a_flat_field_stays_flat_to_its_border(name: str) -> None:
    image = np.full((9, 12, 3), 0.37, np.float32)
    np.testing.assert_allclose(psf.blur(image, (KERNELS[name],) * 3), image, atol=1e-6)


def test_blur_does_not_clip() -> None:
    image = np.array([[-2.0, 5.0] * 4] * 8, np.float32)[..., None]
    blurred = psf.blur(image, (psf.gaussian(0.3),))
    assert blurred.min() < -0.5
    assert blurred.max() > 2


def test_a_point_keeps_its_light_and_place_and_width_between_pixels() -> None:
    shown = psf.spot((32, 41), (14.3, 20.8), 1.2)
    y, x = np.indices(shown.shape) + 0.5
    assert shown.sum() == pytest.approx(1, abs=1e-6)
    assert ((shown * y).sum(), (shown * x).sum()) == pytest.approx((14.3, 20.8), abs=1e-4)
    assert (shown * (x - 20.8) ** 2).sum() == pytest.approx(1.2**2 + 1 / 12, abs=1e-3)  # and the pixel's own
