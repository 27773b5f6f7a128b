"""Every filter array through the pipeline, with a network that is right only in the canonical phase."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawfix import demosaicing
from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import ManifestError, UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.nn.manifest import Manifest
from rawfix.physics.sensor import Sensor, expose
from rawfix.pipeline import develop, to_camera
from rawfix.settings import Settings
from rawfix.symmetry import Symmetry

PLAIN = Settings(tone="none", linear=True, bits=32, highlights="clip", tile=64)
NETWORKED = sorted(set(CANONICAL) - {"mono"})
LIGHT = (0.5, 0.3, 0.4, 0.2)


def write_network(root: Path, family: str, channels: int | None = None) -> None:
    """A model that gives every pixel of a unit the unit's mean of each channel; exact for flat light."""
    onnx = pytest.importorskip("onnx")
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    unit = CANONICAL[family].unit()
    rows, columns = unit.shape
    count = channels or int(unit.max()) + 1
    means = np.stack([(unit == c) / max((unit == c).sum(), 1) for c in range(count)])[:, None].astype(
        np.float32
    )
    spread = np.zeros((count, count, rows, columns), np.float32)
    spread[range(count), range(count)] = 1

    def weights(name: str, values: np.ndarray) -> object:
        return onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, values.shape, values.ravel())

    def plane(name: str, depth: int) -> object:
        return info(name, onnx.TensorProto.FLOAT, [1, depth, "height", "width"])

    graph = onnx.helper.make_graph(
        [
            node("Conv", ["mosaic", "means"], ["units"], strides=[rows, columns]),
            node("ConvTranspose", ["units", "spread"], ["spreaded"], strides=[rows, columns]),
            node("Mul", ["sigma", "zero"], ["unused"]),
            node("Add", ["spreaded", "unused"], ["camera"]),
            node("Identity", ["known_bad"], ["bad"]),
        ],
        "means",
        [plane("mosaic", 1), plane("sigma", 1), plane("known_bad", 1)],
        [plane("camera", count), plane("bad", 1)],
        [weights("means", means), weights("spread", spread), weights("zero", np.zeros((1,), np.float32))],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    content = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    folder = root / f"demosaic-{family}-standard"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(content)
    step = int(np.lcm(rows, 2))
    Manifest(
        id=folder.name, contract="demosaic-v1", cfa=family, space=None, tier="standard",
        sha256=hashlib.sha256(content).hexdigest(), opset=17, tile=10 * step, halo=step, multiple=step, scale=1,
        parameters=1, gflop_per_mp=0.1,
        training={"commit": "", "config": {}, "data": [], "seed": 0, "steps": 0, "hours": 0, "hardware": ""},
        metrics={}, parity={}, golden={"file": "golden.npz", "tolerance": 1.0},
    ).write(folder)  # fmt: skip


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs such networks for the families named, and no others."""
    monkeypatch.setenv("RAWFIX_MODELS", str(tmp_path))

    def install(*families: str, channels: int | None = None) -> None:
        for family in families:
            write_network(tmp_path, family, channels)

    return install


def frame_of(cfa: Cfa, size: tuple[int, int] = (60, 75), light: tuple[float, ...] = LIGHT) -> RawFrame:
    flat = np.broadcast_to(np.float32(light), (*size, 4))
    frame, _ = expose(flat, Sensor(cfa=cfa, black=0, white=65535), np.random.default_rng(0))
    return frame


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(NETWORKED), st.integers(0, 5), st.integers(0, 5), st.sampled_from(list(Symmetry.all()))
)
def test_every_phase_and_symmetry_of_every_array_has_its_colors(
    installed: Callable[..., None], tmp_path: Path, family: str, y: int, x: int, symmetry: Symmetry
) -> None:
    if not list(tmp_path.iterdir()):
        installed(*NETWORKED)
    frame = frame_of(CANONICAL[family].shift(y, x).moved(symmetry, (13, 17)))
    camera, bad, models = to_camera(frame, PLAIN)
    assert models == (f"demosaic-{family}-standard",)
    assert camera.shape == (60, 75, 3)
    assert bad is not None
    np.testing.assert_allclose(camera, np.broadcast_to(np.float32(LIGHT[:3]), camera.shape), atol=1e-4)


def test_infrared_is_taken_out_of_what_the_network_sees(installed: Callable[..., None]) -> None:
    installed("rgbir4")
    leaking = (0.5 + 0.1 * 2.0 * 0.2, 0.3 + 0.1 * 0.2, 0.4 + 0.1 * 1.5 * 0.2, 0.2)
    frame = frame_of(CANONICAL["rgbir4"], light=leaking)
    camera, _, _ = to_camera(frame, replace(PLAIN, ir_crosstalk="0.1,0.1,0.1"))
    np.testing.assert_allclose(camera.mean((0, 1)), LIGHT[:3], atol=1e-4)
    developed = develop(frame, replace(PLAIN, ir_crosstalk="0.1,0.1,0.1"))
    assert developed.display.shape == (60, 75, 3)
    assert developed.notes == ()


def test_crosstalk_of_a_sensor_without_infrared_is_told(installed: Callable[..., None]) -> None:
    installed("bayer")
    notes = develop(frame_of(CANONICAL["bayer"]), replace(PLAIN, ir_crosstalk="0.1,0.1,0.1")).notes
    assert len(notes) == 1
    assert "--ir-crosstalk" in notes[0]


def test_an_array_without_a_network_is_named_with_what_there_is(installed: Callable[..., None]) -> None:
    installed("bayer", "nona")
    with pytest.raises(UnsupportedRawError, match=r"xtrans filter array .*; bayer, nona, monochrome and"):
        develop(frame_of(CANONICAL["xtrans"]), PLAIN)
    with pytest.raises(UnsupportedRawError, match=r"unknown filter array \(RGB\)"):
        develop(frame_of(Cfa.from_rows("RGB")), PLAIN)


def test_another_tier_of_the_array_stands_in(installed: Callable[..., None]) -> None:
    installed("quad")
    developed = develop(frame_of(CANONICAL["quad"]), replace(PLAIN, quality="best"))
    assert developed.models == ("demosaic-quad-standard",)


def test_a_network_without_infrared_does_not_serve_a_sensor_with_it(installed: Callable[..., None]) -> None:
    installed("rgbir2", channels=3)
    with pytest.raises(ManifestError, match="3 channels"):
        develop(frame_of(CANONICAL["rgbir2"]), PLAIN)


@pytest.mark.parametrize("rows", [("GB", "RI"), ("GR", "BI")])
def test_beyond_the_frame_every_sample_is_known_to_be_bad(
    installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch, rows: tuple[str, str]
) -> None:
    installed("rgbir2")
    opened = demosaicing.open_session
    told: list[np.ndarray] = []

    def listening(*arguments: Any) -> Any:
        session = opened(*arguments)

        def run(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            told.append(tensors["known_bad"].copy())
            return session.run(tensors)

        return SimpleNamespace(run=run, outputs=session.outputs)

    monkeypatch.setattr(demosaicing, "open_session", listening)
    _, bad, _ = to_camera(frame_of(Cfa.from_rows(*rows), (30, 41)), replace(PLAIN, tile=0))
    assert sum(int((plane == 0).sum()) for plane in told) >= 30 * 41
    for plane in told:
        outer = plane[0, 0].copy()
        rows_inside, columns_inside = (np.flatnonzero((outer == 0).any(axis)) for axis in (1, 0))
        outer[np.ix_(rows_inside, columns_inside)] += 1
        assert (plane == 1).any()
        assert (outer == 1).all()
    assert bad is not None
    assert not bad.any()
