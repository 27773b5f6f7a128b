"""Fringes and haze through the whole way, with and without networks that tell noise."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawfix.frame import Image, RawFrame
from rawfix.io.read import read_frame
from rawfix.maps import Maps
from rawfix.nn.manifest import models_root
from rawfix.optics import with_optics
from rawfix.physics.lateral_color import LateralColor, estimate_lateral_color
from rawfix.pipeline import develop, to_camera
from rawfix.settings import Settings, Strengths
from tests.leaves import dead_leaves
from tests.lens_files import LIST_3, warp, write_dng

pytestmark = pytest.mark.models
MakeFrame = Callable[..., RawFrame]
SIZE = (448, 640)


def settings(**strengths: Any) -> Settings:
    return Settings(strengths=Strengths(**strengths), bits=32, linear=True, tone="none", highlights="clip")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that has no restorer."""
    root = tmp_path / "models"
    shutil.copytree(models_root(), root, ignore=shutil.ignore_patterns("restore-*"))
    monkeypatch.setenv("RAWFIX_MODELS", str(root))
    return root


@pytest.fixture(scope="module")
def hazy() -> Image:
    share = np.linspace(0.3, 0.9, SIZE[0], dtype=np.float32)[:, None, None]
    return np.asarray(dead_leaves(*SIZE, seed=3) * share + np.float32(0.75) * (1 - share), np.float32)


@pytest.mark.usefixtures("bare")
def test_strength_0_changes_no_bit_and_a_clear_gray_frame_keeps_all_at_1(make_frame: MakeFrame) -> None:
    gray = make_frame(np.full((96, 128, 3), 0.4, np.float32))
    plain = develop(gray, settings()).display
    done = develop(gray, settings(defringe=1, dehaze=1))
    np.testing.assert_array_equal(done.display, plain)
    assert any("no haze" in note for note in done.notes)
    assert any("no lateral color" in note for note in done.notes)


@pytest.mark.usefixtures("bare")
def test_haze_is_taken_away_without_a_network(make_frame: MakeFrame, hazy: Image) -> None:
    frame = make_frame(hazy)
    clear = dead_leaves(*SIZE, seed=3)
    plain, half, done = (to_camera(frame, settings(dehaze=d))[0] for d in (0, 0.5, 1))
    error = [float(np.sqrt(((image - clear) ** 2).mean())) for image in (plain, half, done)]
    assert error[2] < 0.5 * error[0]
    np.testing.assert_allclose(half, (plain + done) / 2, atol=1e-5)
    assert any("noise" in note for note in develop(frame, settings(dehaze=1)).notes)


def test_deblurring_that_takes_fringes_leaves_none_to_take(make_frame: MakeFrame) -> None:
    picture = dead_leaves(*SIZE)
    fringed = picture.copy()
    center = (np.arange(SIZE[1]) - (SIZE[1] - 1) / 2) * (1 + 1.5 / 400)
    for row in range(SIZE[0]):
        fringed[row, :, 0] = np.interp(center, np.arange(SIZE[1]) - (SIZE[1] - 1) / 2, picture[row, :, 0])
    blur = (fringed - picture).astype(np.float16)
    unit = np.full(3, 1e-6, np.float32)
    maps = with_optics(
        Maps(np.zeros_like(blur), blur, unit, unit, "x"),
        fringed,
        make_frame(),
        Strengths(deblur=1, defringe=1),
    )
    assert maps.fringe is not None
    assert abs(sum(maps.fringe.at(0).red)) > 0.5
    assert maps.fringe.at(1) == LateralColor()
    assert sum(maps.fringe.at(0.5).red) == pytest.approx(0.5 * sum(maps.fringe.seen.red))


@pytest.mark.usefixtures("bare")
def test_a_monochrome_sensor_has_no_fringes_but_may_see_haze(make_frame: MakeFrame, hazy: Image) -> None:
    frame = make_frame(hazy, pattern="G")
    done = develop(frame, settings(defringe=1))
    assert any("monochrome" in note for note in done.notes)
    np.testing.assert_array_equal(done.display, develop(frame, settings()).display)
    cleared = develop(frame, settings(dehaze=1)).display
    assert float(cleared.mean()) < 0.8 * float(done.display.mean())


@pytest.mark.usefixtures("bare")
def test_files_in_full_color_are_treated_too(make_frame: MakeFrame, hazy: Image) -> None:
    mosaic = np.asarray(hazy / np.asarray((2.0, 1.0, 1.5), np.float32), np.float32)
    frame = replace(
        make_frame(hazy), mosaic=mosaic, cfa=None, black=np.zeros((1, 1), np.float32), white=(1.0, 1.0, 1.0)
    )
    assert float(np.mean(to_camera(frame, settings(dehaze=1))[0])) < 0.8 * float(hazy.mean())


@pytest.mark.usefixtures("bare")
def test_a_lens_correction_leaves_lateral_color_to_defringing(tmp_path: Path, make_frame: MakeFrame) -> None:
    ideal, scales = dead_leaves(*SIZE), (1.003, 1.0, 0.998)
    y, x = (np.arange(side) - (side - 1) / 2 for side in SIZE)
    planes = []
    for channel, scale in enumerate(scales):
        wide = np.stack([np.interp(x / scale, x, row) for row in ideal[..., channel]])
        planes.append(np.stack([np.interp(y / scale, y, column) for column in wide.T], 1))
    light = np.asarray(np.stack(planes, -1), np.float32)
    frame = replace(make_frame(size=(64, 64)), wb=(1.0, 1.0, 1.0))
    sets = [(scale, 0.0, 0.0, 0.0, 0.0, 0.0) for scale in scales]
    raw = read_frame(write_dng(tmp_path / "a.dng", frame, {LIST_3: [warp(*sets)]}, light))

    def left(lens: str, defringe: float) -> float:
        chosen = replace(settings(defringe=defringe), space="camera", lens_correction=lens)
        picture = np.asarray(develop(raw, chosen).display, np.float32)
        found = estimate_lateral_color(lambda start, end: picture[start:end], SIZE, (9, 9, 9))
        return found.reach()

    assert left("off", 0) > 0.9
    for lens, defringe in (("off", 1), ("dng", 0), ("dng", 1)):
        assert left(lens, defringe) < 0.1
    chosen = replace(settings(defringe=1), space="camera", lens_correction="dng")
    assert "lateral color by --defringe" in develop(raw, chosen).lens
