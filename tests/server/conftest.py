"""A server in a thread of the tests' own process, its jobs in processes of theirs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawfix.frame import RawFrame
from rawfix.io.dng import write_cfa_dng

for _needed in ("fastapi", "uvicorn", "httpx", "python_multipart"):
    pytest.importorskip(_needed, reason="rawfix[serve] is not installed")

import httpx  # noqa: E402
import uvicorn  # noqa: E402

from rawfix.server.apart import get_ready  # noqa: E402
from rawfix.server.app import create_app  # noqa: E402
from rawfix.server.limits import Limits  # noqa: E402
from rawfix.server.patience import PatientProtocol  # noqa: E402
from rawfix.server.serve import Address, listen  # noqa: E402
from tests.server import crashing  # noqa: E402


@dataclass
class Live:
    """A server that listens."""

    url: str
    port: int
    spool: Path
    line: Any
    http: httpx.Client = field(default_factory=lambda: httpx.Client(verify=False, timeout=60))

    def post(
        self, path: str, raw: bytes, name: str = "a.dng", options: str = "{}", **more: Any
    ) -> httpx.Response:
        """Upload a file."""
        files = {"raw": (name, raw), "options": (None, options)}
        return self.http.post(self.url + path, files=files, **more)

    def wait(self, id: str) -> dict[str, Any]:
        """A job's state when it is over."""
        while True:
            state: dict[str, Any] = self.http.get(f"{self.url}/v1/jobs/{id}").json()
            if state["state"] in ("done", "failed"):
                return state
            time.sleep(0.02)

    def files(self) -> list[str]:
        """Everything in its spool."""
        found = (
            Path(folder, name)
            for folder, folders, files in os.walk(self.spool)
            for name in (*folders, *files)
        )
        return sorted(str(path.relative_to(self.spool)) for path in found)


class _Quick(PatientProtocol):
    head_seconds = 1.0


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Live]]:
    """``start(token="", **limits)``: a server; a file that begins with a word of `crashing` does what that says."""
    running: list[tuple[uvicorn.Server, threading.Thread, Live]] = []

    get_ready()

    def run(token: str = "", **limits: Any) -> Live:
        spool = tmp_path_factory.mktemp("spool")
        app = create_app(Limits(**limits), spool, token, crashing.main)
        listening = listen(Address(port=0))
        config = uvicorn.Config(
            app, http=_Quick, ws="none", lifespan="on", log_level="error", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = listening.getsockname()[1]
        live = Live(f"http://127.0.0.1:{port}", port, spool, app.state.line)
        running.append((server, thread, live))
        return live

    yield run
    for server, _, live in running:
        live.http.close()
        server.should_exit = True
    for _, thread, _ in running:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def gray(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small frame of a monochrome sensor: it needs no network."""
    from rawfix.cfa import CANONICAL
    from rawfix.physics.sensor import Sensor, expose
    from tests.conftest import noise_at, scene

    sensor = Sensor(cfa=CANONICAL["mono"], noise_model=noise_at(100), iso=100)
    frame: RawFrame = expose(scene(48, 64), sensor, np.random.default_rng(0))[0]
    path = tmp_path_factory.mktemp("gray") / "gray.dng"
    write_cfa_dng(path, frame)
    return path.read_bytes()
