"""Other machines: the only module that knows Dask."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

from rawfix.batch.orders import end_run, take, unlike
from rawfix.batch.parcel import Delivery, Make, Order
from rawfix.batch.result import Result
from rawfix.errors import ClusterError, ModelError, SettingsError

if TYPE_CHECKING:
    from distributed import Client

Files = Literal["shared", "ship"]
_CONNECT_SECONDS = 5
_WORKERS_SECONDS = 10
"""How long a scheduler may have no workers when a run begins."""


class Promise(Protocol):
    """A delivery to come."""

    key: str

    def add_done_callback(self, callback: Callable[[Promise], None]) -> None:
        """Have a function told when it has come, or will never."""

    def result(self) -> Delivery:
        """Wait for it."""


def check_address(address: str) -> None:
    """Raise `SettingsError` where Dask is missing, or where this is no scheduler's address."""
    if find_spec("distributed") is None:
        raise SettingsError("--cluster needs Dask: pip install 'rawfix[cluster]'")
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("tcp", "tls", "ws", "wss") and bool(parts.hostname and parts.port)
    except ValueError:
        good = False
    if not good:
        raise SettingsError(f"--cluster {address}: give a scheduler's address, such as tcp://scheduler:8786")


@contextmanager
def connected(address: str, files: str) -> Iterator[Cluster]:
    """A cluster while it is used.

    Parameters
    ----------
    address
        Of the scheduler.
    files
        Whether workers see the inputs and outputs under their names (``shared``), or get and give their bytes.

    Raises
    ------
    ClusterError
        There is no scheduler, or it has no workers, or one of them runs another rawfix or none.
    ModelError
        A worker has other networks.
    """
    from distributed import Client

    for logger in [
        name for name in logging.root.manager.loggerDict if name.startswith(("distributed", "tornado"))
    ]:
        logging.getLogger(logger).setLevel(
            logging.CRITICAL
        )  # what matters of it is told in results and refusals
    with warnings.catch_warnings():
        # Versions of Dask are not ours to compare; and files have to travel.
        warnings.filterwarnings("ignore", module="distributed")
        try:
            client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="rawfix")
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ClusterError(f"{address}: no scheduler answers ({reason}); check the address") from None
        try:
            yield Cluster(client, address, files)
        finally:
            with suppress(OSError):
                client.close(timeout=2)


def _probe() -> Callable[[], tuple[str, dict[str, str]] | str]:
    """A question to a worker that can be asked where rawfix is another or absent: it travels by value."""

    def probe() -> tuple[str, dict[str, str]] | str:
        try:
            from rawfix.batch.parcel import Make
        except ImportError as error:
            return str(error)
        here = Make.here()
        return here.version, dict(here.models)

    return probe


class Cluster:
    """Workers behind a scheduler, all of them like this machine.

    Parameters
    ----------
    client
        Connected.
    address, files
        As for `connected`.

    Attributes
    ----------
    make
        What the workers have in common with this machine.
    """

    def __init__(self, client: Client, address: str, files: str) -> None:
        self.client = client
        self.address = address
        self.files = files
        self.make = Make.here()
        try:
            client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
        except OSError:
            raise ClusterError(
                f"{address}: the scheduler has no workers; start some: dask worker {address} --nthreads 1"
            ) from None
        for worker, told in client.run(_probe(), on_error="return").items():
            if not isinstance(told, tuple):
                raise ClusterError(f"worker {worker} has no such rawfix ({told}); install it there")
            if why := unlike(self.make, Make(*told)):
                raise refusal(f"worker {worker} {why}")

    def slots(self) -> dict[str, int]:
        """How many files each machine develops at a time; raises `ClusterError` where the scheduler is gone."""
        if self.client.status != "running":
            raise self.lost()
        found: Counter[str] = Counter()
        try:
            for worker, threads in self.client.nthreads().items():
                found[urlsplit(worker).hostname or ""] += threads
        except OSError:
            raise self.lost() from None
        return dict(found)

    def send(self, order: Order, key: str) -> Promise:
        """Have a worker develop a file; lost workers are replaced without a word."""
        sent: Promise = self.client.submit(_take, order, key=key, pure=False)
        return sent

    def receive(self, future: Promise, name: str) -> Delivery:
        """What a worker delivered for the file of that name; raises `ClusterError`."""
        from distributed import KilledWorker

        try:
            delivery = future.result()
        except KilledWorker:
            reason = f"{name}: one worker after the other was lost while it held it; try this file by itself"
            return Delivery(Result(Path(name), None, "failed", error=reason))
        except CancelledError:
            raise self.lost() from None
        except ImportError as error:
            raise ClusterError(
                f"a worker that came later has no such rawfix ({error}); install it there"
            ) from None
        if delivery.refusal:
            raise refusal(f"worker on {delivery.refusal}")
        return delivery

    def lost(self, what: str = "the scheduler") -> ClusterError:
        """The refusal for what is gone."""
        return ClusterError(
            f"{self.address}: lost {what}; finished files are complete, run the same command again to go on"
        )

    def end_run(self, key: str, futures: list[Promise]) -> None:
        """Stop what is left of a run; nothing where the scheduler is gone."""
        if self.client.status == "running":
            with suppress(OSError):
                self.client.cancel(futures, force=True)
                self.client.run(end_run, key, on_error="return")


def _take(order: Order) -> Delivery:
    """On a worker: take the order."""
    from distributed import get_worker

    worker = get_worker()
    host = urlsplit(worker.address).hostname or ""
    return take(order, order.luggage.slots.get(host, worker.state.nthreads))


def refusal(reason: str) -> ClusterError | ModelError:
    """A worker that cannot serve: its networks are a matter of models, anything else of the cluster."""
    return ModelError(reason) if "network" in reason else ClusterError(reason)
