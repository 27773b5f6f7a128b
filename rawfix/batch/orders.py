"""What a worker of a cluster does with an order; nothing here knows who brings it.

A worker takes as many orders at a time as it has threads. Each is developed by a `Hand`, which stays for the next
order of the same run, and goes when the run ends or another one begins.
"""

from __future__ import annotations

import atexit
import json
import platform
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from rawfix.batch.hand import Hand, HandLost
from rawfix.batch.journal import Journal
from rawfix.batch.parcel import Delivery, Luggage, Made, Make, Order
from rawfix.batch.result import Result, cause_of_death
from rawfix.io.stale import temporary_name

_idle: list[Hand] = []
_busy: list[Hand] = []
_lock = Lock()


def take(order: Order, sharing: int) -> Delivery:
    """Develop one file; what keeps it from being developed is told in the delivery.

    Parameters
    ----------
    order
        What to do.
    sharing
        How many files this machine develops at a time.
    """
    failed = Result(order.job.source, None, "failed")
    if why := unlike(order.make, Make.here()):
        return Delivery(failed, refusal=f"{platform.node()} {why}")
    if why := blind(order.luggage.staging, order.job.source if order.shipped is None else None):
        return Delivery(failed, refusal=f"{platform.node()} {why}")
    hand = _call(order.luggage, sharing)
    try:
        result = hand.develop(order)
        delivery = _deliver(hand, order, result)
    except HandLost as loss:
        _dismiss(hand)
        lost = loss.code == -signal.SIGKILL and not loss.bug
        return Delivery(replace(failed, error=_cause(order.job.source.name, loss, lost)), lost=lost)
    except BaseException:
        _dismiss(hand)
        raise
    with _lock:
        _busy.remove(hand)
        _idle.append(hand)
    return delivery


def _cause(name: str, loss: HandLost, killed: bool) -> str:
    if killed:
        return (
            f"{name}: its process on {platform.node()} was killed, likely for want of memory; "
            "start workers with fewer threads"
        )
    return cause_of_death(name, loss.code, bug=loss.bug)


def end_run(key: str) -> None:
    """End every hand of a run, even those at work."""
    with _lock:
        leaving = [hand for hand in (*_idle, *_busy) if hand.key == key]
    for hand in leaving:
        _dismiss(hand)


def unlike(wanted: Make, here: Make) -> str:
    """Why pictures made here may differ from those of the machine that asks; "" where they do not."""
    if here.version != wanted.version:
        return f"runs rawfix {here.version}, this machine {wanted.version}; install the same there"
    for name in sorted({*wanted.models, *here.models}):
        there, ours = here.models.get(name), wanted.models.get(name)
        if there is None:
            return f"lacks the network {name}; install the same rawfix there"
        if ours is None:
            return f"has a network {name} that this machine lacks; install the same rawfix here"
        if there != ours:
            return f"has another network {name} (sha256 {there[:12]}…, here {ours[:12]}…); install the same there"
    return ""


def blind(staging: Path | None, source: Path | None) -> str:
    """Which shared file or folder this machine does not see; "" where it sees all."""
    for path in (staging, source):
        if path is not None and not path.exists():
            return f"does not see {path}; mount it there under the same name, or use --cluster-files ship"
    return ""


def _call(luggage: Luggage, sharing: int) -> Hand:
    """A free hand of the run, or a new one; those of other runs go."""
    key = luggage.key
    with _lock:
        others = [hand for hand in _idle if hand.key != key]
        free = next((hand for hand in _idle if hand.key == key), None)
        if free is not None:
            _idle.remove(free)
            _busy.append(free)
    for hand in others:
        _dismiss(hand)
    if free is None:
        free = Hand(luggage, sharing)
        with _lock:
            _busy.append(free)
    return free


def _dismiss(hand: Hand) -> None:
    with _lock:
        for hands in (_idle, _busy):
            if hand in hands:
                hands.remove(hand)
    hand.end()


def _deliver(hand: Hand, order: Order, result: Result) -> Delivery:
    """Gather what was made, each with the path it is to have in the end."""
    job, options, staging = order.job, order.luggage.options, order.luggage.staging
    if result.target is None or result.status != "done":
        shutil.rmtree(hand.work)
        return Delivery(result)
    target = job.target.parent / result.target.name
    folders = {"out": target.parent, "stages": options.save_stages, "bad": options.bad_map}
    if options.bad_map is not None and options.bad_map.suffix.lower() == ".png":
        folders["bad"] = options.bad_map.parent

    def final(path: Path) -> Path:
        folder = folders[path.parent.name]
        assert folder is not None
        return folder.absolute() / path.name

    entries = [history[-1] for history in Journal(hand.work / "out").outputs.values()]
    fragment: dict[str, Any] | None = None
    if options.previews is not None:
        (part,) = (hand.work / "report").iterdir()
        fragment = json.loads(part.read_bytes())
    folder = None if staging is None else temporary_name(staging / "done")
    if folder is not None:
        hand.work.rename(folder)
    made = []
    for entry in entries:
        within = entry.path.relative_to(hand.work.absolute())
        named = replace(
            entry,
            path=final(entry.path),
            source=job.source if entry.source is not None else None,
            sides=tuple(map(final, entry.sides)),
        )
        made.append(Made(named, (hand.work / within).read_bytes() if folder is None else folder / within))
    if folder is None:
        shutil.rmtree(hand.work)
    return Delivery(replace(result, source=job.source, target=target), tuple(made), fragment, folder)


@atexit.register
def _end_all() -> None:
    for hand in (*_idle, *_busy):
        hand.end()
