"""Profiles, as another program reads them."""

from __future__ import annotations

import hashlib
import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from rawfix.color.matrices import convert
from rawfix.color.spaces import SPACES
from rawfix.color.transfer import decode, encode
from rawfix.io.icc import profile

NO_OPTIMIZATION = 0x0100
RELATIVE = 1


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("name", SPACES)
def test_littlecms_converts_to_srgb_as_we_do(name: str, linear: bool) -> None:
    space = SPACES[name]
    encoded = np.random.default_rng(8).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile(space, linear))),
        ImageCms.createProfile("sRGB"),
        "RGB",
        "RGB",
        renderingIntent=RELATIVE,
        flags=NO_OPTIMIZATION,
    )
    theirs = np.asarray(ImageCms.applyTransform(Image.fromarray(encoded), transform)).astype(float)
    light = decode("linear" if linear else space.transfer, (encoded / 255).astype(np.float32))
    converted = light @ convert(space, SPACES["srgb"]).T.astype(np.float32)
    ours = encode("srgb", np.clip(converted, 0, 1)) * 255
    assert np.abs(theirs - ours).max() < 1.6


@pytest.mark.parametrize("name", SPACES)
def test_profile_is_well_formed_and_says_its_name(name: str) -> None:
    data = profile(SPACES[name])
    size, version, signature = struct.unpack_from(">I4xI24x4s", data)
    assert (size, version >> 24, signature) == (len(data), 4, b"acsp")
    opened = ImageCms.ImageCmsProfile(io.BytesIO(data))
    assert SPACES[name].title in ImageCms.getProfileDescription(opened)
    assert opened.profile.is_matrix_shaper
    assert opened.profile.media_white_point[0] == pytest.approx((0.9642, 1.0, 0.8249), abs=1e-4)
    unsigned = data[:84] + bytes(16) + data[100:]
    unsigned = unsigned[:44] + bytes(4) + unsigned[48:64] + bytes(4) + unsigned[68:]
    assert data[84:100] == hashlib.md5(unsigned).digest()


def test_colorants_add_up_to_the_white_exactly() -> None:
    for space in SPACES.values():
        data = profile(space)
        total = np.zeros(3, int)
        for i in range(struct.unpack_from(">I", data, 128)[0]):
            name, offset, _ = struct.unpack_from(">4sII", data, 132 + 12 * i)
            if name in (b"rXYZ", b"gXYZ", b"bXYZ"):
                total += struct.unpack_from(">3i", data, offset + 8)
        assert total.tolist() == [0xF6D6, 0x10000, 0xD32D]


def test_profile_is_the_same_every_time_and_its_linear_twin_differs() -> None:
    space = SPACES["srgb"]
    assert profile(space) == profile(space)
    assert profile(space) != profile(space, linear=True)
