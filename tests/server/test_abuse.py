"""What is refused, and that the server serves on."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest

from tests.server.conftest import Live
from tests.server.crashing import BUG, GREED, SEGFAULT

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def live(start: Callable[..., Live], gray: bytes) -> Live:
    return start(upload=4 << 20, pause=1.0, memory=600 << 20)


@pytest.fixture(autouse=True)
def serves_on(live: Live, gray: bytes) -> Iterator[None]:
    """After every test of this file a good picture is still developed, and nothing lies about."""
    yield
    answer = live.post("/v1/develop", gray, options='{"settings": {"format": "png"}}')
    assert answer.status_code == 200 and answer.content.startswith(b"\x89PNG"), answer.text
    for _ in range(100):
        if not live.files():
            return
        time.sleep(0.05)
    raise AssertionError(live.files())


def error(answer: httpx.Response) -> str:
    """The kind of a refusal, whose message is one line."""
    told = answer.json()["error"]
    assert told["message"] and "\n" not in told["message"]
    return str(told["kind"])


def raw_talk(port: int, head: str, pieces: list[bytes], every: float = 0.0, patience: float = 8.0) -> bytes:
    """Send pieces one by one and return what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
        try:
            line.sendall(head.encode())
            for piece in pieces:
                line.sendall(piece)
                time.sleep(every)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while data := line.recv(65536):
                answer += data
        except ConnectionResetError:
            pass
        return answer


def head(length: str) -> str:
    return (
        "POST /v1/develop HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"{length}\r\n\r\n"
    )


PART = b'--x\r\nContent-Disposition: form-data; name="raw"; filename="a.dng"\r\n\r\n'


def test_ten_gigabytes_that_are_declared_are_refused_before_they_come(live: Live) -> None:
    answer = raw_talk(live.port, head(f"Content-Length: {10 << 30}"), [PART])
    assert answer.startswith(b"HTTP/1.1 413") and b"too-large" in answer


def test_an_endless_upload_is_cut_off_at_the_limit(live: Live) -> None:
    block = b"z" * 65536
    chunk = b"%x\r\n%s\r\n" % (len(block), block)
    first = b"%x\r\n%s\r\n" % (len(PART), PART)
    answer = raw_talk(live.port, head("Transfer-Encoding: chunked"), [first, *[chunk] * 80])
    assert not answer or answer.startswith(b"HTTP/1.1 413")

    def endless() -> Iterator[bytes]:
        yield PART
        for _ in range(1 << 17):
            yield block

    sent = {"content-type": "multipart/form-data; boundary=x"}
    with suppress(httpx.TransportError):  # the connection is closed while the client still writes
        assert live.http.post(f"{live.url}/v1/develop", content=endless(), headers=sent).status_code == 413


@pytest.mark.parametrize(
    ("pieces", "every"),
    [([PART], 0.0), ([PART] + [b"z"] * 40, 0.1)],
    ids=["a body that stops", "a body that trickles"],
)
def test_a_slow_body_is_given_up(live: Live, pieces: list[bytes], every: float) -> None:
    started = time.monotonic()
    answer = raw_talk(live.port, head("Content-Length: 1000000"), pieces, every)
    assert answer.startswith(b"HTTP/1.1 408") and b"slow" in answer
    assert time.monotonic() - started < 7


def test_slow_heads_are_given_up_and_hold_nobody_up(live: Live, gray: bytes) -> None:
    lines = [socket.create_connection(("127.0.0.1", live.port), timeout=8) for _ in range(50)]
    for number, line in enumerate(lines):
        line.sendall(b"" if number % 2 else b"GET /healthz HTTP/1.1\r\nHost: loc")
    assert live.post("/v1/develop", gray).status_code == 200
    for line in lines:
        with line:
            assert line.recv(100) == b""


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\..\\boot.ini", "a\x00b.dng", "x" * 5000, "a\r\nX-Evil: 1.dng", ".."],
)
def test_a_file_name_names_no_file(live: Live, gray: bytes, name: str) -> None:
    quoted = name.encode().replace(b"\r\n", b"%0D%0A")
    body = b'--x\r\nContent-Disposition: form-data; name="raw"; filename="' + quoted + b'"\r\n\r\n' + gray
    told = json.dumps({"name": name[:1000], "folder": name[:1000]}).encode()
    body += b'\r\n--x\r\nContent-Disposition: form-data; name="options"\r\n\r\n' + told + b"\r\n--x--\r\n"
    sent = {"content-type": "multipart/form-data; boundary=x"}
    created = live.http.post(f"{live.url}/v1/jobs", content=body, headers=sent)
    if created.status_code == 400:
        return  # a name that no header holds
    assert created.status_code == 202, created.text
    job = created.json()
    assert not set("/\\\r\n\0:") & set(job["name"]) and len(job["name"]) <= 200
    on_disk = {part for path in live.files() for part in path.split("/")[1:]}
    assert on_disk <= {"raw", "raw.dng", "picture.tif", ".rawfix-journal.ndjson"} | {
        part for part in on_disk if part.startswith(".picture.")
    }
    assert live.wait(job["id"])["state"] == "done"
    fetched = live.http.get(f"{live.url}/v1/jobs/{job['id']}/files/picture")
    assert fetched.status_code == 200 and "x-evil" not in fetched.headers
    assert "/" not in fetched.headers["content-disposition"]
    assert live.http.delete(f"{live.url}/v1/jobs/{job['id']}").status_code == 204


