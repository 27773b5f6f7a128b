"""Model folders of the smallest size that still are models."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawfix.nn.manifest import Manifest, Model, models_root


def _manifest_of(**changes: Any) -> Manifest:
    facts: dict[str, Any] = {
        "id": "demosaic-bayer-tiny",
        "contract": "demosaic-v1",
        "cfa": "bayer",
        "space": None,
        "tier": "tiny",
        "sha256": "0" * 64,
        "opset": 17,
        "tile": 16,
        "halo": 4,
        "multiple": 2,
        "scale": 1,
        "parameters": 3,
        "gflop_per_mp": 0.1,
        "training": {
            "commit": "abc",
            "config": {"width": 1},
            "data": [{"name": "drawn", "license": "CC0-1.0"}],
            "seed": 0,
            "steps": 1,
            "hours": 0,
            "hardware": "none",
        },
        "metrics": {"drawn": {"psnr": 30.5}},
        "parity": {"max_abs": 1e-6},
        "golden": {"file": "golden.npz", "tolerance": 1e-4},
    }
    return Manifest(**(facts | changes))


@pytest.fixture
def golden_planes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.random((1, 1, 16, 16), np.float32) for name in ("mosaic", "sigma", "known_bad")}


MakeModel = Callable[..., Model]


@pytest.fixture
def manifest_of() -> Callable[..., Manifest]:
    """Makes a sound manifest, changed as told."""
    return _manifest_of


@pytest.fixture
def make_model(tmp_path: Path, golden_planes: dict[str, np.ndarray]) -> MakeModel:
    """Writes a model whose camera is (2·mosaic, sigma, log(known_bad + 1)) and whose bad is known_bad."""
    onnx = pytest.importorskip("onnx")
    from rawfix.nn.session import write_golden

    def make(
        rename: Mapping[str, str] | None = None,
        camera: int = 3,
        offset: float = 0.0,
        cfa: str = "bayer",
        tier: str = "tiny",
        **facts: Any,
    ) -> Model:
        names = {"mosaic": "mosaic", "bad": "bad"} | dict(rename or {})
        node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info

        def plane(name: str, channels: int) -> Any:
            return info(name, onnx.TensorProto.FLOAT, [1, channels, "height", "width"])

        graph = onnx.helper.make_graph(
            [
                node("Add", [names["mosaic"], names["mosaic"]], ["twice"]),
                node("Add", ["known_bad", "one"], ["shifted"]),
                node("Log", ["shifted"], ["logarithm"]),
                node(
                    "Concat",
                    [*["twice", "sigma", "logarithm"][: camera - 1], "logarithm"],
                    ["camera"],
                    axis=1,
                ),
                node("Identity", ["known_bad"], [names["bad"]]),
            ],
            f"demosaic-{cfa}-{tier}",
            [plane(names["mosaic"], 1), plane("sigma", 1), plane("known_bad", 1)],
            [plane("camera", camera), plane(names["bad"], 1)],
            [onnx.helper.make_tensor("one", onnx.TensorProto.FLOAT, [1], [1.0])],
        )
        opsets = [onnx.helper.make_opsetid("", 17)]
        content = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
        folder = tmp_path / f"demosaic-{cfa}-{tier}"
        folder.mkdir(exist_ok=True)
        (folder / "model.onnx").write_bytes(content)
        named = {"id": folder.name, "cfa": cfa, "tier": tier, **facts}
        manifest = _manifest_of(sha256=hashlib.sha256(content).hexdigest(), **named)
        manifest.write(folder)
        inputs = golden_planes
        layers = [2 * inputs["mosaic"] + offset, inputs["sigma"], np.log1p(inputs["known_bad"])]
        outputs = {"camera": np.concatenate(layers, axis=1), "bad": inputs["known_bad"]}
        write_golden(folder / "golden.npz", inputs, outputs)
        return Model(manifest, folder)

    return make


@pytest.fixture
def models(tmp_path: Path, manifest_of: Callable[..., Manifest], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped demosaicers beside a restorer whose noise map is sigma and whose blur map is a tenth of the image."""
    onnx = pytest.importorskip("onnx")
    root = tmp_path / "models"
    shutil.copytree(models_root(), root, ignore=shutil.ignore_patterns("restore-*", "upscale-*"))
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    planes = {
        name: info(name, onnx.TensorProto.FLOAT, [1, 3, "height", "width"])
        for name in ("camera", "sigma", "noise_map", "blur_map")
    }
    graph = onnx.helper.make_graph(
        [node("Identity", ["sigma"], ["noise_map"]), node("Mul", ["camera", "tenth"], ["blur_map"])],
        "restore",
        [planes["camera"], planes["sigma"]],
        [planes["noise_map"], planes["blur_map"]],
        [onnx.helper.make_tensor("tenth", onnx.TensorProto.FLOAT, [1], [0.1])],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    content = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    folder = root / "restore-camera-standard"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    facts: dict[str, Any] = {"contract": "restore-v1", "cfa": None, "space": "camera", "tier": "standard"}
    manifest_of(id=folder.name, sha256=sha256, **facts).write(folder)
    monkeypatch.setenv("RAWFIX_MODELS", str(root))
    return root


def write_upscaler(
    root: Path, manifest_of: Callable[..., Manifest], scale: int, tier: str = "standard", **facts: Any
) -> Model:
    """A network of one convolution: every fine pixel is a mean around its coarse one, and a share of the noise."""
    onnx = pytest.importorskip("onnx")
    rng = np.random.default_rng(scale)
    weights = np.zeros((scale * scale, 3, 4, 3, 3), np.float32)
    weights[:, :, 3] = 0.02 * rng.standard_normal((scale * scale, 3, 3, 3))
    for color in range(3):
        near = rng.uniform(0, 0.1, (scale * scale, 3, 3))
        near[:, 1, 1] += 1 - near.sum((1, 2))
        weights[:, color, color] = near
    weights = weights.reshape(-1, 4, 3, 3)
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info

    def plane(name: str, channels: int, height: str, width: str) -> Any:
        return info(name, onnx.TensorProto.FLOAT, [1, channels, height, width])

    graph = onnx.helper.make_graph(
        [
            node("Concat", ["image", "noise"], ["both"], axis=1),
            node("Conv", ["both", "weights"], ["phases"], pads=[1, 1, 1, 1]),
            node("DepthToSpace", ["phases"], ["upscaled"], blocksize=scale, mode="DCR"),
        ],
        "upscale",
        [plane("image", 3, "height", "width"), plane("noise", 1, "height", "width")],
        [plane("upscaled", 3, "tall", "wide")],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    content = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    folder = root / f"upscale-x{scale}-camera-{tier}"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    named = {"id": folder.name, "contract": f"upscale-x{scale}-v1", "scale": scale, "cfa": None}
    named |= {"space": "camera", "tier": tier, "sha256": hashlib.sha256(content).hexdigest()}
    manifest = manifest_of(**{**named, "tile": 128, "halo": 2, **facts})
    manifest.write(folder)
    return Model(manifest, folder)


@pytest.fixture
def upscalers(models: Path, manifest_of: Callable[..., Manifest]) -> Path:
    """`models`, and networks that enlarge ×2 and ×4."""
    for scale in (2, 4):
        write_upscaler(models, manifest_of, scale)
    return models
