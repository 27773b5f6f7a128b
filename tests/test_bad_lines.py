"""Bad lines of a frame: repaired from end to end, as if they had been known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from rawfix import demosaicing
from rawfix.frame import Image, RawFrame
from rawfix.metrics import cpsnr
from rawfix.physics.bad_lines import BadLines
from rawfix.pipeline import develop, find, to_camera
from rawfix.settings import Settings

pytestmark = pytest.mark.models
SETTINGS = Settings()


@pytest.fixture
def light(script: ModuleType) -> Image:
    return script.render_scene()[500:820, 30:542].clip(0, 1) * np.float32(0.9)


def with_dead(frame: RawFrame, columns: tuple[int, ...] = (), rows: tuple[int, ...] = ()) -> RawFrame:
    mosaic = frame.mosaic.copy()
    mosaic[:, list(columns)] = mosaic[list(rows)] = int(frame.black.min())
    return replace(frame, mosaic=mosaic)


def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is known before the network looks."""
    for name in ("find_constant", "find_shifted"):
        monkeypatch.setattr(demosaicing, name, lambda *_: BadLines((), ()))


@pytest.mark.parametrize("pattern", ["RG/GB", "GB/RG"])
def test_dead_lines_are_gone_and_told(
    make_frame: Callable[..., RawFrame], light: Image, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = make_frame(light, black=512, white=16383, pattern=pattern)
    dead = with_dead(frame, columns=(101, 400), rows=(77,))
    found, whole = find(dead, SETTINGS), to_camera(frame, SETTINGS)[0]
    assert found.bad is not None
    assert found.bad[:, [101, 400]].all() and found.bad[77].all()
    assert found.notes == ("bad from end to end, and repaired as such: 1 row and 2 columns",)
    untold(monkeypatch)
    found_by_flags = find(dead, SETTINGS)
    assert found_by_flags.notes == found.notes
    monkeypatch.setattr(demosaicing, "find_lines", lambda bad: BadLines((), ()))
    dotted = to_camera(dead, SETTINGS)[0]
    known = np.zeros(dead.mosaic.shape, bool)
    known[:, [101, 400]] = known[77] = True
    told = to_camera(replace(dead, known_bad=known), SETTINGS)[0]
    near = np.zeros(dead.mosaic.shape, bool)
    for beside in (np.s_[:, 99:104], np.s_[:, 398:403], np.s_[75:80]):
        near[beside] = True
        reached = cpsnr(found.camera[beside], whole[beside])
        assert reached > cpsnr(dotted[beside], whole[beside])
        assert reached > cpsnr(told[beside], whole[beside]) - 0.01
    assert (
        cpsnr(found.camera[near][None], whole[near][None]) > cpsnr(dotted[near][None], whole[near][None]) + 3
    )


def test_lines_found_by_a_part_are_repaired_as_if_they_had_been_known(
    make_frame: Callable[..., RawFrame], light: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    untold(monkeypatch)
    dead = with_dead(make_frame(light, black=512, white=16383), columns=(250,))
    known = np.zeros(dead.mosaic.shape, bool)
    known[:, 250] = True
    told = find(replace(dead, known_bad=known), SETTINGS)
    seen = find(dead, SETTINGS)
    assert not told.notes and seen.notes
    assert told.bad is not None and seen.bad is not None
    near = np.s_[:, 240:261]
    assert np.array_equal(told.bad[near], seen.bad[near])
    assert np.abs(told.camera[near] - seen.camera[near]).max() < 2e-3


def test_the_fast_tier_repairs_dead_lines_too(
    make_frame: Callable[..., RawFrame], light: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, fast = make_frame(light, black=512, white=16383), replace(SETTINGS, quality="fast")
    dead, whole = with_dead(frame, columns=(250, 251), rows=(77,)), to_camera(frame, fast)[0]
    found = find(dead, fast)
    assert found.bad is not None and found.bad[:, 250:252].all() and found.bad[77].all()
    untold(monkeypatch)
    black = to_camera(dead, fast)[0]
    for beside in (np.s_[:, 248:254], np.s_[75:80]):
        assert cpsnr(found.camera[beside], whole[beside]) > cpsnr(black[beside], whole[beside]) + 6


@pytest.mark.parametrize("quality", ["fast", "standard"])
def test_shifted_lines_are_gone_and_told(
    make_frame: Callable[..., RawFrame], light: Image, monkeypatch: pytest.MonkeyPatch, quality: str
) -> None:
    frame, settings = make_frame(light, black=512, white=16383), replace(SETTINGS, quality=quality)
    mosaic = frame.mosaic.astype(np.int32)
    mosaic[:, 250] += 1600
    mosaic[:, 401] += 1100
    shifted = replace(frame, mosaic=mosaic.clip(0, 16383).astype(np.uint16))
    found, whole = find(shifted, settings), to_camera(frame, settings)[0]
    assert found.bad is not None and found.bad[:, [250, 401]].all()
    assert found.notes == ("bad from end to end, and repaired as such: 2 columns",)
    untold(monkeypatch)
    monkeypatch.setattr(demosaicing, "find_lines", lambda bad: BadLines((), ()))
    striped = to_camera(shifted, settings)[0]
    for beside in (np.s_[:, 248:253], np.s_[:, 399:404]):
        assert cpsnr(found.camera[beside], whole[beside]) > cpsnr(striped[beside], whole[beside]) + 2


def test_a_frame_without_bad_lines_is_looked_at_once(
    make_frame: Callable[..., RawFrame], light: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demosaicing, "find_clustered", lambda *given: np.zeros_like(given[-1]))
    steps: list[tuple[int, int]] = []
    frame = make_frame(light, black=512, white=16383)
    result = develop(frame, SETTINGS, progress=lambda done, total: steps.append((done, total)))
    assert not any("repaired as such" in note for note in result.notes)
    assert len(steps) == len(set(steps))
