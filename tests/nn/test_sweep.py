"""A sweep shows, at the most telling places, what develop makes of a file at each strength."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from rawfix.batch.sweep import estimate_of, sweep
from rawfix.cli import exit_codes
from rawfix.cli.app import app
from rawfix.io.read import read_frame
from rawfix.physics.telling_places import telling_places
from rawfix.pipeline import develop
from rawfix.settings import Settings, Strengths

pytestmark = pytest.mark.models
LOOK = Settings(format="png", bits=8, wb="4000", exposure=0.3)
SIZE = (576, 640)


@pytest.mark.usefixtures("models")
def test_crops_are_what_develop_makes(make_dng: Callable[..., Path], tmp_path: Path) -> None:
    source = make_dng("a.dng", size=SIZE, iso=800)
    given = Strengths(defringe=1, dehaze=0.5)
    done = sweep(source, tmp_path, [0.0, 1.0, 1.0], [0.3], replace(LOOK, strengths=given))
    assert [path.name for _, _, path in done.crops] == [
        f"a-denoise{denoise}-deblur0.3-{place}.png" for denoise in (0, 1) for place in ("dark", "edge")
    ]
    frame = read_frame(source)
    estimate = estimate_of(source, LOOK)
    places = dict(zip(("dark", "edge"), telling_places(estimate.camera[..., 1], 512), strict=True))
    for strengths, place, path in done.crops:
        assert (strengths.defringe, strengths.dehaze) == (1, 0.5)
        whole = develop(
            frame, Settings(format="png", bits=8, wb="4000", exposure=0.3, strengths=strengths)
        ).display
        y, x = places[place]
        np.testing.assert_array_equal(np.asarray(Picture.open(path)), whole[y : y + 512, x : x + 512])


@pytest.mark.usefixtures("models")
def test_the_sheet_has_a_cell_for_each_pair_and_auto_is_decided(
    make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_dng("a.dng", size=SIZE, iso=6400)
    done = sweep(source, tmp_path, [0.0, "auto", 1.0], [0.0, 2.0], LOOK)
    chosen = sorted({float(strengths.denoise) for strengths, _, _ in done.crops})
    assert chosen[0] == 0 < chosen[1] < chosen[2] == 1
    assert done.notes[0].startswith(f"--denoise auto is {chosen[1]:g}")
    with Picture.open(done.sheet) as sheet:
        pixels = np.asarray(sheet).astype(int)
    assert pixels.shape[1] >= 3 * 2 * 192
    assert 2 * 192 < pixels.shape[0] < 3 * 192
    half, third = pixels.shape[0] // 2, pixels.shape[1] // 3
    cells = [pixels[y : y + 192, x : x + 384] for y in (6, half + 3) for x in (6, third + 4, 2 * third + 2)]
    assert len({cell.tobytes() for cell in cells}) == 6
    label = pixels[6 + 192 : half, 6:third]
    assert label.max() > 200 > 100 > label.min()


@pytest.mark.usefixtures("models")
def test_the_command_line_refuses_in_a_line_and_overwrites_nothing(
    make_dng: Callable[..., Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def code(*words: object) -> int:
        return int(app(["sweep", *map(str, words)], standalone_mode=False))

    source = make_dng("a.dng", size=(96, 128))
    assert code(source, "--denoise", "0,auto", "--deblur", "0", "-o", tmp_path / "new", "--json") == 0
    event = json.loads(capfd.readouterr().out)
    assert event["event"] == "sweep"
    assert {Path(crop["path"]).parent for crop in event["crops"]} == {tmp_path / "new"}
    assert all(Path(crop["path"]).exists() for crop in event["crops"])
    assert code(source, "-o", tmp_path / "new") == exit_codes.ALL_FAILED
    assert "--overwrite" in capfd.readouterr().err
    assert code(tmp_path / "missing.dng") == exit_codes.NO_INPUT
    capfd.readouterr()
    for words in (
        ["--denoise", "0,x"],
        ["--denoise", "3"],
        ["--wb", "purple"],
        ["--deblur", ",".join(["1"] * 65)],
    ):
        assert code(source, *words) == exit_codes.USAGE, words
        assert len(capfd.readouterr().err.splitlines()) == 1
