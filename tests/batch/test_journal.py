"""The journal knows what was written, whatever moment the run was killed at."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rawfix.batch.commit import commit
from rawfix.batch.decide import Action, carried_digest, decide
from rawfix.batch.identity import FileState, settings_digest
from rawfix.batch.journal import NAME, Entry, Journal, append_end, append_entry
from rawfix.batch.options import Options
from rawfix.batch.parcel import Delivery, Made
from rawfix.batch.plan import Job
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result
from rawfix.errors import OutputError
from rawfix.io.stale import remove_stale, temporary_name
from rawfix.settings import Settings

RECIPE = Recipe(Settings())
MODELS = {"demosaic-bayer-standard": "ab" * 32}


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A source and its output, written down."""
    source, target = tmp_path / "a.dng", tmp_path / "out" / "a.tif"
    target.parent.mkdir()
    source.write_bytes(b"light")
    target.write_bytes(b"picture")
    write_down(source, target)
    return source, target


def write_down(source: Path, target: Path, run: str = "one") -> None:
    state, made_of = FileState.of(target), FileState.of(source)
    entry = Entry(
        target, state, run, source, made_of, carried_digest(source, Options(), "Box", Settings()),
        settings_digest(Settings()), MODELS, camera="Box", iso=100.0,
    )  # fmt: skip
    append_entry(target.parent, entry)


def verdict(source: Path, target: Path, recipe: Recipe = RECIPE, **allowed: object) -> Action:
    options = Options(**{"run": "two", **allowed})  # type: ignore[arg-type]
    sides = options.sides(target)
    return decide(source, target, sides, Journal(target.parent), recipe, options, lambda: MODELS)


def test_what_is_absent_is_made_and_what_is_known_is_left(made: tuple[Path, Path]) -> None:
    source, target = made
    assert verdict(source, target).kind == "unchanged"
    assert verdict(source, target.with_name("b.tif")).kind == "develop"
    target.unlink()
    assert verdict(source, target).kind == "develop"


def test_what_the_journal_does_not_know_is_refused(made: tuple[Path, Path]) -> None:
    source, target = made
    stranger = target.with_name("stranger.tif")
    stranger.write_bytes(b"precious")
    for allowed in ({}, {"update": True}):
        assert verdict(source, stranger, **allowed).kind == "refuse"
    assert verdict(source, stranger, skip_existing=True).kind == "skip"
    assert verdict(source, stranger, overwrite=True).kind == "replace"


def test_what_the_user_has_altered_is_refused(made: tuple[Path, Path]) -> None:
    source, target = made
    target.write_bytes(b"retouched")
    refused = verdict(source, target, update=True)
    assert refused.kind == "refuse" and "was changed since" in refused.reason


def test_another_time_of_the_same_bytes_is_no_change(made: tuple[Path, Path]) -> None:
    source, target = made
    for path in made:
        os.utime(path, (1, 1))
    assert verdict(source, target).kind == "unchanged"


