"""The store of maps: one file a body, whole or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from rawfix.errors import OutputError, SettingsError
from rawfix.io.bad_maps import (
    BadMap,
    all_maps,
    choose_map,
    find_map,
    forget_map,
    maps_folder,
    path_of,
    read_map,
    united,
    write_map,
)

MAP = BadMap(
    "Canon EOS D30", "305465770", 20, 30, "2024-05-01", "dark frames", 4, (100.0, 800.0), (1.0, 30.0),
    {"hot": 2}, ((1, 2), (19, 29)),
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path))
    return tmp_path


def test_a_map_is_found_by_its_body_only() -> None:
    write_map(MAP, overwrite=False)
    assert find_map("Canon EOS D30", "305465770") == MAP
    assert find_map("Canon EOS D30", "") is None
    assert find_map("Canon EOS D30", "1") is None
    assert find_map("", "") is None
    assert np.argwhere(MAP.mask()).tolist() == [[1, 2], [19, 29]]


def test_bodies_whose_file_names_collide_are_told_apart() -> None:
    write_map(MAP, overwrite=False)
    assert path_of("Canon EOS", "D30 305465770") == path_of(MAP.camera, MAP.serial)
    assert find_map("Canon EOS", "D30 305465770") is None


def test_names_without_latin_letters_have_files_of_their_own() -> None:
    bodies = [("Камера", "Ж"), ("カメラ", "ア"), ("Maker", "1-2"), ("Maker", "1/2"), ("", "")]
    assert len({path_of(*body) for body in bodies}) == len(bodies)
    assert path_of("Canon EOS D30", "305465770").name == "canon-eos-d30-305465770.json"


def test_no_name_leads_out_of_the_folder() -> None:
    for camera in ("../../etc/passwd", "a/b\\c", "..", "", "ö"):
        path = path_of(camera, "x/../y")
        assert path.parent == maps_folder() and path.name.endswith(".json")


def test_nothing_is_replaced_unasked() -> None:
    path = write_map(MAP, overwrite=False)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write_map(MAP, overwrite=False)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: text.replace('"version":1', '"version":2'),
        lambda text: text.replace("[19,29]", "[20,29]"),
        lambda text: text.replace('"camera"', '"kamera"'),
        lambda text: text.replace("[19,29]", "[19]"),
        lambda text: text.replace("[100.0,800.0]", "100"),
        lambda text: text.replace("[100.0,800.0]", "[0,0]"),
        lambda text: re.sub(r'"made":"[^"]*"', '"made":"yesterday"', text),
    ],
)
def test_a_damaged_map_is_refused_by_name(damage: object) -> None:
    path = write_map(MAP, overwrite=False)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(SettingsError) as refusal:
        read_map(path)
    assert path.name in str(refusal.value) and "\n" not in str(refusal.value)


def test_maps_are_chosen_by_a_part_of_their_name() -> None:
    write_map(MAP, overwrite=False)
    write_map(BadMap("Canon EOS D30", "2", 20, 30, "2024-05-01", "list"), overwrite=False)
    assert choose_map("305465770") == MAP
    assert choose_map("canon eos d30 2").serial == "2"
    for name in ("canon", "nikon"):
        with pytest.raises(SettingsError, match="map"):
            choose_map(name)
    forget_map(MAP)
    assert [found.serial for found in all_maps()] == ["2"]
    with pytest.raises(OutputError):
        forget_map(MAP)


def test_two_maps_unite() -> None:
    other = BadMap(MAP.camera, MAP.serial, 20, 30, "2023-01-01", "a.txt", sites=((0, 0), (1, 2)))
    both = united(MAP, other)
    assert both.sites == ((0, 0), (1, 2), (19, 29)) and both.iso == MAP.iso and both.made == "2024-05-01"
    with pytest.raises(SettingsError, match="--overwrite"):
        united(MAP, BadMap(MAP.camera, MAP.serial, 20, 31, "2023-01-01", "a.txt"))


def test_the_file_is_plain_json() -> None:
    values = json.loads(write_map(MAP, overwrite=False).read_text())
    assert values["version"] == 1 and values["sites"] == [[1, 2], [19, 29]] and values["frames"] == 4
