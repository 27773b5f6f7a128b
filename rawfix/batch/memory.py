"""How much memory a file takes, and sharing out what there is."""

from __future__ import annotations

from collections import deque


class Budget:
    """Bytes that files in hand may take together; files that do not fit wait for their turn.

    Parameters
    ----------
    total
        Bytes for all of them; 0: any number.
    """

    def __init__(self, total: int = 0) -> None:
        self.total = total
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
            if self.total and self._granted and sum(self._granted.values()) + size > self.total:
                break
            self._asked.popleft()
            self._granted[number] = size
            granted.append(number)
        return granted

    def release(self, number: int) -> None:
        """A file is finished."""
        self._granted.pop(number, None)
        self._asked = deque(asked for asked in self._asked if asked[0] != number)
