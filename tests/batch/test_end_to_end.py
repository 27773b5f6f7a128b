"""The whole way is timed stage by stage, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rawfix.batch.end_to_end import STAGES, draw_dng, profile
from rawfix.errors import CorruptRawError, SettingsError
from rawfix.io.raw import read_raw
from rawfix.nn.manifest import Model
from rawfix.settings import Settings

MakeTiers = Callable[..., dict[str, Model]]


@pytest.mark.parametrize("format", ["tiff", "png"])
def test_the_stages_add_up(tiers: MakeTiers, format: str) -> None:
    tiers("standard", tile=256)
    way = profile(None, 0.2, Settings(threads=1, format=format))  # type: ignore[arg-type]
    assert list(way.stages) == [*STAGES, "other"]
    assert all(seconds > 0 for seconds in way.stages.values())
    assert sum(way.stages.values()) == pytest.approx(way.seconds)
    assert way.megapixels == pytest.approx(0.2, rel=0.03)
    assert way.models == ("demosaic-bayer-standard",) and way.quality == "standard"
    assert way.cpu_seconds > 0 and 30 * 2**20 < way.peak_bytes < 2**30
    assert way.to_dict()["stages"].keys() == way.stages.keys()


def test_a_file_is_measured_and_nothing_is_written_beside_it(
    tiers: MakeTiers, make_dng: Callable[..., Path]
) -> None:
    tiers("fast")
    source = make_dng("own.dng")
    before = sorted(source.parent.iterdir())
    way = profile(source, 24.0, Settings(quality="fast", threads=1))
    assert way.source == str(source) and way.megapixels == 160 * 192 / 1e6
    assert sorted(source.parent.iterdir()) == before


def test_what_develop_refuses_is_refused(tiers: MakeTiers, tmp_path: Path) -> None:
    tiers("standard")
    with pytest.raises(CorruptRawError, match=r"missing\.dng"):
        profile(tmp_path / "missing.dng", 24.0, Settings())
    with pytest.raises(SettingsError, match="auto"):
        profile(None, 0.5, Settings(quality="auto"))


def test_the_drawn_picture_has_what_costs_time(tmp_path: Path) -> None:
    draw_dng(tmp_path / "drawn.dng", 1.5)
    frame = read_raw(tmp_path / "drawn.dng")
    blown = (frame.mosaic >= frame.white[1]).mean()
    assert 0.001 < blown < 0.1
    assert frame.noise is not None and frame.noise.source == "file"
    assert frame.cfa is not None and frame.cfa.name == "bayer"
    assert np.unique(frame.mosaic).size > 5000
