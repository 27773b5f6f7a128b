"""A child process that dies costs the file it was reading."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from rawfix.batch import patience
from rawfix.batch.contained import Contained
from rawfix.errors import CorruptRawError, UnsupportedRawError


def crash(path: Path, *, by: int) -> str:
    if path.name == "bad.dng":
        os.kill(os.getpid(), by)
    return path.name


def refuse(path: Path) -> None:
    raise UnsupportedRawError(f"{path.name}: is a tune, not a picture; hum it")


def stumble(path: Path) -> None:
    raise ZeroDivisionError


def spin(path: Path) -> None:
    patience.READING_SECONDS = 0.0
    with patience.limited_reading():
        while True:
            pass


def spread(path: Path, *, size: int) -> tuple[int, np.ndarray]:
    return os.getpid(), np.arange(size)


def test_a_crash_is_a_refusal_in_one_line_and_the_next_file_is_read() -> None:
    with Contained() as contained:
        assert contained(crash, Path("good.dng"), by=signal.SIGSEGV) == "good.dng"
        with pytest.raises(CorruptRawError, match=r"^bad\.dng: the decoder crashed \(SIGSEGV\); [^\n]*$"):
            contained(crash, Path("bad.dng"), by=signal.SIGSEGV)
        assert contained(crash, Path("better.dng"), by=signal.SIGSEGV) == "better.dng"


def test_what_computes_without_end_is_given_up() -> None:
    with (
        Contained() as contained,
        pytest.raises(CorruptRawError, match=r"^a\.dng: .* seconds of computing and was given up; [^\n]*$"),
    ):
        contained(spin, Path("a.dng"))


def test_refusals_come_through_and_large_answers_too() -> None:
    with Contained() as contained:
        with pytest.raises(UnsupportedRawError, match="hum it"):
            contained(refuse, Path("a.dng"))
        first, array = contained(spread, Path("a.dng"), size=1_000_000)
        assert array[-1] == 999_999 and first != os.getpid()
        assert contained(spread, Path("b.dng"), size=1)[0] == first


def test_a_bug_keeps_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with Contained() as contained, pytest.raises(CorruptRawError, match=r"a\.dng: met a bug"):
        contained(stumble, Path("a.dng"))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_no_process_is_left() -> None:
    with Contained() as contained:
        pid, _ = contained(spread, Path("a.dng"), size=1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
