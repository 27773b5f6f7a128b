"""What kills a worker costs one file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rawfix.batch.execute import execute, prepare
from rawfix.batch.journal import Journal
from rawfix.batch.options import Options
from rawfix.batch.plan import plan
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result
from rawfix.batch.tally import Tally
from rawfix.settings import Settings
from tests.batch import crashing
from tests.batch.crowd import make_dngs, visible

pytestmark = pytest.mark.models


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.results: dict[str, Result] = {}

    def result(self, result: Result) -> None:
        assert result.source.stem not in self.results, "a file is answered for once"
        self.results[result.source.stem] = result

    def tile(self, source: Path, done: int, total: int) -> None:
        assert done <= total


class Several:
    """A listener that remembers results of files of one name."""

    def __init__(self) -> None:
        self.all: list[Result] = []

    def result(self, result: Result) -> None:
        self.all.append(result)

    def tile(self, source: Path, done: int, total: int) -> None:
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_crash_a_kill_a_loop_and_a_bug_each_cost_their_own_file(tmp_path: Path) -> None:
    sources = make_dngs(tmp_path / "in", 4)
    out = tmp_path / "out"
    out.mkdir()
    for name in ("segfault", "killed", "endless", "bug", "hungry"):
        sources.insert(2, Path(shutil.copy(sources[0], tmp_path / "in" / f"{name}.dng")))
    jobs = plan(sources, out, "{stem}", "tiff")
    heard, tally = Heard(), Tally(len(jobs))
    execute(prepare(jobs, Recipe(Settings()), Options()), heard, tally, jobs=2, entry=crashing.main)
    assert sorted(heard.results) == sorted(path.stem for path in sources)
    assert visible(out) == ["0000.tif", "0001.tif", "0002.tif", "0003.tif"]
    errors = {name: result.error or "" for name, result in heard.results.items() if result.error}
    assert sorted(errors) == ["bug", "endless", "hungry", "killed", "segfault"]
    assert "decoder crashed (SIGSEGV)" in errors["segfault"]
    assert "want of memory" in errors["killed"] and "not enough memory" in errors["hungry"]
    assert "bug in rawfix" in errors["bug"]
    assert "seconds of computing and was given up" in errors["endless"]
    assert tally.failed == 5


def test_two_inputs_never_share_a_side_output_though_the_camera_names_them(tmp_path: Path) -> None:
    sources = [*make_dngs(tmp_path / "x", 1), *make_dngs(tmp_path / "y", 1)]
    stages = tmp_path / "stages"
    stages.mkdir()
    jobs = plan(sources, None, "{stem}-{camera}", "tiff")
    heard, tally = Several(), Tally(len(jobs))
    options = Options(overwrite=True, save_stages=stages)
    recipe = Recipe(Settings())
    execute(prepare(jobs, recipe, options), heard, tally)
    assert tally.counts == {"done": 1, "failed": 1}
    (error,) = [result.error for result in heard.all if result.error]
    assert "was written for another input" in error


class Broken(Several):
    """A listener that cannot take a result."""

    def result(self, result: Result) -> None:
        super().result(result)
        raise BrokenPipeError


def test_a_listener_that_fails_is_no_dead_worker_and_ends_the_run(tmp_path: Path) -> None:
    sources, out = make_dngs(tmp_path / "in", 8), tmp_path / "out"
    out.mkdir()
    broken, tally = Broken(), Tally(8)
    with pytest.raises(BrokenPipeError):
        execute(
            prepare(plan(sources, out, "{stem}", "tiff"), Recipe(Settings()), Options()),
            broken,
            tally,
            jobs=2,
        )
    assert [result.status for result in broken.all] == ["done"]
    assert len(visible(out)) == tally.counts["done"] < 8
    assert all(Journal(out).find(out / name) is not None for name in visible(out))
