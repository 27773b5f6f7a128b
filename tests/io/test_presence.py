"""What cannot be looked at is refused, not taken for absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from rawfix.errors import CorruptRawError, OutputError
from rawfix.io.atomic import check_target
from rawfix.io.presence import is_there
from rawfix.io.raw_checks import check_file


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_there(tmp_path) and is_there(tmp_path / "file")
    assert not is_there(tmp_path / "none") and not is_there(tmp_path / "file" / "below")
    with pytest.raises(OSError, match="too long"):
        is_there(tmp_path / ("n" * 300))


def test_a_name_too_long_is_refused_to_read_and_to_write(tmp_path: Path) -> None:
    long = tmp_path / ("n" * 300)
    with pytest.raises(CorruptRawError, match="too long"):
        check_file(long)
    with pytest.raises(OutputError, match="too long"):
        check_target(long, overwrite=False)


def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "link.dng").symlink_to("gone.dng")
    with pytest.raises(CorruptRawError, match="is a link to a file that is not there"):
        check_file(tmp_path / "link.dng")
