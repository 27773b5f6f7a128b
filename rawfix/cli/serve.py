"""``rawfix serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rawfix.cli import exit_codes, options

_ACCESS, _LIMITS = "Access", "Limits"

Token = Annotated[
    str,
    typer.Option(
        envvar="RAWFIX_TOKEN", help="What clients must know; needed beyond this machine.", show_default=False,
        rich_help_panel=_ACCESS,
    ),
]  # fmt: skip


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.", rich_help_panel=_ACCESS)] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: a free one.", rich_help_panel=_ACCESS)] = 8787,
    token: Token = "",
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate chain, PEM.", rich_help_panel=_ACCESS)
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key.", rich_help_panel=_ACCESS)] = None,
    insecure_http: Annotated[
        bool,
        typer.Option("--insecure-http", help="Serve a network without TLS.", rich_help_panel=_ACCESS),
    ] = False,
    max_upload: Annotated[str, typer.Option(help="Of one request.", rich_help_panel=_LIMITS)] = "1G",
    max_pause: Annotated[
        float,
        typer.Option(help="Seconds for which a client may neither send nor take.", rich_help_panel=_LIMITS),
    ] = 30.0,
    max_seconds: Annotated[float, typer.Option(help="For one job.", rich_help_panel=_LIMITS)] = 600.0,
    max_memory: Annotated[str, typer.Option(help="For one job.", rich_help_panel=_LIMITS)] = "4G",
    max_queue: Annotated[int, typer.Option(help="Jobs that may wait.", rich_help_panel=_LIMITS)] = 100,
    max_keep: Annotated[
        float, typer.Option(help="Seconds for which results wait to be fetched.", rich_help_panel=_LIMITS)
    ] = 600.0,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="Developed at a time.", rich_help_panel=_LIMITS)
    ] = 1,
    threads: options.Threads = 0,
    provider: options.Provider = "cpu",
    spool: Annotated[Path | None, typer.Option(help="Folder for temporary files.")] = None,
    json: options.Json = False,
) -> None:
    """Develop for other programs over HTTP, until Ctrl-C: rawfix develop --server is the client, /openapi.json the API.

    Each job runs in a process of its own with bounded time and memory.
    """
    from rawfix.batch.memory import parse_size
    from rawfix.cli.console import err, print_json, refuse
    from rawfix.cli.develop import terminated_like_interrupted
    from rawfix.errors import OutputError, SettingsError
    from rawfix.nn.threads import available_threads
    from rawfix.settings import Settings

    try:
        from rawfix.server.limits import Limits
        from rawfix.server.serve import Address
        from rawfix.server.serve import serve as run
    except ModuleNotFoundError as error:
        refuse(f"rawfix serve needs {error.name}: pip install 'rawfix[serve]'")
        raise typer.Exit(exit_codes.USAGE) from None

    def ready(url: str) -> None:
        if json:
            print_json({"event": "listening", "url": url})
        else:
            err.print(f"rawfix: listening on {url}; Ctrl-C ends it", soft_wrap=True)

    try:
        threads = Settings(threads=threads).threads or available_threads()
        limits = Limits(
            parse_size(max_upload, "--max-upload"), max_pause, max_seconds, parse_size(max_memory), max_queue,
            jobs, max_keep, max(1, threads // max(1, jobs)), provider,
        )  # fmt: skip
        address = Address(host, port, token, tls_cert, tls_key, insecure_http)
        with terminated_like_interrupted():
            run(address, limits, ready, spool)
    except SettingsError as error:
        refuse(error)
        raise typer.Exit(exit_codes.USAGE) from None
    except OutputError as error:
        refuse(error)
        raise typer.Exit(exit_codes.ALL_FAILED) from None
    except KeyboardInterrupt:
        pass
    raise typer.Exit(exit_codes.INTERRUPTED)
