"""A sensor that saturates below its white level is found by where its colors pile up, and a gray wall is not one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import RawFrame
from rawfix.io.dng import write_cfa_dng
from rawfix.io.raw import read_raw
from rawfix.kept_facts import frame_of, frame_to_dict
from rawfix.physics.saturation import find_saturation
from rawfix.pipeline import develop
from rawfix.settings import Settings

WB = (2.0, 1.0, 1.5)
BLACK, WHITE = 128.0, 4095.0
CFA = CANONICAL["bayer"]


def counts(light: np.ndarray, end: float = 3800, spread: float = 6, cfa: Cfa = CFA) -> np.ndarray:
    """White light ``(H, W)`` on a sensor whose wells are full at ``end``, with a spread from photosite to photosite."""
    rng = np.random.default_rng(0)
    gain = np.array((*WB, 1.0))[cfa.channels(light.shape)]
    signal = light / gain * (WHITE - BLACK) + BLACK
    full = end + spread * rng.standard_normal(light.shape)
    noisy = signal + 0.01 * (WHITE - BLACK) * rng.standard_normal(light.shape)
    return np.minimum(noisy, full).round().clip(0, WHITE).astype(np.uint16)


def sunny(share: float = 0.02, size: int = 256) -> np.ndarray:
    """Light of all levels, a share of it far beyond white."""
    rng = np.random.default_rng(1)
    light = rng.uniform(0.02, 0.7, (size, size))
    light[: round(share * size)] = 5
    return light


def found(mosaic: np.ndarray, cfa: Cfa = CFA, wb: tuple[float, float, float] = WB) -> float | None:
    return find_saturation(mosaic, cfa, BLACK, WHITE, wb)


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans", "rgbir2"])
@pytest.mark.parametrize("end", [3250, 3600, 3800, 3950])
def test_where_all_colors_end_is_found(family: str, end: float) -> None:
    level = found(counts(sunny(), end, cfa=CANONICAL[family]), CANONICAL[family])
    assert level == pytest.approx(end, abs=8)


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans", "rgbir2"])
@pytest.mark.parametrize("size", [256, 2400])
def test_samples_known_to_be_bad_tell_nothing(family: str, size: int) -> None:
    cfa = CANONICAL[family]
    mosaic = counts(sunny(size=size), cfa=cfa)
    bad = np.random.default_rng(2).random(mosaic.shape) < 0.05
    told = [
        find_saturation(np.where(bad, value, mosaic).astype(np.uint16), cfa, BLACK, WHITE, WB, bad)
        for value in (0, 3900, 4095)
    ]
    assert told[0] == pytest.approx(3800, abs=8) and told[0] == told[1] == told[2]
    assert find_saturation(mosaic, cfa, BLACK, WHITE, WB, np.ones_like(bad)) is None
    assert found(np.where(bad, 4095, mosaic).astype(np.uint16), cfa) is None


def test_hot_photosites_do_not_hide_it() -> None:
    mosaic = counts(sunny())
    mosaic[100:200:50, 10:200:40] = 4095
    assert found(mosaic) == pytest.approx(3800, abs=8)


@pytest.mark.parametrize(
    ("light", "end"),
    [
        (sunny(), 4095),  # at white
        (sunny(), 4060),  # so near to it that nobody sees
        (sunny(), 2500),  # so far below that it is something else
        (sunny(0), 3800),  # nothing is blown
        (np.full((256, 256), 0.95), 3800),  # an even wall: each color at its own count
        (sunny(0) + 0.2, 3800),
    ],
    ids=["at white", "near white", "far below", "unblown", "wall", "bright"],
)
def test_anything_else_leaves_the_white_level(light: np.ndarray, end: float) -> None:
    assert found(counts(light, end)) is None


def test_colors_that_cannot_be_told_from_a_wall_say_nothing() -> None:
    assert found(counts(sunny()), wb=(1.0, 1.0, 1.02)) is None
    assert find_saturation(counts(sunny()), CANONICAL["mono"], BLACK, WHITE, WB) is None


@pytest.mark.models
def test_blown_white_is_white_though_the_sensor_ends_early(
    make_frame: Callable[..., RawFrame], tmp_path: Path
) -> None:
    light = np.full((96, 128, 3), 0.2, np.float32) * np.linspace(0.5, 1, 128, dtype=np.float32)[None, :, None]
    light[:, 70:] = 4
    frame = make_frame(light, wb=WB)
    white, black = float(frame.white[0]), float(frame.black.mean())
    end = black + 0.93 * (white - black)
    frame = replace(frame, mosaic=np.minimum(frame.mosaic, np.uint16(end)))
    write_cfa_dng(tmp_path / "a.dng", frame)
    read = read_raw(tmp_path / "a.dng")
    assert read.saturation == pytest.approx((0.93,) * 3, abs=0.003)
    assert any("saturates at" in note for note in read.notes)
    for highlights in ("rebuild", "clip"):
        shown = develop(read, Settings(bits=8, tone="none", highlights=highlights)).display[20:-20, 90:-20]
        assert np.ptp(shown.astype(int).reshape(-1, 3), axis=1).max() <= 2
        assert shown.min() >= 240
    assert frame_of(frame_to_dict(read)).saturation == read.saturation
