"""The RGB spaces rawfix can write, and the one it works in."""

from __future__ import annotations

from rawfix.color.matrices import D50, D60, D65, Space
from rawfix.errors import SettingsError

_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
_BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_ROMM = ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105))
_AP1 = ((0.713, 0.293), (0.165, 0.830), (0.128, 0.044))
_AP0 = ((0.7347, 0.2653), (0.0, 1.0), (0.0001, -0.0770))

SPACES: dict[str, Space] = {
    "srgb": Space("srgb", _BT709, D65, "srgb", "sRGB"),
    "display-p3": Space("display-p3", _P3, D65, "srgb", "Display P3"),
    "adobe-rgb": Space("adobe-rgb", _ADOBE, D65, "adobe", "Adobe RGB (1998) compatible"),
    "rec2020": Space("rec2020", _BT2020, D65, "rec2020", "Rec. 2020"),
    "prophoto": Space("prophoto", _ROMM, D50, "prophoto", "ProPhoto RGB (ROMM)"),
    "acescg": Space("acescg", _AP1, D60, "linear", "ACEScg"),
    "aces2065-1": Space("aces2065-1", _AP0, D60, "linear", "ACES2065-1"),
}
"""IEC 61966-2-1; SMPTE EG 432-1 with D65; Adobe RGB (1998); ITU-R BT.2020-2; ISO 22028-2; SMPTE ST 2065-1,
AMPAS S-2014-004."""

WORKING = Space("working", _BT2020, D65, "linear", "linear Rec. 2020")
"""Where pictures live between `to_working` and `render`: linear light, D65, signed, unbounded."""


def space_named(name: str) -> Space:
    """The space of that name; raises `SettingsError` that lists the known ones."""
    try:
        return SPACES[name]
    except KeyError:
        raise SettingsError(f"color space {name!r} is unknown; choose one of {', '.join(SPACES)}") from None
