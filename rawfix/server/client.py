"""Asking a server; the only module that knows httpx."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import httpx

from rawfix.errors import RawfixError, ServerError, SettingsError
from rawfix.server.wire import KINDS

_WAITS = (0.5, 1.0, 2.0)
"""Seconds before the next attempt where a connection was lost."""
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """A server as the user names it.

    Attributes
    ----------
    url
        ``http://HOST:PORT`` or ``https://…``.
    token
        "" for none.
    authority
        Certificates to trust in place of the system's, PEM.
    """

    url: str
    token: str = field(default="", repr=False)
    authority: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(f"--server {self.url}: give http://HOST:PORT or https://HOST:PORT")
        if not self.token.isascii() or not self.token.isprintable():
            raise SettingsError("--token: holds characters that no request can carry")

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        host = urlsplit(self.url).hostname or ""
        with suppress(ValueError):
            return ipaddress.ip_address(host).is_loopback
        return host == "localhost"


class _Sent:
    """A file while it is read by httpx: asks at every piece whether to go on."""

    def __init__(self, file: BinaryIO, check: Callable[[], None]) -> None:
        self._file = file
        self._check = check

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        self._check()
        return self._file.read(size)


class Client:
    """Connections to one server; its methods raise `ServerError`, or what the server refused a file for.

    Parameters
    ----------
    server
        Which.
    check
        Called while something is waited for; what it raises ends the waiting.
    is_patient
        Whether to try again where no connection is made, or one is lost.
    """

    def __init__(
        self, server: Server, check: Callable[[], None] = lambda: None, *, is_patient: bool = True
    ) -> None:
        self._server = server
        self._waits = _WAITS if is_patient else ()
        self._check = check
        try:
            is_tls = server.url.startswith("https:")
            trusted = ssl.create_default_context(cafile=server.authority) if is_tls else False
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"--server-ca {server.authority}: cannot be read as certificates: {error}"
            ) from None
        headers = {"authorization": f"Bearer {server.token}"} if server.token else {}
        self._http = httpx.Client(
            base_url=server.url,
            headers=headers,
            verify=trusted,
            timeout=_TIMEOUT,
            trust_env=not server.is_here,
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def offer(self) -> dict[str, Any]:
        """What the server is and grants."""
        found: dict[str, Any] = self._again(lambda: self._answer(self._http.get("/v1/server")))
        if not isinstance(found, dict) or "rawfix" not in found:
            raise ServerError(f"{self._server.url}: is no rawfix server; check the address")
        return found

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings that the server cannot serve."""
        text = json.dumps(dict(settings))
        self._again(lambda: self._answer(self._http.get("/v1/check", params={"settings": text})))

    def send(self, options: Mapping[str, Any], parts: Mapping[str, Path]) -> str:
        """Put a job into the queue, waiting for room in it; returns its id."""
        while True:
            self._check()
            try:
                return self._again(lambda: self._send(options, parts))
            except _Busy as busy:
                self._wait(busy.seconds)

    def follow(self, job: str, progress: Callable[[int, int], None] | None) -> dict[str, Any]:
        """Wait until a job is done; returns its result."""
        return self._again(lambda: self._follow(job, progress))

    def fetch(self, job: str, file: str, facts: Mapping[str, Any], path: Path) -> None:
        """Write a job's file to a path, and compare it with what the server says of it; raises `OSError`, too."""
        self._again(lambda: self._fetch(job, file, facts, path))

    def forget(self, job: str) -> None:
        """Cancel a job, or delete its files; a server that cannot be reached does so by itself, later."""
        with suppress(httpx.TransportError):
            self._http.delete(f"/v1/jobs/{job}", timeout=5.0)

    def _send(self, options: Mapping[str, Any], parts: Mapping[str, Path]) -> str:
        with ExitStack() as stack:
            files: list[tuple[str, tuple[str | None, Any, str]]] = [
                ("options", (None, json.dumps(dict(options)).encode(), "application/json"))
            ]
            for part, path in parts.items():
                file = _Sent(stack.enter_context(path.open("rb")), self._check)
                files.append((part, (path.name, file, "application/octet-stream")))
            return str(self._answer(self._http.post("/v1/jobs", files=files))["id"])

    def _follow(self, job: str, progress: Callable[[int, int], None] | None) -> dict[str, Any]:
        told = {"done": 0, "total": 0}
        with self._stream(f"/v1/jobs/{job}/events") as answer:
            for line in answer.iter_lines():
                self._check()
                if not line.startswith("data: "):
                    continue
                state = json.loads(line.removeprefix("data: "))
                if progress is not None and state["tiles"] != told:
                    told = state["tiles"]
                    progress(told["done"], told["total"])
                if state["state"] == "done":
                    result: dict[str, Any] = state["result"]
                    return result
                if state["state"] == "failed":
                    raise self._refusal(state["error"])
        raise httpx.ReadError("the events ended before the job did")

    @contextmanager
    def _stream(self, path: str) -> Iterator[httpx.Response]:
        with self._http.stream("GET", path) as answer:
            if answer.is_error:
                answer.read()
                self._answer(answer)
            yield answer

    def _fetch(self, job: str, file: str, facts: Mapping[str, Any], path: Path) -> None:
        digest = hashlib.sha256()
        with self._stream(f"/v1/jobs/{job}/files/{file}") as answer, path.open("wb") as out:
            for data in answer.iter_bytes(1 << 20):
                self._check()
                out.write(data)
                digest.update(data)
        if digest.hexdigest() != facts["sha256"]:
            raise httpx.ReadError(f"{file} arrived damaged")

    def _answer(self, answer: httpx.Response) -> Any:
        """An answer's content; raises what it refuses for."""
        try:
            content = answer.json()
        except ValueError:
            raise ServerError(
                f"{self._server.url}: is no rawfix server (HTTP {answer.status_code}); check the address"
            ) from None
        if answer.is_error:
            error = content.get("error") if isinstance(content, dict) else None
            if answer.status_code == 429:
                raise _Busy(float(answer.headers.get("retry-after", "2")))
            raise self._refusal(error if isinstance(error, dict) else {})
        return content

    def _refusal(self, error: Mapping[str, Any]) -> RawfixError:
        message = str(error.get("message", "refused without a reason"))
        if error.get("kind") == "token":
            return SettingsError(f"--server {self._server.url}: {message}; give its --token")
        _, known = KINDS.get(str(error.get("kind")), (0, None))
        return ServerError(message) if known is None else known(message)

    def _again(self, attempt: Callable[[], T]) -> T:
        """Attempt, and again a little later where the connection is lost."""
        for wait in (*self._waits, None):
            self._check()
            try:
                return attempt()
            except httpx.TransportError as error:
                if wait is None or isinstance(error, httpx.UnsupportedProtocol):
                    cause = " ".join(str(error).split()) or type(error).__name__
                    raise ServerError(f"{self._server.url}: cannot be reached ({cause})") from None
                self._wait(wait)
        raise AssertionError

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, 0.2))


class _Busy(Exception):
    """The queue is full; try again in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds
