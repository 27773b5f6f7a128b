"""``rawfix develop --cluster`` with a real scheduler and two workers, some of which meet their end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result
from typer.testing import CliRunner

from rawfix.batch.journal import NAME as JOURNAL
from rawfix.batch.options import Options
from rawfix.batch.orders import blind, unlike
from rawfix.batch.parcel import Make, pack
from rawfix.batch.recipe import Recipe
from rawfix.cli.app import app
from rawfix.io.c2pa import Credentials
from rawfix.settings import Settings
from tests.batch.crowd import digests, make_dngs, rawfix, started, visible

pytest.importorskip("distributed", reason="rawfix[cluster] is not installed")
pytestmark = pytest.mark.models


class Dask:
    """A scheduler and its workers, each a process; their temporary files lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        deadline = time.monotonic() + 60
        while not self.file.exists():
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)
        self.address = str(json.loads(self.file.read_text())["address"])

    def _start(self, kind: str, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", kind, "--no-dashboard", "--scheduler-file", str(self.file)]
        variables = {**os.environ, "TMPDIR": str(self.folder), **environment}
        with (self.folder / f"{kind}{len(self.workers)}.log").open("wb") as log:
            return subprocess.Popen([*command, *words], env=variables, stdout=log, stderr=log)

    def add_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """A worker of one thread, without a nanny to start it again; returns when the scheduler knows it."""
        worker = self._start("worker", "--nthreads", "1", "--no-nanny", **environment)
        self.workers.append(worker)
        deadline = time.monotonic() + 60
        log = self.folder / f"worker{len(self.workers) - 1}.log"
        while b"Registered to" not in log.read_bytes():
            assert worker.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return worker

    def hands(self) -> list[psutil.Process]:
        """The processes that develop."""
        alive = [psutil.Process(worker.pid) for worker in self.workers if worker.poll() is None]
        return [hand for worker in alive for hand in worker.children()]

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    cluster = Dask(tmp_path_factory.mktemp("dask"))
    try:
        cluster.add_worker()
        yield cluster
    finally:
        cluster.end()


def files_of(text: str) -> list[dict[str, Any]]:
    return [event for event in map(json.loads, text.splitlines()) if event["event"] == "file"]


def summary_of(text: str) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(text.splitlines()[-1])
    assert last["event"] == "summary"
    return last


def written_once(out: Path) -> bool:
    """Whether the journal tells of every output exactly once."""
    lines = [json.loads(line) for line in (out / JOURNAL).read_text().splitlines()]
    paths = [line["path"] for line in lines if line["event"] == "output"]
    return sorted(paths) == visible(out)


def here(*words: object) -> Result:
    """A run without a cluster, by this very process."""
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


ASKED = ("develop", "in", "--json", "--bad-pixels", "bad.txt", "--name", "{stem}-{iso}")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>'
    "</rdf:RDF></x:xmpmeta>"
)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """A run of three good files and a torn one by this machine, into ``local`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    make_dngs(Path("in"), 3)
    Path("in/torn.dng").write_bytes(Path("in/0000.dng").read_bytes()[:3000])
    Path("in/0001.xmp").write_text(XMP)
    Path("bad.txt").write_text("5 7\n20 9\n")
    return here(*ASKED, "-o", "local", "--bad-map", "local-bad", "--report", "local.html")


def told(text: str) -> list[dict[str, Any]]:
    """The files' events but for what two runs may not share."""
    events = sorted(files_of(text), key=lambda event: str(event["source"]))
    return [{k: v for k, v in event.items() if k not in ("seconds", "target")} for event in events]


@pytest.mark.parametrize("mode", ["shared", "ship"])
def test_a_cluster_makes_the_same_bytes_events_and_journal_as_this_machine(
    mode: str, dask: Dask, local: Result
) -> None:
    there = (*ASKED, "-o", "out", "--bad-map", "bad", "--report", "out.html")
    far = rawfix(*there, "--cluster", dask.address, "--cluster-files", mode)
    assert (far.returncode, far.stderr) == (local.exit_code, local.stderr) == (1, local.stderr)
    for made, wanted in (("out", "local"), ("bad", "local-bad")):
        assert digests(Path(made)) == digests(Path(wanted)) and len(visible(Path(made))) == 3
    assert told(far.stdout) == told(local.stdout) and told(far.stdout)[0]["bad_known"] == 2
    pictures = [Path(page).read_text().count("data:image/jpeg") for page in ("out.html", "local.html")]
    assert pictures[0] == pictures[1] > 0
    Path("in/torn.dng").unlink()
    again = here(*there)
    assert again.exit_code == 0 and {event["status"] for event in files_of(again.stdout)} == {"unchanged"}
    assert not list(Path().rglob("*.partial*"))


