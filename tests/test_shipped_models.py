"""What ships keeps its promises: manifest = contract = graph, quality, cost, size."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from rawfix.frame import RawFrame
from rawfix.metrics import cpsnr
from rawfix.nn.manifest import Model, find_models, models_root
from rawfix.nn.session import self_test
from rawfix.physics.psf import blur, gaussian
from rawfix.pipeline import to_camera
from rawfix.settings import Settings

pytestmark = pytest.mark.models
MODELS = find_models()
GFLOP_PER_MP = {
    "demosaic": {"fast": 12.0, "standard": 40.0, "best": 250.0},
    "restore": {"fast": 15.0, "standard": 60.0, "best": 300.0},
    "upscale": {"fast": 60.0, "standard": 250.0},
}
"""By contract and tier, a megapixel of the output."""
FLOOR_DB = {"demosaic-bayer-standard": 30.0}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.manifest.id)
def test_its_patch_gives_what_is_stored(model: Model) -> None:
    assert self_test(model) <= model.manifest.golden["tolerance"]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.manifest.id)
def test_cost_and_size(model: Model) -> None:
    contract = model.manifest.contract.partition("-")[0]
    assert model.manifest.gflop_per_mp <= GFLOP_PER_MP[contract][model.manifest.tier]
    assert (model.folder / "model.onnx").stat().st_size < 5e6
    assert (model.folder / "README.md").stat().st_size > 1000


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.manifest.id)
def test_parity_and_provenance(model: Model) -> None:
    assert max(model.manifest.parity.values()) < 1e-3
    assert model.manifest.training["steps"] > 1000
    assert model.manifest.metrics


def test_all_models_together_are_small() -> None:
    assert sum(p.stat().st_size for p in models_root().rglob("*") if p.is_file()) < 40e6


def test_demosaicing_quality(make_frame: Callable[..., RawFrame], script: ModuleType) -> None:
    """Leaves, tartan, shirting and lettering of the chart through a good lens, at base ISO."""
    light = blur(script.render_scene()[500:1240, 30:990].clip(0, 1) * np.float32(0.9), (gaussian(0.5),) * 3)
    frame = make_frame(light, black=2048, white=65535)
    camera, _, _ = to_camera(frame, Settings())
    assert cpsnr(camera, light, border=10) > FLOOR_DB["demosaic-bayer-standard"]
