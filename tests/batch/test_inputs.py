"""Names, wildcards, folders and lists become files, once each."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from rawfix.batch.inputs import expand, find_sources, read_list
from rawfix.errors import SettingsError


def test_wildcards_are_expanded_in_order_and_each_file_comes_once(tmp_path: Path) -> None:
    for name in ("b.dng", "a.dng", "c.nef"):
        (tmp_path / name).touch()
    found = expand([str(tmp_path / "c.nef"), str(tmp_path / "*.dng"), str(tmp_path / "*")])
    assert [path.name for path in found] == ["c.nef", "a.dng", "b.dng"]


def test_wildcards_reach_below(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "a.dng").touch()
    assert [path.name for path in expand([str(tmp_path / "**" / "*.dng")])] == ["a.dng"]


def test_a_file_whose_name_looks_like_a_wildcard_is_itself(tmp_path: Path) -> None:
    odd = tmp_path / "shot[1].dng"
    odd.touch()
    (tmp_path / "shot1.dng").touch()
    assert expand([str(odd)]) == [odd]


def test_a_missing_file_is_passed_on_and_a_wildcard_without_match_is_not(tmp_path: Path) -> None:
    missing = tmp_path / "missing.dng"
    assert expand([str(missing)]) == [missing]
    assert expand([str(tmp_path / "*.dng")]) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.DNG", "a.nef", "notes.txt", "a.jpg", ".hidden.dng", "deep/er/c.cr2", ".trash/d.dng"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_a_folder_means_its_raw_files(tree: Path) -> None:
    assert [path.name for path in expand([str(tree)])] == ["a.nef", "b.DNG"]


def test_recursive_searches_folders_within_and_remembers_where(tree: Path) -> None:
    found = find_sources([str(tree)], recursive=True)
    assert [(s.path.name, s.below.as_posix()) for s in found] == [
        ("a.nef", "."), ("b.DNG", "."), ("c.cr2", "deep/er")
    ]  # fmt: skip


def test_a_file_reached_through_a_link_comes_once(tree: Path) -> None:
    (tree / "again.dng").symlink_to(tree / "b.DNG")
    assert [path.name for path in expand([str(tree)])] == ["a.nef", "again.dng"]


@pytest.mark.parametrize("data", [b"a.nef\nb.DNG\n\n", b"a.nef\r\nb.DNG", b"a.nef\0b.DNG\0"])
def test_a_list_may_be_of_lines_or_ended_by_nul(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "list").write_bytes(data)
    assert read_list(str(tmp_path / "list")) == ["a.nef", "b.DNG"]


def test_a_list_may_come_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"one.dng\n")))
    assert read_list("-") == ["one.dng"]


def test_a_list_holds_names_not_wildcards(tree: Path) -> None:
    assert [s.path.name for s in find_sources([], [str(tree / "*.nef")])] == ["*.nef"]


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--files-from"):
        read_list(str(tmp_path / "missing"))


def found_and_missed(*patterns: Path, **how: bool) -> tuple[list[str], list[str]]:
    missed: list[str] = []
    found = find_sources(map(str, patterns), missed=missed.append, **how)
    return [source.path.name for source in found], missed


def test_what_is_named_in_vain_is_told_though_something_else_was_found(tree: Path) -> None:
    (tree / "empty").mkdir()
    found, missed = found_and_missed(tree / "a.nef", tree / "miss*.dng", tree / "empty")
    assert found == ["a.nef"]
    assert missed == [
        f"{tree}/miss*.dng: no input matched; check the path and the wildcard",
        f"{tree}/empty: is a folder without RAW files; name another folder, or files",
    ]
    assert found_and_missed(tree / "*.nef", tree) == (["a.nef", "b.DNG"], [])


def test_a_folder_whose_files_lie_deeper_hints_at_recursion(tree: Path) -> None:
    assert found_and_missed(tree / "deep") == (
        [],
        [f"{tree}/deep: is a folder without RAW files; give -r to search the folders in it"],
    )
    assert found_and_missed(tree / "deep", recursive=True) == (["c.cr2"], [])


def test_a_folder_that_cannot_be_read_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", path)
        return genuine(path)

    monkeypatch.setattr(os, "scandir", scandir)
    told = f"{tree}/deep: cannot be searched: Permission denied; change its permissions"
    assert found_and_missed(tree, recursive=True) == (["a.nef", "b.DNG"], [told])
    assert found_and_missed(tree / "deep") == ([], [told])
