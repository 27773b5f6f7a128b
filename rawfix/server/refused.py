"""A request that is not granted."""

from __future__ import annotations

from rawfix.server.wire import KINDS


class Refused(Exception):
    """``kind`` is one of `rawfix.server.wire.KINDS`; the message is one line for the client's user."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = KINDS[kind][0]

    def to_dict(self) -> dict[str, dict[str, str]]:
        """The body of the answer."""
        return {"error": {"kind": self.kind, "message": " ".join(str(self).split())}}
