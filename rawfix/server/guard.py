"""Who may speak to the server, asked before anything is read of a request but its head."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rawfix.errors import SettingsError
from rawfix.server.refused import Refused

OPEN = ("/healthz",)
"""What anybody may ask."""
LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
SHORTEST_TOKEN = 16


def check_token(token: str) -> None:
    """Refuse a token that can be guessed, or that no header carries; raises `SettingsError`."""
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"--token: give {SHORTEST_TOKEN} or more letters and digits, such as those of: openssl rand -hex 32"
        )


def same_token(given: str, token: str) -> bool:
    """Compare in a time that tells nothing of where they differ, nor of their lengths."""
    one, other = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, token))
    return hmac.compare_digest(one, other)


class Guard:
    """ASGI middleware: asks for the token; without one, serves only this machine and none of its web pages.

    A page of any site may send requests to a loopback address from the user's browser; such requests tell their
    origin, or, by a name that was made to resolve to it, another host.

    Parameters
    ----------
    app
        What is guarded.
    token
        "" for none.
    pause
        Seconds for which a client may take nothing of an answer.
    """

    def __init__(self, app: ASGIApp, token: str, pause: float) -> None:
        self._app = app
        self._token = token
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._judge(HTTPConnection(scope))
        if refused is not None:
            await refuse(refused)(scope, receive, send)
            return

        async def send_soon(message: Message) -> None:
            await asyncio.wait_for(send(message), self._pause)

        try:
            await self._app(scope, receive, send_soon)
        except TimeoutError:
            return  # the answer is not complete, so the connection is closed

    def _judge(self, request: HTTPConnection) -> Refused | None:
        headers = request.headers
        if request.scope["path"] in OPEN:  # the URL has a part that the client's Host header may shape
            return None
        if self._token:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() == "bearer" and same_token(given.strip(), self._token):
                return None
            return Refused("token", "the token is missing or wrong")
        if "origin" in headers or _host_of(headers) not in LOOPBACK:
            return Refused("foreign", "without a token only programs on this machine are served")
        return None


def _host_of(headers: Headers) -> str:
    host = headers.get("host", "")
    return host.rpartition(":")[0] if host.rpartition("]")[2].count(":") == 1 else host


def refuse(refused: Refused) -> JSONResponse:
    """The answer to a request that is not granted; it ends the connection, for the rest of it is not read."""
    headers: dict[str, Any] = {"connection": "close"}
    if refused.kind == "token":
        headers["www-authenticate"] = "Bearer"
    if refused.kind in ("busy", "closing"):
        headers["retry-after"] = "2"
    return JSONResponse(refused.to_dict(), refused.status, headers)
