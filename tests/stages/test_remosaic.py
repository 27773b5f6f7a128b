"""Back to counts: what was not touched is what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rawfix.frame import Image, RawFrame
from rawfix.stages.normalize import normalize
from rawfix.stages.remosaic import remosaic

MakeFrame = Callable[..., RawFrame]


def full_color(frame: RawFrame) -> Image:
    """Any color, with the measured samples in their places."""
    assert frame.cfa is not None
    height, width = frame.mosaic.shape
    camera = np.random.default_rng(2).random((height, width, 3), np.float32)
    frame.cfa.place(normalize(frame), camera)
    return camera


@pytest.mark.parametrize("pattern", ["RG/GB", "GB/RG", "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"])
def test_untouched_samples_keep_their_counts(make_frame: MakeFrame, pattern: str) -> None:
    frame = make_frame(pattern=pattern, size=(301, 133), iso=3200)
    np.testing.assert_array_equal(remosaic(full_color(frame), normalize(frame), frame), frame.mosaic)


def test_changed_light_becomes_the_count_it_would_have_had(make_frame: MakeFrame) -> None:
    """Also with levels that differ by site, row, column and channel."""
    rng = np.random.default_rng(4)
    frame = replace(
        make_frame(size=(300, 140)),
        black=rng.uniform(500, 520, (6, 4)).astype(np.float32),
        black_rows=rng.normal(0, 2, 300).astype(np.float32),
        black_columns=rng.normal(0, 2, 140).astype(np.float32),
        white=(15000.0, 16000.0, 15500.0),
    )
    brighter = replace(frame, mosaic=np.minimum(frame.mosaic, 15000) + np.uint16(300))
    counts = remosaic(full_color(brighter), normalize(frame), frame)
    np.testing.assert_array_equal(counts, brighter.mosaic)


def test_light_below_zero_and_beyond_16_bits_is_clipped(make_frame: MakeFrame) -> None:
    frame = make_frame(size=(8, 8), black=10)
    for value, count in ((-1.0, 0), (9.0, 65535)):
        camera = np.full((8, 8, 3), value, np.float32)
        assert (remosaic(camera, normalize(frame), frame) == count).all()
