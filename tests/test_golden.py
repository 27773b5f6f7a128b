"""Small stored results, one a phase of the filter array: what changes them was meant to, or is a mistake.

``pytest tests/test_golden.py --update-golden`` rewrites them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rawfix.frame import RawFrame
from rawfix.pipeline import develop, to_camera
from rawfix.settings import Settings

pytestmark = pytest.mark.models
STORED = Path(__file__).parent / "golden"


@pytest.mark.parametrize("pattern", ["RG/GB", "BG/GR", "GR/BG", "GB/RG"])
def test_developed_as_stored(
    make_frame: Callable[..., RawFrame], pattern: str, request: pytest.FixtureRequest
) -> None:
    frame = make_frame(size=(40, 44), pattern=pattern, iso=400)
    camera, _, _ = to_camera(frame, Settings())
    display = develop(frame, Settings(bits=8)).display
    path = STORED / f"bayer-{pattern.replace('/', '').lower()}.npz"
    if request.config.getoption("--update-golden"):
        STORED.mkdir(exist_ok=True)
        np.savez_compressed(path, camera=camera, display=display)
    with np.load(path) as stored:
        np.testing.assert_allclose(camera, stored["camera"], atol=2e-4)
        assert np.abs(display.astype(int) - stored["display"]).max() <= 1
