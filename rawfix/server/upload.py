"""Taking an upload in: straight to the server's own files, no faster than the disk, no slower than is decent.

Only here is multipart/form-data parsed. Sizes are counted as the bytes come; what a request says of its length is
believed only where it is too much.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from rawfix.server.limits import RATE, Limits
from rawfix.server.order import harmless, own_name
from rawfix.server.refused import Refused
from rawfix.server.wire import PARTS

_MOST_OPTIONS = 256 << 10
_MOST_HEADERS = 16 << 10


@dataclass(slots=True)
class Upload:
    """What came: the options' JSON, files by their part, and what the client called them."""

    options: bytes = b""
    parts: dict[str, Path] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


async def receive(request: Request, folder: Path, limits: Limits) -> Upload:
    """Read a request's parts into a folder, under the server's own names.

    Raises
    ------
    Refused
        It is too large, too slow, malformed, not multipart, or holds no RAW file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise Refused("media-type", "send multipart/form-data with the file as part raw")
    if not (boundary := options.get(b"boundary")):
        raise Refused("malformed", "the multipart boundary is missing")
    taken = _Taking(folder)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": taken.begin,
                "on_header_field": taken.header_name,
                "on_header_value": taken.header_value,
                "on_header_end": taken.header_end,
                "on_headers_finished": taken.open,
                "on_part_data": taken.write,
                "on_part_end": taken.close,
                "on_end": taken.end,
            },
        )
        async for data in _body(request, limits):
            parser.write(data)
        parser.finalize()
    except MultipartParseError as error:
        raise Refused("malformed", f"malformed multipart body: {error}") from None
    except OSError as error:
        raise Refused("storage", f"the server cannot store the upload: {error.strerror}") from None
    finally:
        taken.close()
    if not taken.is_whole:
        raise Refused("malformed", "the multipart body ends early")
    if "raw" not in taken.upload.parts:
        raise Refused("malformed", "the part raw, the RAW file, is missing")
    return taken.upload


async def _body(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The request's body as it comes, within the limits of size and patience."""
    too_large = Refused("too-large", f"this server takes {limits.upload / (1 << 20):.4g} MiB at most")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limits.upload:
        raise too_large
    started, received, more = time.monotonic(), 0, True
    while more:
        try:
            message = await asyncio.wait_for(request.receive(), limits.pause)
        except TimeoutError:
            raise Refused("slow", f"nothing came for {limits.pause:g} s") from None
        if message["type"] != "http.request":
            raise Refused("malformed", "the connection was closed before the upload was complete")
        data, more = message.get("body", b""), message.get("more_body", False)
        received += len(data)
        if received > limits.upload:
            raise too_large
        if time.monotonic() - started > limits.pause + received / RATE:
            raise Refused("slow", f"the upload is slower than {RATE >> 10} KiB a second")
        yield data


class _Taking:
    """The parser's callbacks; raises `Refused`, and `OSError` of the disk."""

    def __init__(self, folder: Path) -> None:
        self.upload = Upload()
        self.is_whole = False
        self._folder = folder
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._part = ""
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        self._headers = {}

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_headers()

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_headers()

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _check_headers(self) -> None:
        if len(self._name) + len(self._value) > _MOST_HEADERS or len(self._headers) > 20:
            raise Refused("malformed", "a part's headers are too long")

    def open(self) -> None:
        """A part's content begins."""
        _, said = parse_options_header(self._headers.get(b"content-disposition", b""))
        part = said.get(b"name", b"").decode("utf-8", "replace")
        if part not in PARTS:
            raise Refused("malformed", f"there is no part {part[:40]!r}; there are {', '.join(PARTS)}")
        if part in self.upload.names:
            raise Refused("malformed", f"the part {part} comes twice")
        name = harmless(said.get(b"filename", b"").decode("utf-8", "replace"))
        self.upload.names[part] = name
        self._part = part
        if part != "options":
            path = self._folder / own_name(part, name)
            self.upload.parts[part] = path
            self._file = path.open("xb")

    def write(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(memoryview(data)[start:end])
            return
        self.upload.options += data[start:end]
        if len(self.upload.options) > _MOST_OPTIONS:
            raise Refused("too-large", f"the part options is longer than {_MOST_OPTIONS >> 10} KiB")

    def close(self) -> None:
        """A part's content ends."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def end(self) -> None:
        self.is_whole = True
