"""Settings are checked where they are made, and survive a round trip through JSON."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix import settings
from rawfix.color.spaces import SPACES
from rawfix.color.tone import TONES
from rawfix.errors import SettingsError
from rawfix.settings import FORMAT_BITS, Settings, Strengths


def test_spaces_are_those_there_are_and_the_camera_itself() -> None:
    assert set(get_args(settings.Space)) == set(SPACES) | {"camera"}


def test_tones_are_those_there_are() -> None:
    assert set(get_args(settings.Tone)) == set(TONES)


def test_every_format_has_bit_depths() -> None:
    assert set(FORMAT_BITS) == set(get_args(settings.Format))
    assert {depth for depths in FORMAT_BITS.values() for depth in depths} == set(get_args(settings.Bits))


@pytest.mark.parametrize(
    "wrong",
    [
        {"quality": "superb"},
        {"space": "cmyk"},
        {"tone": "loud"},
        {"highlights": "burn"},
        {"format": "gif"},
        {"format": "jpeg", "bits": 16},
        {"format": "png", "bits": 32},
        {"bits": 12},
        {"exposure": float("nan")},
        {"exposure": float("inf")},
        {"exposure": -17.0},
        {"tile": 63},
        {"tile": -64},
        {"tile": 8193},
        {"threads": -1},
        {"threads": 1025},
        {"space": "camera", "wb": "daylight"},
    ],
    ids=str,
)
def test_what_has_no_meaning_is_refused_in_one_line_that_names_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings(**wrong)
    assert "\n" not in str(refusal.value)
    assert any(f"--{name} {value}" in str(refusal.value) for name, value in wrong.items())


@pytest.mark.parametrize("name", ["denoise", "deblur", "defringe", "dehaze"])
@pytest.mark.parametrize("value", [-1.01, 2.01, float("nan"), float("inf")])
def test_strengths_outside_their_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=f"--{name}"):
        Strengths(**{name: value})


def test_the_ends_of_every_range_are_allowed() -> None:
    Strengths(-1, 2)
    Settings(exposure=-16, tile=64, threads=1024)
    Settings(exposure=16, tile=8192, threads=0)


@given(
    denoise=st.floats(-1, 2),
    exposure=st.floats(-16, 16),
    space=st.sampled_from(sorted(SPACES)),
    linear=st.booleans(),
    tile=st.sampled_from([0, 64, 512]),
)
def test_dict_round_trip(denoise: float, exposure: float, space: Any, linear: bool, tile: int) -> None:
    made = Settings(
        strengths=Strengths(denoise=denoise), exposure=exposure, space=space, linear=linear, tile=tile
    )
    assert Settings.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_an_empty_dict_gives_the_defaults() -> None:
    assert Settings.from_dict({}) == Settings()


@pytest.mark.parametrize("unknown", [{"sharpness": 1}, {"strengths": {"grain": 1}}], ids=str)
def test_an_unknown_key_is_named(unknown: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"sharpness|grain"):
        Settings.from_dict(unknown)
