"""What a network costs: figures that belong together, of a frame that is none of zeros."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rawfix.batch.bench import bench, frame_shape, planes_for
from rawfix.batch.speeds import circumstances, recall
from rawfix.errors import IntegrityError, ModelError
from rawfix.nn.manifest import Model

MakeTiers = Callable[..., dict[str, Model]]


def test_the_figures_belong_together_and_are_remembered(tiers: MakeTiers) -> None:
    model = tiers("fast", tile=128, halo=16, gflop_per_mp=12.0)["fast"]
    result = bench(model, 0.2, "cpu", 1)
    height, width = frame_shape(0.2)
    assert result.megapixels == height * width / 1e6 and result.runs >= 3
    assert 1.2 < result.computed_megapixels / result.megapixels < 2.0
    assert result.gflops == pytest.approx(12.0 / result.seconds_per_megapixel)
    assert result.gflops_with_halos == pytest.approx(result.gflops * (1 + result.halo_share))
    assert 20 * 2**20 < result.base_bytes <= result.peak_bytes < 2**30
    speed, _ = recall(circumstances(model, "cpu", 1))
    assert speed is not None and result.notes == ()
    assert speed.seconds * result.computed_megapixels == pytest.approx(result.seconds)
    assert result.to_dict()["gflop_per_s"] == round(result.gflops, 2)


def test_a_damaged_model_is_refused(tiers: MakeTiers) -> None:
    model = tiers("fast")["fast"]
    with (model.folder / "model.onnx").open("ab") as graph:
        graph.write(b"x")
    with pytest.raises(IntegrityError, match="sha256"):
        bench(model, 0.1, "cpu", 1)


def test_a_provider_that_is_not_there_is_refused(tiers: MakeTiers) -> None:
    with pytest.raises(ModelError, match="abacus"):
        bench(tiers("fast")["fast"], 0.1, "abacus", 1)


@pytest.mark.parametrize("cfa", ["bayer", "quad", "xtrans", "rgbir4"])
def test_a_frame_looks_like_a_sensors(tiers: MakeTiers, cfa: str) -> None:
    model = tiers("fast", cfa=cfa)["fast"]
    planes = planes_for(model, (500, 700), np.random.default_rng(0))
    assert list(planes) == ["mosaic", "sigma", "known_bad"]
    assert all(plane.shape == (500, 700) and plane.dtype == np.float32 for plane in planes.values())
    assert 0.05 < np.median(planes["mosaic"]) < 0.3 and planes["mosaic"].max() > 1
    assert 0 < planes["sigma"].min() < planes["sigma"].max() < 0.2
    assert np.unique(planes["mosaic"]).size > 10000


def test_networks_on_images_get_their_planes(
    make_model: Callable[..., Model], manifest_of: Callable[..., object]
) -> None:
    model = make_model()
    for contract, task, scale, names in (
        ("restore-v1", "restore", 1, ["camera", "sigma"]),
        ("upscale-x2-v1", "upscale-x2", 2, ["image", "noise"]),
    ):
        facts = {"contract": contract, "cfa": None, "space": "camera", "scale": scale}
        manifest = manifest_of(id=f"{task}-camera-tiny", **facts)
        planes = planes_for(Model(manifest, model.folder), (33, 47), np.random.default_rng(0))  # type: ignore[arg-type]
        assert list(planes) == names and planes[names[0]].shape == (33, 47, 3)


@pytest.mark.parametrize(("megapixels", "step"), [(24.0, 2), (0.1, 8), (4.0, 24)])
def test_frames_have_the_size_asked_for(megapixels: float, step: int) -> None:
    height, width = frame_shape(megapixels, step)
    assert height % step == width % step == 0
    assert height * width / 1e6 == pytest.approx(megapixels, rel=0.03)
    assert width / height == pytest.approx(1.5, rel=0.05)
