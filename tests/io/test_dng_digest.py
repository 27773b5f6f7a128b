"""Digests agree with the ones that Adobe's SDK wrote."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from rawfix.io.dng_digest import file_digest, raw_digest

SAMPLES = (
    Path(os.environ.get("RAWFIX_SAMPLES", Path(__file__).resolve().parents[3] / "shared" / "raw")) / "good"
)


def md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()


def test_one_tile_is_hashed_plane_after_plane() -> None:
    samples = np.arange(24, dtype=np.uint16).reshape(2, 4, 3)
    planes = b"".join(samples[..., plane].astype("<u2").tobytes() for plane in range(3))
    assert raw_digest(samples) == md5(md5(planes))


def test_edge_tiles_are_cut_and_byte_order_does_not_matter() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (300, 257)).astype(np.uint16)
    parts = [samples[:256, :256], samples[:256, 256:], samples[256:, :256], samples[256:, 256:]]
    assert raw_digest(samples) == md5(b"".join(md5(part.tobytes()) for part in parts))
    assert raw_digest(samples.astype(">u2")) == raw_digest(samples)


@pytest.mark.samples
@pytest.mark.parametrize("name", ["dngsdk_06_PGTM2_unsigned16.dng", "dngsdk_14_hdr_sdr_profiles.dng"])
def test_adobes_own_files_have_this_digest(name: str) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip(f"no {name} beside the checkout")
    with tifffile.TiffFile(SAMPLES / name) as file:
        page = file.pages[0]
        assert raw_digest(page.asarray()) == bytes(page.tags[51111].value)


def test_a_file_has_its_md5(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a").hex() == "900150983cd24fb0d6963f7d28e17f72"
