"""Figures of pictures and of detection, with networks whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from rawfix.cfa import CANONICAL
from rawfix.frame import NoiseModel, RawFrame
from rawfix.physics.bad_kinds import count_kinds, split_shapes
from rawfix.physics.psf import blur, gaussian
from rawfix.training.evaluation import detection, pictures, protocol, verdicts
from rawfix.training.evaluation.texture import texture_kept
from tests.training.conftest import smooth_photo

pytestmark = pytest.mark.torch

BAYER = CANONICAL["bayer"]


def textured(seed: int = 0) -> np.ndarray:
    """Smooth blobs under fine grain of a few levels: texture everywhere."""
    grain = np.random.default_rng(seed).normal(0, 5, (136, 144, 1))
    return np.clip(0.6 * smooth_photo(seed) + 50 + grain, 0, 255).astype(np.uint8)


class Known:
    """A network that says what it is told to, and gives the truth back."""

    def __init__(self, says: Callable[[np.ndarray], np.ndarray], truth: np.ndarray) -> None:
        self.cfa, self.says, self.truth = BAYER, says, truth

    def __call__(self, plane: np.ndarray, iso: float = 100.0) -> tuple[np.ndarray, np.ndarray]:
        return protocol.to_light(self.truth), self.says(plane)


def test_a_perfect_picture_has_perfect_figures() -> None:
    photo = textured()
    figures = pictures.compare(photo, photo)
    assert figures["cpsnr"] == np.inf
    assert (figures["ssim"], figures["texture_kept"]) == pytest.approx((1, 1))
    assert not any(figures[k] for k in ("delta_e_2000", "zipper_percent", "false_color_percent"))


def test_the_protocol_gives_a_picture_back() -> None:
    photo = smooth_photo(1)
    np.testing.assert_array_equal(protocol.shown(protocol.to_light(photo)), photo)
    plane = protocol.expose(protocol.to_light(photo), BAYER)
    assert plane.max() < protocol.EXPOSURE
    measured = plane * protocol.multipliers(BAYER, plane.shape)
    np.testing.assert_allclose(measured, BAYER.mosaic(protocol.to_light(photo)), rtol=1e-6)


def test_the_border_is_cut() -> None:
    photo = textured()
    wrong = photo.copy()
    wrong[: protocol.BORDER] = 0
    assert pictures.compare(wrong, photo)["cpsnr"] == np.inf
    wrong[protocol.BORDER] = 0
    assert pictures.compare(wrong, photo)["cpsnr"] < 40


def test_texture_is_lost_by_blur_and_not_by_noise() -> None:
    photo = textured()
    soft = blur(photo.astype(np.float32), (gaussian(1.0),) * 3)
    assert texture_kept(soft, photo) < 0.4
    noisy = photo + np.random.default_rng(5).normal(0, 6, photo.shape)
    assert texture_kept(noisy, photo) == pytest.approx(1, abs=0.05)


def test_a_flat_picture_has_no_texture_to_keep() -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert np.isnan(texture_kept(flat, flat))


def test_means_leave_perfect_pictures_and_missing_figures_out() -> None:
    rows = [{"cpsnr": 40.0, "ssim": 1.0}, {"cpsnr": np.inf, "ssim": 0.5}, {"ssim": np.nan}]
    assert pictures.mean(rows) == {"cpsnr": 40.0, "ssim": 0.75}


def test_all_planted_defects_are_found_by_a_network_that_sees_everything() -> None:
    photo = textured()
    clean = protocol.expose(protocol.to_light(photo), BAYER)
    grain = protocol.grain(clean, detection.ISO, protocol.generator("a", "grain"))
    noisy = np.minimum(clean + grain, 1)
    total = detection.Tally()
    detection.tally(Known(lambda plane: plane != noisy, photo), "a", photo, total)
    figures = total.figures()
    assert set(figures["precision"].values()) == {1.0}
    assert {"all", "warm", "hot", "dead"} <= set(figures["precision"])
    assert sum(n for kind, n in figures["flagged"].items() if kind != "all") == figures["flagged"]["all"]
    assert figures["false_alarms_per_mp"] == {"ISO 100": 0.0}
    assert {"single", "warm", "strong"} <= set(figures["recall"])
    for label, recall in figures["recall"].items():
        if not label.endswith((" 0–2 %", " 0–6")):  # an outlier may be drawn equal to its sample
            assert recall == 1.0, label


def test_nothing_is_found_by_a_blind_network_and_no_precision_is_claimed() -> None:
    photo, total = textured(), detection.Tally()
    detection.tally(Known(lambda plane: np.zeros(plane.shape, bool), photo), "a", photo, total)
    assert set(total.figures()["recall"].values()) == {0.0}
    assert total.figures()["precision"] == total.figures()["flagged"] == {}


def test_false_alarms_are_counted_a_megapixel() -> None:
    photo, total = textured(), detection.Tally()

    def one(plane: np.ndarray) -> np.ndarray:
        bad = np.zeros(plane.shape, bool)
        bad[60, 60] = bad[0, 0] = True  # the corner lies in the border, which is cut
        return bad

    detection.tally(Known(one, photo), "a", photo, total)
    inner = (136 - 20) * (144 - 20)
    assert total.figures()["false_alarms_per_mp"]["ISO 100"] == pytest.approx(1e6 / inner)


def test_strength_is_told_in_white_and_in_sigma() -> None:
    photo = np.full((400, 400, 3), 120, np.uint8)
    total = detection.Tally()
    clean = protocol.expose(protocol.to_light(photo), BAYER)
    detection.tally(Known(lambda plane: np.abs(plane - clean) > 0.4, photo), "flat", photo, total)
    recall = total.figures()["recall"]
    assert recall["white 40 % and more"] > 0.97
    assert recall["white 2–5 %"] == recall["white 5–10 %"] == recall["warm"] == 0
    assert 0.3 < recall["hot"] < 1


def test_touching_points_are_a_cluster() -> None:
    points = np.zeros((9, 9), bool)
    points[2, 2] = points[3, 3] = points[6, 6] = points[6, 8] = True
    expected = np.zeros_like(points)
    expected[2, 2] = expected[3, 3] = True
    np.testing.assert_array_equal(verdicts.touching(points), expected)


def test_precision_is_told_by_what_a_flagged_sample_looks_like() -> None:
    photo = np.full((400, 400, 3), 120, np.uint8)
    total = detection.Tally()
    clean = protocol.expose(protocol.to_light(photo), BAYER)

    def bright(plane: np.ndarray) -> np.ndarray:
        bad = plane - clean > 0.4
        bad[200, 50:90] = True  # a row that is no outlier
        bad[100, 100] = bad[300, 300] = True
        return bad

    detection.tally(Known(bright, photo), "flat", photo, total)
    figures = total.figures()
    assert figures["precision"]["hot"] == 1
    assert figures["precision"]["quiet"] == 0
    assert figures["flagged"]["quiet"] == 2
    assert figures["precision"]["line"] < 0.1
    assert figures["flagged"]["line"] == 40
    assert 0 < figures["precision"]["all"] < 1


@pytest.mark.parametrize("seed", range(4))
def test_flagged_samples_are_sorted_as_rawfix_counts_them(
    seed: int, make_frame: Callable[..., RawFrame]
) -> None:
    rng = np.random.default_rng(seed)
    cfa = CANONICAL[("bayer", "xtrans", "quad", "nona")[seed]]
    clean = np.rint(65535 * rng.choice((0.02, 0.2, 0.7), (96, 96)).astype(np.float32).repeat(2, 1))
    mosaic, found = clean.astype(np.uint16), rng.random(clean.shape) < 0.03
    mosaic[found] = 65535 * np.clip(rng.normal(0.5, 0.5, int(found.sum())), 0, 1)
    found |= rng.random(clean.shape) < 0.005
    found[40, 20:60] = found[10:80:2, 150] = found[60:62, 60:70] = True
    shot, read = protocol.noise_at(100)
    frame = replace(
        make_frame(size=clean.shape),
        mosaic=mosaic, cfa=cfa, black=np.zeros((1, 1), np.float32), white=np.full(3, 65535, np.float32),
        noise=NoiseModel((shot,) * 3, (read,) * 3),
    )  # fmt: skip
    kinds = verdicts.sort_verdicts((mosaic / np.float32(65535)).astype(np.float32), found, cfa, 100)
    np.testing.assert_array_equal(sum(kinds.values()), found)
    counted, shapes = count_kinds(frame, found), split_shapes(found)
    for kind in ("warm", "hot", "dead", "stuck", "quiet"):
        assert kinds[kind].sum() == counted[kind] > 0, kind
    alone = sum(kinds[kind] for kind in ("warm", "hot", "dead", "stuck", "quiet"))
    assert list(zip(*np.nonzero(alone), strict=True)) == list(zip(*shapes.singles, strict=True))
    lines, rest = split_shapes(kinds["line"]), split_shapes(kinds["cluster"])
    assert (lines.rows, lines.columns, lines.clusters) == (shapes.rows, shapes.columns, 0)
    assert (rest.clusters, rest.patches, rest.rows) == (shapes.clusters, shapes.patches, 0)
    assert shapes.patches


def test_blocks_are_full_squares() -> None:
    points = np.zeros((8, 8), bool)
    points[1:3, 1:3] = points[5, 2:6] = points[6, 4] = True
    wanted = np.zeros((8, 8), bool)
    wanted[1:3, 1:3] = True
    np.testing.assert_array_equal(detection._blocks(points), wanted)
