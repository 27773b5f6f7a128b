"""Folders of the user: the platform's, unless the environment says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rawfix.io.folders import cache_folder, data_folder

FOLDERS = [("RAWFIX_DATA_DIR", data_folder), ("RAWFIX_CACHE_DIR", cache_folder)]


@pytest.mark.parametrize(("variable", "folder"), FOLDERS)
def test_the_environment_names_the_folder(
    variable: str, folder: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "here"))
    assert folder() == tmp_path / "here"
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(("variable", "folder"), FOLDERS)
def test_without_it_the_platform_does(
    variable: str, folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in (None, ""):
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
        assert folder().is_absolute() and "rawfix" in folder().parts


def test_data_and_cache_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, _ in FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    assert data_folder() != cache_folder()
