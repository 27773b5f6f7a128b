"""An OpenColorIO display transform shows what OpenColorIO itself would show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawfix.color.matrices import convert
from rawfix.color.spaces import SPACES, WORKING
from rawfix.errors import SettingsError
from rawfix.io import ocio
from rawfix.io.ocio import open_view
from rawfix.pipeline import develop
from rawfix.settings import Settings, with_defaults

PyOpenColorIO = pytest.importorskip("PyOpenColorIO", reason="rawfix[ocio] is not installed")
CONFIG = "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1"
SCENE = """ocio_profile_version: 2
strictparsing: true
roles: {{{roles}default: scene}}
file_rules:
  - !<Rule> {{name: Default, colorspace: scene}}
displays:
  half:
    - !<View> {{name: plain, colorspace: half}}
colorspaces:
  - !<ColorSpace> {{name: scene, encoding: scene-linear}}
  - !<ColorSpace>
    name: half
    from_scene_reference: !<MatrixTransform> {{matrix: [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1]}}
"""


def config(folder: Path, roles: str = "aces_interchange: scene, ") -> str:
    path = folder / "config.ocio"
    path.write_text(SCENE.format(roles=roles))
    return str(path)


def test_the_pictures_values_are_the_transforms(make_frame: Callable[..., Any]) -> None:
    frame = make_frame(size=(64, 64))
    stages: dict[str, np.ndarray] = {}
    settings = Settings(**with_defaults({"ocio": CONFIG, "bits": 16}), exposure=2.0)
    developed = develop(frame, settings, watch=lambda name, image: stages.update({name: image}))
    light = stages["working"] @ convert(WORKING, SPACES["aces2065-1"]).T.astype(np.float32)
    known = PyOpenColorIO.Config.CreateFromFile(CONFIG)
    display = known.getDefaultDisplay()
    transform = PyOpenColorIO.DisplayViewTransform(
        src="ACES2065-1", display=display, view=known.getDefaultView(display)
    )
    expected = np.ascontiguousarray(light, np.float32)
    known.getProcessor(transform).getDefaultCPUProcessor().applyRGB(expected)
    difference = developed.display / 65535 - np.clip(expected, 0, 1)
    assert np.abs(difference).max() < 1e-3 and developed.display.std() > 1000
    assert any(display in note and "no color profile" in note for note in developed.notes)


def test_a_configuration_of_ones_own_is_followed(make_frame: Callable[..., Any], tmp_path: Path) -> None:
    frame = make_frame(size=(64, 64))
    values = {"ocio": config(tmp_path), "ocio_display": "half", "ocio_view": "plain", "bits": 32}
    shown = develop(frame, Settings(**with_defaults(values))).display
    plain = Settings(space="aces2065-1", tone="none", linear=True, bits=32)
    np.testing.assert_allclose(shown, develop(frame, plain).display / 2, rtol=1e-5, atol=1e-6)


def test_views_take_light_above_white_and_leave_their_input_alone(tmp_path: Path) -> None:
    show, name = open_view(config(tmp_path))
    light = np.array([[[8.0, 0.5, -1.0]]], np.float32)
    assert show(light).ravel().tolist() == [4.0, 0.25, -0.5] and name == "half, plain"
    assert light.ravel().tolist() == [8.0, 0.5, -1.0]


def test_what_is_unknown_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(tmp_path)
    (tmp_path / "roles").mkdir()
    for words, match in (
        ((str(tmp_path / "none.ocio"),), "none.ocio"),
        ((path, "quarter"), "choose one of half"),
        ((path, "half", "fancy"), "choose one of plain"),
        ((config(tmp_path / "roles", roles=""),), "aces_interchange"),
    ):
        with pytest.raises(SettingsError, match=match) as refusal:
            open_view(*words)
        assert "\n" not in str(refusal.value)
    (tmp_path / "broken.ocio").write_text("no: [yaml")
    with pytest.raises(SettingsError, match=r"broken\.ocio"):
        open_view(str(tmp_path / "broken.ocio"))
    monkeypatch.setattr(ocio, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'rawfix\[ocio\]'"):
        open_view(path)


@pytest.mark.parametrize(
    "given",
    [
        {"ocio": CONFIG, "format": "exr"},
        {"ocio": CONFIG, "tone": "standard"},
        {"ocio": CONFIG, "space": "rec2020"},
        {"ocio": CONFIG, "linear": True},
        {"ocio_display": "half"},
    ],
)
def test_what_contradicts_a_display_transform_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="--ocio"):
        Settings(**with_defaults(given))
