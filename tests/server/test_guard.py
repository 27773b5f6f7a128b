"""The guard judges what is asked for by the path that is routed, and by nothing else."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from rawfix.server.guard import Guard

TOKEN = "correct-horse-battery-staple"


def status(path: str, headers: list[tuple[bytes, bytes]]) -> int:
    """What a guard before an app that grants everything answers."""
    sent: list[Message] = []

    async def grant(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "scheme": "http", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(Guard(grant, TOKEN, pause=5)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("path", "host"),
    [("/v1/server", b"a/healthz?"), ("/v1/server", b"a/healthz#"), ("/heal\tthz", b"a")],
)
def test_no_host_and_no_likeness_opens_a_path_that_needs_the_token(path: str, host: bytes) -> None:
    assert status(path, [(b"host", host)]) == 401


def test_anybody_may_ask_for_health_and_who_knows_the_token_for_all() -> None:
    assert status("/healthz", [(b"host", b"a")]) == 200
    assert status("/v1/server", [(b"host", b"a"), (b"authorization", b"Bearer " + TOKEN.encode())]) == 200
