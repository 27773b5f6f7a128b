"""Reel and frame are what a film set's file names say."""

from __future__ import annotations

from pathlib import Path

import pytest

from rawfix.io.sequence import reel_and_frame


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A001_C002_0101AB_000123.dng", ("A001_C002_0101AB", 123)),
        ("A001C002_140101_R1AB.0086400.ari", ("A001C002_140101_R1AB", 86400)),
        ("clip-12.dng", ("clip", 12)),
        ("DSC01234.ARW", ("DSC", 1234)),
        ("IMG_0304.CR2", ("IMG", 304)),
        ("/vol/A003_C001/000007.dng", ("A003_C001", 7)),
        ("shot.dng", None),
        ("canon_d30_5s.crw", None),
        ("take12.dng", None),
        ("_0012.dng", None),
    ],
)
def test_names_are_parsed(name: str, expected: tuple[str, int] | None) -> None:
    assert reel_and_frame(Path(name)) == expected
