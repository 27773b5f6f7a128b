"""``--server``: what is refused with it, and who does the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rawfix.batch import worker
from rawfix.batch.decide import installed_models
from rawfix.batch.pool import Entry
from rawfix.batch.recipe import Recipe
from rawfix.errors import SettingsError

if TYPE_CHECKING:
    from rawfix.cli.request import Request
    from rawfix.server.client import Server

_BUILT_IN = "ocio://"


def check_elsewhere(request: Request, recipe: Recipe) -> None:
    """Refuse what a server cannot do; raises `SettingsError`."""
    _server_of(request)
    if request.cluster is not None:
        raise SettingsError("--server and --cluster exclude each other")
    if request.max_memory is not None:
        raise SettingsError("--max-memory: with --server, rawfix serve has it; leave it out")
    for settings in recipe.variants():
        if settings.ocio and not settings.ocio.startswith(_BUILT_IN):
            raise SettingsError(f"--ocio {settings.ocio}: a server opens no file; name one of {_BUILT_IN}…")
        if settings.quality == "auto" and "{quality" in request.name:
            raise SettingsError("--name {quality}: the server decides --quality auto; name a tier")


def installed_for(request: Request) -> Callable[[], dict[str, str]]:
    """The networks that will do the work; a server is asked at once, whether it can do it, too.

    Raises
    ------
    SettingsError, ModelError, ServerError
        It cannot, or cannot be reached.
    """
    if request.server is None:
        return installed_models
    from rawfix.server.remote import check

    models = check(_server_of(request), request.recipe)
    return lambda: models


def entry_for(request: Request) -> Entry:
    """What worker processes run."""
    if request.server is None:
        return worker.main
    from rawfix.server import remote

    return partial(remote.main, server=_server_of(request))


def _server_of(request: Request) -> Server:
    try:
        from rawfix.server.client import Server
    except ModuleNotFoundError:
        raise SettingsError("--server needs httpx: pip install 'rawfix[client]'") from None
    assert request.server is not None
    return Server(request.server, request.token, request.server_ca)