def test_update_makes_again_what_has_changed_and_only_that(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = made
    assert verdict(source, target, update=True).kind == "unchanged"
    brighter = Recipe(Settings(exposure=1.0))
    assert verdict(source, target, brighter).kind == "refuse"
    assert verdict(source, target, brighter, update=True).reason == "the settings are others"
    assert verdict(source, target, Recipe(Settings(threads=3, tile=256)), update=True).kind == "unchanged"
    monkeypatch.setitem(MODELS, "demosaic-bayer-standard", "cd" * 32)
    assert verdict(source, target, update=True).reason == "its network has changed"
    monkeypatch.undo()
    source.with_suffix(".xmp").write_text("<x/>")
    assert "sidecar" in verdict(source, target, update=True).reason
    source.with_suffix(".xmp").unlink()
    source.write_bytes(b"other light")
    assert verdict(source, target, update=True).reason == "its source has changed"


def test_an_output_of_another_source_is_not_updated_but_refused(made: tuple[Path, Path]) -> None:
    source, target = made
    other = source.with_suffix(".nef")
    other.write_bytes(b"another")
    assert verdict(other, target, update=True).kind == "refuse"
    source.unlink()
    assert verdict(other, target, update=True).kind == "replace"


def test_overwrite_goes_on_where_the_same_run_was_interrupted(made: tuple[Path, Path]) -> None:
    source, target = made
    assert verdict(source, target, overwrite=True, run="one").kind == "unchanged"
    assert verdict(source, target, overwrite=True, run="two").kind == "replace"


def test_a_side_output_that_is_newly_asked_for_makes_it_stale(made: tuple[Path, Path]) -> None:
    source, target = made
    assert "along with it" in verdict(source, target, update=True, bad_map=target.parent / "maps").reason


def made_along(source: Path, side: Path, content: bytes) -> Entry:
    """What the journal says of a side output, which is there."""
    side.write_bytes(content)
    return Entry(side, FileState.of(side), "one", source, FileState.of(source))


def test_a_side_output_belongs_to_its_source_wherever_that_lies(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    source, target = made
    bad = target.with_name("bad.png")
    append_entry(target.parent, made_along(source, bad, b"bad"))
    moved, other = tmp_path / "moved.dng", tmp_path / "b.dng"
    shutil.copy(source, moved)
    other.write_bytes(b"night")
    journal, before = Journal(target.parent), FileState.of(source)
    assert journal.made_from(bad, source, before)
    assert journal.made_from(bad, moved, FileState.of(moved))
    assert not journal.made_from(bad, other, FileState.of(other))
    source.write_bytes(b"dusk!")
    assert journal.made_from(bad, source, FileState.of(source))
    bad.write_bytes(b"retouched")
    assert not journal.made_from(bad, source, before)


def test_a_cluster_replaces_no_side_output_of_another_source(made: tuple[Path, Path], tmp_path: Path) -> None:
    source, _ = made
    out = tmp_path / "out"
    bad, other = out / "bad.png", tmp_path / "b.dng"
    append_entry(out, made_along(source, bad, b"bad"))
    other.write_bytes(b"night")

    def place(source: Path, name: str) -> None:
        staged, target = tmp_path / "staged", out / name
        staged.mkdir()
        entries = [made_along(source, staged / each, b"new") for each in (bad.name, name)]
        parts = tuple(Made(replace(entry, path=out / entry.path.name), entry.path) for entry in entries)
        delivery = Delivery(Result(source, target, "done"), parts)
        options, job = Options(bad_map=bad), Job(source, target, {})
        try:
            commit(delivery, job, Action("develop"), RECIPE, options, lambda path: True)
        finally:
            shutil.rmtree(staged)

    with pytest.raises(OutputError, match=r"bad\.png: exists already; use --overwrite"):
        place(other, "b.tif")
    assert bad.read_bytes() == b"bad" and not (out / "b.tif").exists()
    place(source, "c.tif")
    assert bad.read_bytes() == b"new" and (out / "c.tif").exists()


def test_a_torn_line_is_passed_over_and_the_next_one_is_whole(made: tuple[Path, Path]) -> None:
    source, target = made
    journal = target.parent / NAME
    whole = journal.read_bytes()
    for cut in (1, 40, len(whole) - 1):
        journal.write_bytes(whole + whole[:cut])
        assert Journal(target.parent).find(target) is not None
        write_down(source, target, "later")
        assert Journal(target.parent).runs() == {"one", "later"}
    journal.write_bytes(b'\xff\x00{}\n[1]\n{"journal": 1, "event": "output"}\n{"journal": 9}\n' + whole)
    assert Journal(target.parent).runs() == {"one"}


def test_a_folder_that_was_moved_is_still_known(made: tuple[Path, Path], tmp_path: Path) -> None:
    source, target = made
    shutil.move(target.parent, tmp_path / "elsewhere")
    assert verdict(source, tmp_path / "elsewhere" / "a.tif").kind == "unchanged"


def test_an_end_is_written_only_where_something_was_written(made: tuple[Path, Path], tmp_path: Path) -> None:
    append_end(made[1].parent, "one")
    assert Journal(made[1].parent).ended == {"one"}
    append_end(tmp_path, "one")
    assert not (tmp_path / NAME).exists()


def test_only_temporary_files_of_the_dead_are_removed(tmp_path: Path) -> None:
    living = temporary_name(tmp_path / "a.tif")
    other = living.name.split(".")[2]
    host, _, token = other.split("-")
    dead = tmp_path / f".a.{host}-4194000-{token}.partial.tif"
    foreign = tmp_path / f".a.00000000-4194000-{token}.partial.tif"
    recycled = tmp_path / f".a.{host}-{os.getppid()}-{token}.partial.tif"
    named_alike = tmp_path / "a.partial.tif"
    for path in (living, dead, foreign, recycled, named_alike):
        path.touch()
    os.utime(recycled, (1, 1))
    assert sorted(remove_stale([tmp_path, tmp_path / "missing"])) == sorted([dead, recycled])
    assert living.exists() and foreign.exists() and named_alike.exists()
    os.utime(foreign, (1, 1))
    assert remove_stale([tmp_path]) == [foreign]


def test_a_temporary_name_is_short_enough_and_utf_8_whatever_the_file_is_called(tmp_path: Path) -> None:
    for stem in ("界" * 80, "x" + "界" * 80, "bad\udcff", "x" * 250):
        name = temporary_name(tmp_path / f"{stem}.tif").name
        assert len(name.encode("utf-8")) <= 200 and name.endswith(".tif")
        assert stem[:3] == name[1:4]
