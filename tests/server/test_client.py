"""``rawfix develop --server``: what it writes and how it ends are what they are without a server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from rawfix.cli.app import app
from rawfix.errors import ServerError, SettingsError
from rawfix.io.stale import remove_stale_folders, temporary_folder
from rawfix.server.client import Client, Server
from rawfix.server.serve import Address
from tests.batch.crowd import digests, make_dngs, rawfix, started, visible
from tests.server.conftest import Live
from tests.server.crashing import SEGFAULT

pytestmark = pytest.mark.models
TOKEN = "a-token-of-this-test-alone"
EXAMPLE = Path(__file__).parents[2] / "examples" / "remote.sh"


@pytest.fixture(scope="module")
def live(start: Callable[..., Live]) -> Live:
    return start(TOKEN)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAWFIX_TOKEN", TOKEN)
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))


def last(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text.splitlines()[-1])
    return found


def told(*words: object) -> tuple[int, str]:
    """Exit code and messages of a command that refuses before it starts a worker."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stderr


def test_the_same_bytes_come_of_it_with_and_without_a_server(live: Live, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    first, second = make_dngs(folder, 2)
    first.with_suffix(".xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/></rdf:RDF></x:xmpmeta>'
    )
    (tmp_path / "list.txt").write_text("5 7\n20 30\n")
    options = (folder, "--exposure", 0.5, "--format", "dng", "--bad-pixels", tmp_path / "list.txt", "--json")
    maps = ("--save-stages", tmp_path / "stages", "--bad-map")
    here = rawfix("develop", *options, "-o", tmp_path / "here", *maps, tmp_path / "map")
    (tmp_path / "stages").rename(tmp_path / "stages-here")
    there = rawfix(
        "develop", *options, "-o", tmp_path / "there", *maps, tmp_path / "map2", "--server", live.url
    )
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    assert digests(tmp_path / "here") == digests(tmp_path / "there") != {}
    assert digests(tmp_path / "map") == digests(tmp_path / "map2") != {}
    assert digests(tmp_path / "stages-here") == digests(tmp_path / "stages") != {}
    events = [[json.loads(line) for line in run.stdout.splitlines()] for run in (here, there)]
    for mine, theirs in zip(*events, strict=True):
        same = {key for key in mine if key not in ("seconds", "target")}
        assert {key: mine[key] for key in same} == {key: theirs[key] for key in same}
    again = rawfix(
        "develop", *options, "-o", tmp_path / "there", *maps, tmp_path / "map2", "--server", live.url
    )
    assert last(again.stdout)["unchanged"] == 2 and again.returncode == 0
    assert second.exists() and not live.files()


def test_what_was_fetched_is_signed_here(live: Live, tmp_path: Path, identify: Callable[..., Any]) -> None:
    pytest.importorskip("c2pa", reason="rawfix[c2pa] is not installed")
    (raw,) = make_dngs(tmp_path / "in", 1)
    out, who = tmp_path / "out", identify()
    done = rawfix("develop", raw, "-o", out, "--format", "exr", "--server", live.url, *who.options)
    assert done.returncode == 0, done.stderr
    assert visible(out) == ["0000.c2pa", "0000.exr"] and b"c2pa" in (out / "0000.c2pa").read_bytes()


def test_exit_codes_are_those_of_any_run(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (good,) = make_dngs(folder, 1)
    (folder / "torn.dng").write_bytes(good.read_bytes()[:3000])
    some = rawfix("develop", folder, "-o", out, "--server", live.url, "--jobs", 2)
    assert some.returncode == 1 and visible(out) == ["0000.tif"] and some.stderr.count("torn.dng") == 1
    assert rawfix("develop", folder / "torn.dng", "-o", out, "--server", live.url).returncode == 5
    for wrong in (
        ("--ocio", tmp_path / "config.ocio"),
        ("--max-memory", "2G"),
        ("--cluster", "tcp://127.0.0.1:9"),
        ("--denoise", 7),
        ("--token", "another-token-than-that"),
        ("--name", "{quality}", "--quality", "auto"),
    ):
        refused = told("develop", good, "-o", tmp_path / "c", "--server", live.url, *wrong)
        assert refused[0] == 2 and len(refused[1].splitlines()) == 1, refused
    assert told("develop", folder / "*.nef", "-o", out, "--server", live.url)[0] == 3
    code, said = told("develop", good, "-o", tmp_path / "d", "--server", "http://127.0.0.1:9")
    assert code == 5 and len(said.splitlines()) == 1 and "cannot be reached" in said
    assert not (tmp_path / "d").exists()


def test_a_job_that_dies_on_the_server_costs_its_file_alone(live: Live, tmp_path: Path) -> None:
    (bad := tmp_path / "bad.dng").write_bytes(SEGFAULT)
    (good,) = make_dngs(tmp_path / "in", 1)
    client = Client(Server(live.url, TOKEN))
    first, second = (client.send({"name": path.name}, {"raw": path}) for path in (bad, good))
    with pytest.raises(ServerError, match=r"bad\.dng: crashed its decoder"):
        client.follow(first, None)
    assert client.follow(second, None)["status"] == "done"
    for job in (first, second):
        client.forget(job)
    client.close()


@contextmanager
def serving(tmp_path: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real command, and its address."""
    spool = tmp_path / "spool"
    spool.mkdir(exist_ok=True)
    with started("serve", "--port", 0, "--spool", spool, "--json", *words) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())["url"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_server_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    (raw,) = make_dngs(tmp_path / "in", 1, size=(600, 800))
    with serving(tmp_path) as (server, url):
        head = {"authorization": f"Bearer {TOKEN}"}
        for _ in range(3):
            with raw.open("rb") as file:
                assert httpx.post(f"{url}/v1/jobs", files={"raw": file}, headers=head).status_code == 202
        assert list((tmp_path / "spool").iterdir())
        server.send_signal(number)
        _, said = server.communicate(timeout=20)
        assert server.returncode == 130 and "Traceback" not in said, said
    assert not list((tmp_path / "spool").iterdir())


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path: Path) -> None:
    make = "import sys; from pathlib import Path; from rawfix.io.stale import temporary_folder as make; "
    make += "make(Path(sys.argv[1]), 'serve').joinpath('job').mkdir()"
    subprocess.run([sys.executable, "-c", make, tmp_path], check=True)
    mine = temporary_folder(tmp_path, "serve")
    (tmp_path / "rawfix-serve-somebody-else").mkdir()
    assert len(list(tmp_path.iterdir())) == 3
    remove_stale_folders(tmp_path, "serve")
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, "rawfix-serve-somebody-else"}


def test_a_network_is_served_only_with_token_and_tls_or_explicit_consent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAWFIX_TOKEN")
    for refused in (
        {"host": "0.0.0.0"},
        {"host": "0.0.0.0", "token": TOKEN},
        {"host": "::", "insecure": True},
        {"token": "short"},
        {"certificate": tmp_path / "no.pem"},
        {"certificate": tmp_path / "no.pem", "key": tmp_path / "no.key"},
    ):
        with pytest.raises(SettingsError):
            Address(**refused)  # type: ignore[arg-type]
    assert Address("0.0.0.0", token=TOKEN, insecure=True).port == 8787
    code, said = told("serve", "--host", "0.0.0.0")
    assert code == 2 and len(said.splitlines()) == 1


def test_tls_is_trusted_by_the_certificate_that_is_named(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    (raw,) = make_dngs(tmp_path / "in", 1)
    with serving(tmp_path, "--tls-cert", certificate, "--tls-key", key) as (_, url):
        assert url.startswith("https://")
        code, said = told("develop", raw, "-o", tmp_path / "out", "--server", url)
        assert code == 5 and "certificate" in said.lower()
        client = Client(Server(url, TOKEN, certificate))
        assert client.offer()["jobs"] == 1
        client.close()


def test_ctrl_c_of_the_client_cancels_its_job(tmp_path: Path, start: Callable[..., Live]) -> None:
    live = start(TOKEN)
    make_dngs(tmp_path / "in", 6, size=(300, 400))
    command = ("develop", tmp_path / "in", "-o", tmp_path / "out", "--server", live.url, "--json")
    with started(*command) as run:
        assert run.stdout is not None
        [run.stdout.readline() for _ in range(2)]
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30)
        assert run.returncode == 130 and said.count("\n") == 1, said
    for _ in range(200):
        if not live.files():
            break
        time.sleep(0.05)
    assert not live.files()
    assert 1 <= len(visible(tmp_path / "out")) < 6
    assert all(not name.startswith(".") for name in visible(tmp_path / "out"))
    assert rawfix(*command).returncode == 0 and len(visible(tmp_path / "out")) == 6


def test_the_example_script_develops_on_a_server(live: Live, tmp_path: Path) -> None:
    make_dngs(tmp_path / "in", 1)
    shim = tmp_path / "rawfix"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from rawfix.cli import main; main()" "$@"\n')
    shim.chmod(0o755)
    run = {**os.environ, "RAWFIX": str(shim), "RAWFIX_SERVER": live.url}
    done = subprocess.run(
        [EXAMPLE, tmp_path / "in", tmp_path / "out", "--format", "jpeg"],
        capture_output=True,
        text=True,
        env=run,
    )
    assert done.returncode == 0 and visible(tmp_path / "out") == ["0000.jpg"], done
    nobody = subprocess.run([EXAMPLE, tmp_path / "in"], capture_output=True, text=True, env=run)
    assert nobody.returncode == 2 and "usage" in nobody.stderr
    run["RAWFIX_SERVER"] = "http://127.0.0.1:9"
    lost = subprocess.run(
        [EXAMPLE, tmp_path / "in", tmp_path / "o2"], capture_output=True, text=True, env=run
    )
    assert lost.returncode == 5 and "cannot be reached" in lost.stderr
