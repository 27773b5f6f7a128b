"""Presets: which settings a frame gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from rawfix.batch import presets
from rawfix.batch.presets import Preset
from rawfix.batch.recipe import Rule
from rawfix.errors import OutputError, SettingsError

TEXT = """
exposure = 0.5
format = "jpeg"

[[rule]]
iso = [800, 3200]
exposure = 1

[[rule]]
camera = "canon*"
wb = 5200
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "presets"


def load(tmp_path: Path, text: str) -> Preset:
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    return presets.load(str(tmp_path / "mine.toml"))


def test_rules_apply_by_iso_and_camera_and_the_last_one_wins(tmp_path: Path) -> None:
    recipe = presets.recipe(load(tmp_path, TEXT), {})
    assert recipe.settings.format == "jpeg" and recipe.settings.bits == 8
    found = {
        (camera, iso): recipe.settings_for(camera, iso)
        for camera in ("Nikon D1", "Canon EOS R5")
        for iso in (100.0, 800.0, 3200.0, 3201.0, None)
    }
    assert [found["Nikon D1", iso].exposure for iso in (100.0, 800.0, 3200.0, 3201.0, None)] == [
        0.5, 1.0, 1.0, 0.5, 0.5
    ]  # fmt: skip
    assert found["Nikon D1", 800.0].wb == "as-shot" and found["Canon EOS R5", None].wb == "5200"


def test_the_command_line_wins_over_every_rule(tmp_path: Path) -> None:
    recipe = presets.recipe(load(tmp_path, TEXT), {"exposure": -1.0, "format": "tiff"})
    assert recipe.settings_for("Canon", 1600.0).exposure == -1.0
    assert recipe.settings.format == "tiff" and recipe.settings.bits == 16


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expsure = 1", "expsure"),
        ("exposure = 'much'", "expected float"),
        ("exposure = true", "expected float"),
        ("exposure = 99", "between -16 and 16"),
        ("linear = 1", "expected bool"),
        ("threads = 2", "threads"),
        ("rule = 3", r"\[\[rule\]\]"),
        ("[[rule]]\niso = [3200, 800]", "least, greatest"),
        ("[[rule]]\niso = 800", "least, greatest"),
        ("[[rule]]\nformat = 'png'", "format"),
        ("[[rule]]\ndenoise = 7", "-1 to 2"),
        ("exposure = ", "not TOML"),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refusal:
        load(tmp_path, text)
    assert "mine.toml" in str(refusal.value)


def test_what_is_saved_is_loaded_again(home: Path) -> None:
    preset = Preset({"exposure": 0.25}, (Rule({"denoise": 0.5}, (100.0, 400.0), "Canon*"),))
    assert presets.save("night", preset, overwrite=False) == home / "night.toml"
    assert presets.load("night") == preset and presets.names() == ["night"]
    with pytest.raises(OutputError, match="--overwrite"):
        presets.save("night", preset, overwrite=False)


@pytest.mark.parametrize("name", ["../evil", "sub/evil", "/tmp/evil", "..\\evil", "", ".", ".evil", "evil/"])
def test_a_preset_is_saved_under_a_plain_name_or_as_toml(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    with pytest.raises(SettingsError, match=r"plain name|is no name"):
        presets.save(name, Preset({"exposure": 1.0}), overwrite=False)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("preset", [Preset({}), Preset({"exposure": 1.0}, (Rule({}, camera="X"),))])
def test_a_preset_without_settings_is_not_saved(home: Path, preset: Preset) -> None:
    with pytest.raises(SettingsError, match="holds no setting"):
        presets.save("night", preset, overwrite=False)


def test_strengths_may_be_left_to_the_picture(tmp_path: Path) -> None:
    recipe = presets.recipe(load(tmp_path, "denoise = 'auto'\n[[rule]]\niso = [0, 100]\ndenoise = 0.5"), {})
    assert recipe.settings.strengths.denoise == "auto"
    assert recipe.settings_for("", 100.0).strengths.denoise == 0.5


def test_a_rule_for_the_same_frames_is_replaced_in_its_place() -> None:
    first, second = Rule({"exposure": 1.0}, (0.0, 100.0)), Rule({"exposure": 2.0}, camera="X")
    preset = presets.with_rule(presets.with_rule(Preset({}), first), second)
    again = presets.with_rule(preset, Rule({"exposure": 3.0}, (0.0, 100.0)))
    assert [rule.values["exposure"] for rule in again.rules] == [3.0, 2.0]


def test_a_missing_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="none yet"):
        presets.load("day")
    presets.save("night", Preset({"exposure": 1.0}), overwrite=False)
    with pytest.raises(SettingsError, match="there is night"):
        presets.load("day")
