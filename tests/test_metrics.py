"""Measures against published pairs, hand-made values and an independent program."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix import metrics

SHARMA = np.array(
    [
        [float(value) for value in line.split()]
        for line in """
        50 2.6772 -79.7751 50 0 -82.7485 2.0425
        50 3.1571 -77.2803 50 0 -82.7485 2.8615
        50 2.8361 -74.0200 50 0 -82.7485 3.4412
        50 -1.3802 -84.2814 50 0 -82.7485 1.0000
        50 -1.1848 -84.8006 50 0 -82.7485 1.0000
        50 -0.9009 -85.5211 50 0 -82.7485 1.0000
        50 0 0 50 -1 2 2.3669
        50 -1 2 50 0 0 2.3669
        50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
        50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
        50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
        50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
        50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
        50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
        50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
        50 2.5 0 50 0 -2.5 4.3065
        50 2.5 0 73 25 -18 27.1492
        50 2.5 0 61 -5 29 22.8977
        50 2.5 0 56 -27 -3 31.9030
        50 2.5 0 58 24 15 19.4535
        50 2.5 0 50 3.1736 0.5854 1.0000
        50 2.5 0 50 3.2972 0 1.0000
        50 2.5 0 50 1.8634 0.5757 1.0000
        50 2.5 0 50 3.2592 0.3350 1.0000
        60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
        63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
        61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
        35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
        22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
        36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
        90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
        90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
        6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
        2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
        """.strip().splitlines()
    ]
)
"""Table 1 of Sharma, Wu, Dalal 2005: two L*a*b* colors and their CIEDE2000 difference."""


def picture(seed: int, shape: tuple[int, ...] = (40, 48, 3)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def test_delta_e_2000_agrees_with_the_published_pairs() -> None:
    found = metrics.delta_e_2000(SHARMA[:, :3], SHARMA[:, 3:6])
    np.testing.assert_allclose(found, SHARMA[:, 6], atol=5.1e-5)


def test_delta_e_2000_is_symmetric_and_zero_on_the_diagonal() -> None:
    first, second = SHARMA[:, :3], SHARMA[:, 3:6]
    np.testing.assert_allclose(metrics.delta_e_2000(first, second), metrics.delta_e_2000(second, first))
    assert (metrics.delta_e_2000(first, first) == 0).all()


def test_delta_e_76_is_a_distance() -> None:
    assert metrics.delta_e_76(np.array([50, 3, 4]), np.array([62, 0, 0])) == pytest.approx(13)


def test_psnr_of_a_constant_error_is_its_own_level() -> None:
    reference = np.zeros((8, 8), np.float32)
    assert metrics.psnr(reference + 0.1, reference) == pytest.approx(20)
    assert metrics.psnr(reference + 25.5, reference, peak=255) == pytest.approx(20)


def test_psnr_of_unsigned_values_does_not_wrap() -> None:
    black, white = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    assert metrics.psnr(black, white, peak=255) == pytest.approx(0)


def test_psnr_of_equal_images_is_infinite() -> None:
    assert metrics.psnr(picture(0), picture(0)) == np.inf


def test_border_leaves_errors_at_the_edge_out() -> None:
    reference = picture(0)
    image = reference.copy()
    image[:2] += 1
    image[:, -2:] += 1
    assert metrics.psnr(image, reference, border=2) == np.inf
    assert metrics.psnr(image, reference, border=1) < 20


def test_images_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        metrics.psnr(np.zeros((4, 4)), np.zeros((4, 5)))


def test_srgb8_at_published_points() -> None:
    linear = np.array([-0.1, 0.0, 0.0031308, 0.18, 0.2158605, 0.5, 1.0, 2.0])
    assert metrics.srgb8(linear).tolist() == [0, 0, 10, 118, 128, 188, 255, 255]


def test_cpsnr_is_that_of_the_8_bit_pictures() -> None:
    image, reference = picture(0), picture(1)
    eight = metrics.srgb8(image), metrics.srgb8(reference)
    wide = eight[0].astype(float) - eight[1]
    expected = 10 * np.log10(255**2 / np.mean(wide**2))
    assert metrics.cpsnr(image, reference) == pytest.approx(expected)
    assert metrics.cpsnr(*eight, linear=False) == pytest.approx(expected)


def test_cpsnr_does_not_see_what_8_bits_cannot_hold() -> None:
    reference = np.full((8, 8, 3), 0.5)
    assert metrics.cpsnr(reference + 1e-5, reference) == np.inf
    assert metrics.cpsnr(reference + 2, reference + 1) == np.inf


@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_ssim_of_equal_images_is_one(window: str) -> None:
    assert metrics.ssim(picture(0), picture(0), window=window) == pytest.approx(1)


def test_ssim_of_two_flat_fields_is_their_luminance_term() -> None:
    first, second, c1 = 0.2, 0.6, 1e-4
    expected = (2 * first * second + c1) / (first**2 + second**2 + c1)
    assert metrics.ssim(np.full((16, 16), first), np.full((16, 16), second)) == pytest.approx(expected)


def test_ssim_of_a_negative_is_negative() -> None:
    image = picture(0, (32, 32))
    assert metrics.ssim(1 - image, image) < -0.9


def test_ssim_refuses_an_image_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="window"):
        metrics.ssim(picture(0, (10, 20)), picture(1, (10, 20)))


@pytest.mark.peers
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_ssim_agrees_with_scikit_image(window: str) -> None:
    peer = pytest.importorskip("skimage.metrics")
    image, reference = picture(0), np.clip(picture(0) + 0.2 * picture(1), 0, 1)
    options = {"gaussian_weights": True, "sigma": 1.5} if window == "gaussian" else {"win_size": 7}
    expected = peer.structural_similarity(
        image, reference, data_range=1, channel_axis=2, use_sample_covariance=False, **options
    )
    assert metrics.ssim(image, reference, window=window) == pytest.approx(expected, abs=1e-9)


def test_lab_of_the_white_point_and_of_black() -> None:
    lab = metrics.to_lab(np.array([metrics.D65, (0.0, 0.0, 0.0)]))
    np.testing.assert_allclose(lab, [[100, 0, 0], [0, 0, 0]], atol=1e-9)


def test_lab_of_middle_gray() -> None:
    lab = metrics.to_lab(0.184187 * np.asarray(metrics.D65))
    np.testing.assert_allclose(lab, [50, 0, 0], atol=1e-3)


def test_a_true_picture_neither_zips_nor_has_false_color() -> None:
    lab = 100 * picture(0)
    assert metrics.zipper_ratio(lab, lab) == 0
    assert metrics.false_color_ratio(lab, lab) == 0


def test_a_zipper_is_counted_where_it_zips() -> None:
    reference = np.zeros((12, 12, 3))
    image = reference.copy()
    image[5, 2:10:2, 0] = 10
    assert 4 / 100 <= metrics.zipper_ratio(image, reference) < 0.5


def test_a_change_of_lightness_is_no_false_color() -> None:
    reference = np.zeros((10, 10, 3))
    image = reference.copy()
    image[..., 0] = 40
    assert metrics.false_color_ratio(image, reference) == 0
    image[:5, :, 1] = 5
    assert metrics.false_color_ratio(image, reference) == 0.5


def test_psnr_near_a_mask_sees_its_neighborhoods_alone() -> None:
    reference = np.zeros((40, 40, 3))
    image = reference + 0.5
    mask = np.zeros((40, 40), bool)
    mask[20, 20] = mask[3, 3] = True
    image[18:23, 18:23] = 0.1
    assert metrics.near_psnr(image, reference, mask, border=8) == pytest.approx(20)
    assert metrics.near_psnr(image, reference, mask, size=7, border=8) < 20
    assert np.isnan(metrics.near_psnr(image, reference, np.zeros_like(mask)))