@pytest.mark.parametrize(
    "path", ["/v1/jobs/..%2f..%2fetc/files/picture", "/v1/jobs/x/files/..%2Fraw", "/../../etc/passwd"]
)
def test_an_address_names_no_file(live: Live, path: str) -> None:
    assert (
        b" 40"
        in raw_talk(live.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", [])[
            :14
        ]
    )


def bomb(width: int, height: int, compression: int) -> bytes:
    """A DNG of a few hundred bytes that claims so many pixels."""
    entries = [
        (254, 4, 1, 0), (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, compression),
        (262, 3, 1, 32803), (273, 4, 1, 400), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 100),
        (33421, 3, 2, 2 | 2 << 16), (33422, 1, 4, 0x02010100), (50706, 1, 4, 0x00000401),
    ]  # fmt: skip
    ifd = (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + bytes(4)
    )
    return (b"II*\0" + struct.pack("<I", 8) + ifd).ljust(400, b"\0") + b"\xff\xd8\xff\xc3" + bytes(200)


@pytest.mark.parametrize("size", [(60000, 60000), (65535, 65535), (20000, 16000)])
@pytest.mark.parametrize("compression", [1, 7, 8])
def test_a_file_that_claims_to_be_gigantic_is_refused(
    live: Live, size: tuple[int, int], compression: int
) -> None:
    answer = live.post("/v1/develop", bomb(*size, compression))
    assert answer.status_code == 422 and error(answer) in ("corrupt", "unsupported", "memory", "crash"), (
        answer.text
    )


def test_a_picture_that_unpacks_to_gigabytes_is_refused(live: Live) -> None:
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(18 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    count = 100 * (18 << 20)
    rows = b"\x78\xda" + 100 * block + packer.flush() + struct.pack(">I", (count % 65521) << 16 | 1)
    size = struct.pack(">IIBBBBB", 30000, 30000, 16, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    answer = live.post("/v1/develop", png, "bomb.png", '{"mosaic": {"cfa": "RGGB"}}')
    assert answer.status_code == 422 and error(answer) in ("corrupt", "unsupported", "memory"), answer.text


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [(SEGFAULT, "crash", 422), (GREED, "memory", 422), (BUG, "bug", 500)],
)
def test_what_a_file_does_to_its_process_it_does_to_no_other(
    live: Live, raw: bytes, kind: str, status: int
) -> None:
    answer = live.post("/v1/develop", raw)
    assert (answer.status_code, error(answer)) == (status, kind)
    assert "a.dng" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"raw": b""}, 422),
        ({"raw": b"no RAW file"}, 422),
        ({"raw": b"x", "raw2": b"y"}, 400),
        ({"options": b"{}"}, 400),
        ({"raw": b"x", "options": b"{"}, 422),
        ({"raw": b"x", "options": b'{"settings": {"denoise": 9}}'}, 422),
        ({"raw": b"x", "options": b'{"settings": {"exposure": NaN}}'}, 422),
        ({"raw": b"x", "options": b'{"settings": {"no_such": 1}}'}, 422),
        ({"raw": b"x", "options": b'{"settings": {"bad_pixels": "/etc/passwd"}}'}, 422),
        ({"raw": b"x", "options": b'{"settings": {"ocio": "/etc/passwd"}}'}, 422),
        ({"raw": b"x", "options": b'{"settings": {"provider": "cuda"}}'}, 422),
        ({"raw": b"x", "options": b"[" * 100_000}, 422),
        ({"raw": b"x", "options": b" " * 300_000}, 413),
    ],
)
def test_what_has_no_meaning_is_refused_in_a_line(live: Live, files: dict[str, bytes], status: int) -> None:
    sent = {name: (name, data) for name, data in files.items()}
    answer = live.http.post(f"{live.url}/v1/develop", files=sent)
    assert answer.status_code == status, answer.text
    error(answer)


def test_a_web_page_cannot_use_a_server_without_token(live: Live, gray: bytes) -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"host": f"evil.example:{live.port}"},
    ):
        answer = live.post("/v1/develop", gray, headers=headers)
        assert (answer.status_code, error(answer)) == (403, "foreign")


def test_a_wrong_token_is_401_before_the_body_is_read(start: Callable[..., Live], gray: bytes) -> None:
    guarded = start(TOKEN)
    for header in (
        "",
        "Bearer",
        "Bearer wrong",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
    ):
        answer = guarded.post("/v1/develop", gray, headers={"authorization": header})
        assert (answer.status_code, error(answer)) == (401, "token")
    for path in ("/v1/server", "/v1/jobs/x", "/openapi.json", "/no/such"):
        assert guarded.http.get(guarded.url + path).status_code == 401
    asked = head(f"Content-Length: {10 << 30}")
    assert raw_talk(guarded.port, asked, []).startswith(b"HTTP/1.1 401")
    right = {"authorization": f"Bearer {TOKEN}"}
    assert guarded.post("/v1/develop", gray, headers=right).status_code == 200
    assert guarded.http.get(f"{guarded.url}/healthz").status_code == 200
