"""Frames that tests develop, made by the package's own forward model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.io.dng import write_cfa_dng
from rawfix.physics.sensor import Sensor, expose

settings.register_profile("rawfix", deadline=None)
settings.load_profile("rawfix")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the stored golden arrays")


def scene(height: int, width: int) -> Image:
    """Smooth gradients, an oblique edge and a fine pattern: linear white-balanced light below white."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = 0.1 + 0.3 * (np.sin(x / 17) * np.cos(y / 23) + 1) / 2
    edge = (x + 0.4 * y > 0.6 * width).astype(np.float32) * 0.35
    fine = 0.06 * np.sin(x * 1.1) * np.sin(y * 0.9)
    return np.stack((base + edge, base * 0.9 + edge * 0.8 + fine, base * 0.6 + edge), -1).astype(np.float32)


def noise_at(iso: float) -> NoiseModel:
    """A full-frame body: 90 000 electrons at ISO 100, 2.5 electrons read noise."""
    gain = iso / 100
    return NoiseModel((gain / 90000,) * 3, ((2.5 / 90000 * gain) ** 2,) * 3)


@pytest.fixture(scope="session")
def script() -> ModuleType:
    """The script that makes the example chart."""
    sys.path.append(str(Path(__file__).parents[1] / "examples"))
    return import_module("make_chart")


@pytest.fixture
def make_frame() -> Callable[..., RawFrame]:
    """``make_frame(light=None, size=(H, W), pattern="RG/GB", iso=100, **sensor)``."""

    def make(
        light: Image | None = None,
        size: tuple[int, int] = (160, 192),
        pattern: str = "RG/GB",
        iso: float = 100,
        **more: object,
    ) -> RawFrame:
        sensor = Sensor(cfa=Cfa.from_rows(*pattern.split("/")), noise_model=noise_at(iso), iso=iso, **more)  # type: ignore[arg-type]
        frame, _ = expose(scene(*size) if light is None else light, sensor, np.random.default_rng(0))
        return frame

    return make


@pytest.fixture
def make_dng(tmp_path: Path, make_frame: Callable[..., RawFrame]) -> Callable[..., Path]:
    """``make_dng("a.dng", **as make_frame)``: a DNG under ``tmp_path``."""

    def make(name: str = "a.dng", **more: object) -> Path:
        path = tmp_path / name
        write_cfa_dng(path, make_frame(**more))
        return path

    return make


@pytest.fixture
def identify(tmp_path: Path) -> Callable[..., Any]:
    """``identify("p256")``: a `tests.chains.Identity` with a new key of that kind."""
    pytest.importorskip("c2pa", reason="rawfix[c2pa] is not installed")
    from tests.chains import make_identity

    return lambda kind="p256": make_identity(tmp_path, kind)
