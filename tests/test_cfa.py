"""Filter arrays keep their phase through crops, shifts and samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL, GREEN, INFRARED, Cfa
from rawfix.symmetry import Symmetry

FAMILIES = st.sampled_from(sorted(CANONICAL))
OFFSETS = st.integers(0, 13)
SIDES = st.integers(1, 15)
SYMMETRIES = st.sampled_from(list(Symmetry.all()))


def image(height: int, width: int) -> np.ndarray:
    """Every value differs, so that a wrong sample cannot hide."""
    return np.arange(height * width * 4, dtype=np.float32).reshape(height, width, 4)


@given(FAMILIES, OFFSETS, OFFSETS, SIDES, SIDES)
def test_crop_then_mosaic_is_mosaic_then_crop(family: str, y: int, x: int, height: int, width: int) -> None:
    cfa, full = CANONICAL[family], image(y + height, x + width)
    np.testing.assert_array_equal(cfa.shift(y, x).mosaic(full[y:, x:]), cfa.mosaic(full)[y:, x:])


@given(FAMILIES, OFFSETS, OFFSETS, OFFSETS, OFFSETS)
def test_shifts_add_up(family: str, y: int, x: int, down: int, right: int) -> None:
    cfa = CANONICAL[family]
    assert cfa.shift(y, x).shift(down, right) == cfa.shift(y + down, x + right)


@given(FAMILIES)
def test_a_shift_by_the_period_changes_nothing(family: str) -> None:
    cfa = CANONICAL[family]
    assert cfa.shift(*cfa.period) == cfa


@given(FAMILIES, OFFSETS, OFFSETS)
def test_offset_leads_to_the_canonical_phase(family: str, y: int, x: int) -> None:
    cfa = CANONICAL[family].shift(y, x)
    offset = cfa.offset_to(CANONICAL[family])
    assert offset is not None
    assert cfa.shift(*offset) == CANONICAL[family]
    assert (0, 0) <= offset < cfa.period


def test_no_offset_leads_to_another_family() -> None:
    for name, cfa in CANONICAL.items():
        others = [c for other, c in CANONICAL.items() if other != name]
        assert all(cfa.offset_to(other) is None for other in others)


@given(FAMILIES, OFFSETS, OFFSETS)
def test_every_phase_keeps_its_family_name(family: str, y: int, x: int) -> None:
    assert CANONICAL[family].shift(y, x).name == family


@pytest.mark.parametrize("rows", [("RG", "GB"), ("BG", "GR"), ("GR", "BG"), ("GB", "RG")])
def test_each_bayer_phase_is_bayer(rows: tuple[str, str]) -> None:
    cfa = Cfa.from_rows(*rows)
    assert cfa.name == "bayer"


def test_an_unlisted_array_is_unknown() -> None:
    assert Cfa.from_rows("RGB").name == "unknown"


@given(FAMILIES, OFFSETS, OFFSETS, SIDES, SIDES)
def test_place_undoes_mosaic(family: str, y: int, x: int, height: int, width: int) -> None:
    cfa, full = CANONICAL[family].shift(y, x), image(height, width)
    placed = np.full_like(full, -1)
    cfa.place(cfa.mosaic(full), placed)
    np.testing.assert_array_equal(cfa.mosaic(placed), cfa.mosaic(full))
    assert (placed == -1).sum() == 3 * height * width


@given(FAMILIES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_place_leaves_what_it_is_not_told_to_write(family: str, height: int, width: int, seed: int) -> None:
    cfa, full = CANONICAL[family], image(height, width)
    where = np.random.default_rng(seed).random((height, width)) < 0.5
    placed = np.full_like(full, -1)
    cfa.place(cfa.mosaic(full), placed, where)
    np.testing.assert_array_equal(cfa.mosaic(placed), np.where(where, cfa.mosaic(full), -1))


@given(FAMILIES, st.integers(1, 3), st.integers(1, 3))
def test_from_array_reduces_to_the_smallest_period(family: str, down: int, right: int) -> None:
    cfa = CANONICAL[family]
    assert Cfa.from_array(np.tile(cfa.unit(), (down, right))) == cfa


def test_from_array_does_not_cut_a_period_that_does_not_divide() -> None:
    assert Cfa.from_array(np.array([[0, 1, 0]])).period == (1, 3)


@given(FAMILIES, SIDES, SIDES)
def test_channels_are_those_of_the_unit(family: str, height: int, width: int) -> None:
    cfa = CANONICAL[family]
    channels = cfa.channels((height, width))
    assert channels.shape == (height, width)
    for (y, x), channel in np.ndenumerate(channels):
        assert channel == cfa.pattern[y % cfa.period[0]][x % cfa.period[1]]


def test_letters_and_rows_are_inverse() -> None:
    for cfa in CANONICAL.values():
        assert Cfa.from_rows(*cfa.letters.split("/")) == cfa
    assert CANONICAL["bayer"].letters == "GR/BG"


def test_shares_of_the_channels() -> None:
    shares = {name: (cfa.unit() == GREEN).mean() for name, cfa in CANONICAL.items()}
    assert shares["bayer"] == shares["quad"] == shares["nona"] == 0.5
    assert shares["xtrans"] == pytest.approx(20 / 36)
    assert (CANONICAL["rgbir4"].unit() == INFRARED).mean() == 0.25


@pytest.mark.parametrize("pattern", [(), ((),), ((0, 1), (2,)), ((0, 4),), ((-1,),)])
def test_what_is_no_array_is_refused(pattern: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="not a color filter array"):
        Cfa(pattern)


@given(FAMILIES, OFFSETS, OFFSETS, SYMMETRIES, SIDES, SIDES)
def test_mosaic_then_move_is_move_then_mosaic(
    family: str, y: int, x: int, symmetry: Symmetry, height: int, width: int
) -> None:
    cfa, full = CANONICAL[family].shift(y, x), image(height, width)
    moved = cfa.moved(symmetry, (height, width))
    np.testing.assert_array_equal(moved.mosaic(symmetry.apply(full)), symmetry.apply(cfa.mosaic(full)))


@given(FAMILIES, OFFSETS, OFFSETS, SYMMETRIES, SIDES, SIDES)
def test_every_array_moved_in_any_way_is_seen_in_its_canonical_phase(
    family: str, y: int, x: int, symmetry: Symmetry, height: int, width: int
) -> None:
    cfa = CANONICAL[family].shift(y, x).moved(symmetry, (height, width))
    shape = symmetry.shape((height, width))
    found = cfa.to_canonical(shape)
    assert cfa.name == family
    assert found is not None
    name, move, (top, left) = found
    assert name == family
    full = image(*shape)
    seen = move.apply(cfa.mosaic(full))[top:, left:]
    np.testing.assert_array_equal(seen, CANONICAL[family].mosaic(move.apply(full)[top:, left:]))
    assert (0, 0) <= (top, left) < CANONICAL[family].period


@given(FAMILIES, OFFSETS, OFFSETS)
def test_what_a_crop_can_do_moves_nothing(family: str, y: int, x: int) -> None:
    found = CANONICAL[family].shift(y, x).to_canonical((31, 40))
    assert found is not None
    assert found[1].is_identity


def test_rgb_and_infrared_with_red_and_blue_exchanged_is_transposed() -> None:
    found = Cfa.from_rows("GR", "BI").to_canonical((8, 10))
    assert found is not None
    assert found[:2] == ("rgbir2", Symmetry(transpose=True))


def test_an_array_of_no_family_has_no_canonical_phase() -> None:
    assert Cfa.from_rows("RGB").to_canonical((8, 8)) is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("RGGB", "RG/GB"),
        ("grbg", "GR/BG"),
        ("Bayer", "GR/BG"),
        ("gb/ri", "GB/RI"),
        ("mono", "G"),
        ("rgb/gbr", "RGB/GBR"),
        ("rgrg/gbgb", "RG/GB"),
        ("GG/GG", "G"),
    ],
)
def test_arrays_are_named_or_spelt(text: str, letters: str) -> None:
    assert Cfa.from_text(text).letters == letters


@pytest.mark.parametrize("text", ["", "GGGG", "RGB", "purple", "RG/G", "/", "RG/GW", "RGGBRG"])
def test_other_texts_are_no_array(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no filter array.*; give one"):
        Cfa.from_text(text)


@pytest.mark.parametrize(
    ("text", "lengths"), [("GB/R", "2, 1"), ("rgb/gb/r", "3, 2, 1"), ("RG/GB/", "2, 2, 0")]
)
def test_rows_of_several_lengths_are_told(text: str, lengths: str) -> None:
    with pytest.raises(ValueError) as refusal:
        Cfa.from_text(text)
    assert str(refusal.value) == (
        f"{text!r} is no filter array: its rows have {lengths} letters; "
        "give one repeating unit, rows of one length (GB/RI)"
    )
