"""What client and server call things; neither FastAPI nor httpx is known here."""

from __future__ import annotations

from typing import Literal, get_args

from rawfix.errors import (
    CorruptRawError,
    InferenceError,
    ModelError,
    RawfixError,
    SettingsError,
    UnsupportedRawError,
)

File = Literal["picture", "maps", "bad-map", "camera", "working"]
"""What a job can make: the picture, what the networks found (`rawfix.kept`), the map of bad pixels, stages."""
FILES: tuple[str, ...] = get_args(File)
PARTS = ("raw", "options", "bad_pixels", "calibration", "xmp", "xmp_darktable")
"""Parts of an upload: the RAW file; what is asked for, in JSON; and files that belong to the RAW file."""
State = Literal["queued", "running", "done", "failed"]
KINDS: dict[str, tuple[int, type[RawfixError] | None]] = {
    "malformed": (400, None),
    "token": (401, None),
    "foreign": (403, None),
    "unknown": (404, None),
    "slow": (408, None),
    "pending": (409, None),
    "too-large": (413, None),
    "media-type": (415, None),
    "unsupported": (422, UnsupportedRawError),
    "corrupt": (422, CorruptRawError),
    "settings": (422, SettingsError),
    "memory": (422, None),
    "time": (422, None),
    "crash": (422, None),
    "inference": (422, InferenceError),
    "cancelled": (410, None),
    "busy": (429, None),
    "bug": (500, None),
    "model": (422, ModelError),
    "storage": (507, None),
    "closing": (503, None),
}
"""Kinds of refusal: HTTP status, and the error that it is for a client; None: the server's own."""


def kind_of(error: RawfixError | MemoryError) -> str:
    """The kind of a refusal that a job met; the nearest one where it has none of its own."""
    if isinstance(error, MemoryError):
        return "memory"
    for base in type(error).__mro__:
        for kind, (_, known) in KINDS.items():
            if known is base:
                return kind
    return "storage"
