"""Memory and processors are those of the process that is asked."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rawfix.batch.machine import apart, cpu_name, peak_memory
from rawfix.errors import InferenceError, SettingsError
from rawfix.settings import Settings

_HUNDRED = 100 * 2**20


def hold_memory() -> tuple[int, int]:
    """In a process of its own: the peak before and after 100 MiB were held, and let go."""
    before = peak_memory()
    np.ones(_HUNDRED, np.uint8)
    return before, peak_memory()


def test_the_peak_remembers_what_was_let_go() -> None:
    before, after = apart(hold_memory)
    assert _HUNDRED * 0.9 < after - before < _HUNDRED * 1.2


def test_a_process_of_its_own_does_not_inherit_the_peak() -> None:
    held = np.ones(4 * _HUNDRED, np.uint8)
    before, _ = apart(hold_memory)
    assert before < held.nbytes <= peak_memory()


def test_a_refusal_comes_back_as_it_was() -> None:
    with pytest.raises(SettingsError, match="--exposure"):
        apart(Settings, exposure=99.0)


def test_a_process_that_is_killed_is_a_refusal() -> None:
    with pytest.raises(InferenceError, match="memory"):
        apart(os._exit, 9)


def test_the_processor_has_a_name() -> None:
    assert cpu_name().strip() and "\n" not in cpu_name()