@pytest.mark.parametrize("mode", ["shared", "ship"])
def test_a_worker_killed_in_the_middle_costs_nothing(mode: str, dask: Dask, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    make_dngs(folder, 9, (160, 192))
    doomed = dask.add_worker()
    words = ("develop", folder, "--json", "--cluster", dask.address, "--cluster-files", mode, "-o", out)
    with started(*words) as run:
        assert run.stdout is not None
        seen = [run.stdout.readline() for _ in range(2)]
        (orphan,) = psutil.Process(doomed.pid).children()
        doomed.send_signal(signal.SIGKILL)
        next(hand for hand in dask.hands() if hand != orphan).kill()
        assert psutil.wait_procs([orphan], timeout=10)[0], "what develops ends with its worker"
        rest, said = run.communicate(timeout=120)
    assert (run.returncode, said) == (0, "")
    text = "".join(seen) + rest
    assert sorted(Path(event["source"]).stem for event in files_of(text)) == [f"{n:04}" for n in range(9)]
    assert {event["status"] for event in files_of(text)} == {"done"} and written_once(out)
    assert here("develop", folder, "-o", tmp_path / "local").exit_code == 0
    assert digests(out) == digests(tmp_path / "local")
    assert not dask.hands(), "what developed for a run ends with it"


def test_ctrl_c_is_130_and_the_same_command_goes_on(dask: Dask, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    make_dngs(folder, 8, (160, 192))
    words = ("develop", folder, "--json", "--cluster", dask.address, "-o", out)
    with started(*words) as run:
        assert run.stdout is not None
        seen = [run.stdout.readline() for _ in range(2)]
        run.send_signal(signal.SIGINT)
        rest, said = run.communicate(timeout=60)
    assert run.returncode == 130 and "same command" in said and len(said.splitlines()) == 1
    done = summary_of("".join(seen) + rest)["done"]
    assert done == len(visible(out)) < 8 and not list(out.glob(".*.partial*"))
    on = summary_of(rawfix(*words).stdout)
    assert (on["unchanged"], on["done"], on["exit_code"]) == (done, 8 - done, 0) and written_once(out)


def test_a_worker_with_other_networks_is_refused_by_name(dask: Dask, tmp_path: Path) -> None:
    make_dngs(tmp_path / "in", 1)
    (tmp_path / "none").mkdir()
    stranger = dask.add_worker(RAWFIX_MODELS=str(tmp_path / "none"))
    try:
        run = rawfix("develop", tmp_path / "in", "-o", tmp_path / "out", "--cluster", dask.address)
    finally:
        stranger.terminate()
        stranger.wait()
    assert run.returncode == 4 and visible(tmp_path / "out") == []
    assert run.stderr.startswith("rawfix: worker tcp://127.0.0.1:") and "lacks the network" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_what_signs_stays_on_this_machine(dask: Dask, identify: Callable[..., Any], tmp_path: Path) -> None:
    who = identify()
    (source,) = make_dngs(tmp_path / "in", 1)
    options = Options(c2pa=Credentials(who.key, who.cert), signed_by="ab" * 32)
    assert pack(Recipe(Settings()), options, 0, {}, None).options.c2pa is None
    words = ("develop", source, "-o", tmp_path / "out", "--format", "exr", *who.options)
    run = rawfix(*words, "--cluster", dask.address, "--cluster-files", "ship")
    assert (run.returncode, visible(tmp_path / "out")) == (0, ["0000.c2pa", "0000.exr"]), run.stderr
    again = here(*words, "--json")
    assert [event["status"] for event in files_of(again.stdout)] == ["unchanged"], again.stderr


def test_without_a_scheduler_there_is_one_line_and_code_5(tmp_path: Path) -> None:
    make_dngs(tmp_path / "in", 1)
    run = rawfix("develop", tmp_path / "in", "-o", tmp_path / "out", "--cluster", "tcp://127.0.0.1:1")
    assert run.returncode == 5 and "no scheduler answers" in run.stderr and len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cluster", "scheduler"), "tcp://scheduler:8786"),
        (("--cluster", "tcp://a:1", "--jobs", 2), "--nthreads"),
        (("--cluster", "tcp://a:1", "--max-memory", "4G"), "--memory-limit"),
        (("--cluster", "tcp://a:1", "--cluster-files", "fax"), "shared, ship"),
        (("--cluster-files", "ship"), "name a scheduler"),
    ],
)
def test_what_means_nothing_is_a_usage_error(words: tuple[object, ...], said: str, tmp_path: Path) -> None:
    run = here("develop", tmp_path, *words)
    assert run.exit_code == 2 and said in run.stderr and len(run.stderr.splitlines()) == 1


def test_a_worker_tells_why_it_is_unlike_or_blind(tmp_path: Path) -> None:
    ours = Make("1.0", {"a": "12" * 32})
    assert unlike(ours, ours) == ""
    assert unlike(ours, Make("0.9", ours.models)).startswith("runs rawfix 0.9, this machine 1.0")
    assert unlike(ours, Make("1.0", {"a": "34" * 32})).startswith("has another network a (sha256 3434")
    assert unlike(ours, Make("1.0", {**ours.models, "b": "56" * 32})).startswith("has a network b")
    assert blind(tmp_path, None) == "" and "--cluster-files ship" in blind(None, tmp_path / "absent.dng")
