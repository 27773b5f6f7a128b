"""Running the server until it is told to end; the only module that starts uvicorn."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import uvicorn

from rawfix.errors import OutputError, SettingsError
from rawfix.io.stale import remove_stale_folders, temporary_folder
from rawfix.server import child
from rawfix.server.apart import Entry, get_ready
from rawfix.server.app import create_app
from rawfix.server.guard import check_token
from rawfix.server.limits import Limits
from rawfix.server.line import Line
from rawfix.server.patience import PatientProtocol

_CONNECTIONS = 1000
_GOODBYE_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and how it is protected there.

    Attributes
    ----------
    host, port
        Name or number of this machine; port 0 takes a free one.
    token
        "" for none.
    certificate, key
        TLS files, both or none.
    insecure
        Whether a network may be served without TLS.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    token: str = ""
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise SettingsError("--tls-cert and --tls-key belong together; give both")
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"--port {self.port}: give 0 to 65535")
        if self.token:
            check_token(self.token)
        if not is_loopback(self.host):
            if not self.token:
                raise SettingsError(f"--host {self.host}: others may reach it; give a --token")
            if self.certificate is None and not self.insecure:
                raise SettingsError(
                    f"--host {self.host}: the token and the pictures would be readable on the network; give --tls-cert "
                    "and --tls-key, or say --insecure-http"
                )
        if self.certificate is not None and self.key is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                    self.certificate, self.key
                )
            except (OSError, ssl.SSLError) as error:
                raise SettingsError(
                    f"--tls-cert {self.certificate}: cannot be used with its key: {error}"
                ) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(address: Address) -> socket.socket:
    """A socket at the address; raises `OutputError`."""
    try:
        family, _, _, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(where[:2], family=family, backlog=512)
    except OSError as error:
        raise OutputError(
            f"cannot listen on {address.host}:{address.port}: {error.strerror or error}; choose another --port"
        ) from None


class _Server(uvicorn.Server):
    """Ends its jobs before it waits for the connections that watch them."""

    def __init__(self, config: uvicorn.Config, line: Line) -> None:
        super().__init__(config)
        self._line = line

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._line.close()
        await super().shutdown(sockets)


def serve(
    address: Address,
    limits: Limits,
    ready: Callable[[str], None],
    spool: Path | None = None,
    entry: Entry = child.main,
) -> None:
    """Serve until SIGINT or SIGTERM, which are raised again at the end; no process and no file is left.

    Parameters
    ----------
    address, limits
        Where, and for how much.
    ready
        Told the server's URL when it listens.
    spool
        Folder for temporary files; None: the system's.
    entry
        What a job's process runs.

    Raises
    ------
    OutputError
        The address cannot be listened on, or the spool not be written to.
    """
    parent = spool or Path(gettempdir())
    remove_stale_folders(parent, "serve")
    listening = listen(address)
    try:
        folder = temporary_folder(parent, "serve")
    except OSError as error:
        listening.close()
        raise OutputError(
            f"{parent}: cannot be written to: {error.strerror}; choose another --spool"
        ) from None
    try:
        get_ready()
        app = create_app(limits, folder, address.token, entry)
        config = uvicorn.Config(
            app, http=PatientProtocol, ws="none", lifespan="on", log_level="warning", access_log=False,
            server_header=False, limit_concurrency=_CONNECTIONS, timeout_graceful_shutdown=_GOODBYE_SECONDS,
            ssl_certfile=address.certificate, ssl_keyfile=address.key,
        )  # fmt: skip
        host = f"[{address.host}]" if ":" in address.host else address.host
        scheme = "http" if address.certificate is None else "https"
        ready(f"{scheme}://{host}:{listening.getsockname()[1]}")
        _Server(config, app.state.line).run(sockets=[listening])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        listening.close()
