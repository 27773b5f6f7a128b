"""How much memory a file takes, and sharing out what there is."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from rawfix.errors import SettingsError

PARENT = 120 << 20
"""Bytes of the process that hands out the work."""
WORKER = 180 << 20
"""Bytes of a worker that has loaded libraries and a network, and holds no file."""
PIXEL = 36
"""Bytes a pixel, from reading to writing, at the worst moment."""
TILE_PIXEL = 350
"""Bytes a pixel of a tile with its halo, in a network of up to `TILE_GFLOP` a megapixel; others in proportion."""
TILE_GFLOP = 40.0
TILES = (1024, 768, 512, 384, 256, 128, 64)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True, slots=True)
class TileCost:
    """What a network's tiles cost: its own tile and halo, pixels; GFLOP a megapixel."""

    tile: int
    halo: int
    gflop: float

    def bytes_at(self, tile: int) -> int:
        """Memory of one tile of this side."""
        return int((tile + 2 * self.halo) ** 2 * TILE_PIXEL * max(1.0, self.gflop / TILE_GFLOP))


def parse_size(text: str, option: str = "--max-memory") -> int:
    """``4G``, ``1.5GiB``, ``800M`` as bytes; raises `SettingsError`, which names the option."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise SettingsError(f"{option} {text}: give a size such as 800M or 4G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def shared(limit: int, jobs: int) -> tuple[int, int]:
    """How many workers a limit allows, at most ``jobs``, and the bytes it leaves for their files.

    Raises
    ------
    SettingsError
        Not even one worker fits.
    """
    fit = min(jobs, (limit - PARENT) // (WORKER + TileCost(64, 64, 0).bytes_at(64)))
    if fit < 1:
        least = PARENT + WORKER + (64 << 20)
        raise SettingsError(
            f"--max-memory {_spoken(limit)}: less than one process takes; give {_spoken(least)}"
        )
    return fit, limit - PARENT - fit * WORKER


def fit_tile(name: str, pixels: int, wanted: int, costs: Iterable[TileCost], limit: int) -> tuple[int, int]:
    """The tile with which a file fits into the memory for files, and the bytes it then takes.

    Parameters
    ----------
    name
        The file's, for the refusal.
    pixels
        Of its sensor.
    wanted
        The tile asked for; 0: the networks' own.
    costs
        Networks that may be used; the dearest counts.
    limit
        Bytes for all files in hand.

    Returns
    -------
    tile, size
        ``tile`` is ``wanted`` where that fits, else the greatest that does.

    Raises
    ------
    SettingsError
        It does not fit with any tile.
    """
    costs = list(costs)
    whole = pixels * PIXEL
    own = [wanted or max((cost.tile for cost in costs), default=0)]
    for tile in own + [tile for tile in TILES if tile < own[0]]:
        size = whole + max((cost.bytes_at(tile) for cost in costs), default=0)
        if size <= limit:
            return (wanted if tile == own[0] else tile), size
    raise SettingsError(
        f"{name}: {pixels / 1e6:.1f} megapixels take about {_spoken(whole + WORKER + PARENT + (64 << 20))}, "
        "more than --max-memory allows"
    )


def _spoken(size: int) -> str:
    return f"{size / (1 << 30):.1f}G" if size >= 1 << 30 else f"{size >> 20}M"


class Budget:
    """Bytes that files in hand may take together; files that do not fit wait for their turn.

    Parameters
    ----------
    total
        Bytes for all of them.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._granted: dict[int, int] = {}
        self._asked: deque[tuple[int, int]] = deque()

    def ask(self, number: int, size: int) -> None:
        """A file asks for ``size`` bytes."""
        self._asked.append((number, size))

    def grants(self) -> list[int]:
        """Files that may go on, first come first served; the first is let on where nothing else is in hand."""
        granted = []
        while self._asked:
            number, size = self._asked[0]
            if self._granted and sum(self._granted.values()) + size > self._total:
                break
            self._asked.popleft()
            self._granted[number] = size
            granted.append(number)
        return granted

    def release(self, number: int) -> None:
        """A file is finished."""
        self._granted.pop(number, None)
        self._asked = deque(asked for asked in self._asked if asked[0] != number)
