"""Job processes that meet ends which no refusal describes, by what the uploaded file holds."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from rawfix.server import child
from rawfix.server.limits import Limits
from rawfix.server.order import Order

SEGFAULT, SLEEP, GREED, BUG = b"segfault", b"sleep", b"greed", b"bug"


def main(connection: Connection, folder: Path, order: Order, limits: Limits) -> None:
    """Do what the file says, or develop it."""
    head = order.parts["raw"].read_bytes()[:16]
    if head == SEGFAULT:
        os.kill(os.getpid(), signal.SIGSEGV)
    if head == SLEEP:
        time.sleep(600)
    if head == GREED:
        held = []
        while True:
            held.append(bytearray(b"x") * (64 << 20))
            time.sleep(0.02)
    if head == BUG:
        os._exit(1)
    child.main(connection, folder, order, limits)
