"""A tabulated curve is the formula it was made of, is undone exactly, and is what a profile states."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from rawfix.color.spaces import SPACES
from rawfix.color.tabulated import SRGB, Tabulated
from rawfix.color.transfer import decode
from rawfix.io.icc import profile
from rawfix.io.icc_curve import profile_curve, profile_space


def test_srgb_is_srgb() -> None:
    encoded = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(SRGB.decode(encoded), decode("srgb", encoded), atol=2e-6)


def test_every_step_of_16_bits_comes_back() -> None:
    values = np.arange(65536)
    for curve in (SRGB, Tabulated.of_points(np.maximum(np.linspace(-0.1, 1, 50), 0))):
        back = np.rint(curve.encode(curve.decode(values / 65535)) * 65535)
        assert np.abs(back - values).max() <= (0 if curve is SRGB else 1)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("linear", [False, True])
def test_our_own_profiles_state_our_own_curves(name: str, linear: bool) -> None:
    icc = profile(SPACES[name], linear)
    assert profile_space(icc) == "RGB"
    curve = profile_curve(icc)
    assert curve is not None
    encoded = np.linspace(0, 1, 501, dtype=np.float32)
    wanted = encoded if linear else decode(SPACES[name].transfer, encoded)
    np.testing.assert_allclose(curve.decode(encoded), wanted, atol=2e-4)


def with_curve(tag: bytes, name: bytes = b"gTRC") -> bytes:
    header = bytes(16) + b"GRAY" + bytes(108)
    return header + struct.pack(">I4sII", 1, name, 144, len(tag)) + tag


def test_tables_gammas_and_offsets_are_read_and_nonsense_is_not() -> None:
    table = np.linspace(0, 1, 256) ** 2
    tag = b"curv" + bytes(4) + struct.pack(">I256H", 256, *np.rint(table * 65535).astype(int))
    found = profile_curve(with_curve(tag, b"kTRC"))
    assert found is not None
    assert found.decode(np.array([0.5]))[0] == pytest.approx(0.25, abs=1e-3)
    gamma = profile_curve(with_curve(b"curv" + bytes(4) + struct.pack(">IH", 1, 563)))
    assert gamma is not None
    assert gamma.decode(np.array([0.5]))[0] == pytest.approx(0.5 ** (563 / 256), abs=1e-4)
    fixed = [round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0)]
    full = profile_curve(with_curve(b"para" + bytes(4) + struct.pack(">HH7i", 4, 0, *fixed)))
    assert full is not None
    np.testing.assert_allclose(
        full.decode(np.array([0.02, 0.6])), SRGB.decode(np.array([0.02, 0.6])), atol=1e-4
    )
    for broken in (b"", b"x" * 200, with_curve(b"para" + bytes(4) + struct.pack(">HHi", 9, 0, 1))):
        assert profile_curve(broken) is None
