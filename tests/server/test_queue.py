"""The line, its jobs' lives, and what may be asked of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.server.conftest import Live
from tests.server.crashing import SLEEP


def test_fifty_clients_are_served_in_the_order_in_which_they_came(
    start: Callable[..., Live], gray: bytes
) -> None:
    live = start(queue=50)
    first = live.post("/v1/jobs", SLEEP).json()["id"]
    while live.http.get(f"{live.url}/v1/jobs/{first}").json()["state"] == "queued":
        time.sleep(0.02)
    ids = []
    for number in range(50):
        made = live.http.post(f"{live.url}/v1/jobs", files={"raw": (f"{number}.dng", gray)})
        assert made.status_code == 202 and made.json()["position"] == number
        ids.append(made.json()["id"])
    full = live.http.post(f"{live.url}/v1/jobs", files={"raw": ("late.dng", gray)})
    assert full.status_code == 429 and full.json()["error"]["kind"] == "busy" and full.headers["retry-after"]
    ended: list[int] = []
    seen: dict[int, list[int]] = {}

    def client(number: int) -> bytes:
        with live.http.stream("GET", f"{live.url}/v1/jobs/{ids[number]}/events") as stream:
            states = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
        assert states[-1]["state"] == "done"
        ended.append(number)
        seen[number] = [state["position"] for state in states if state["state"] == "queued"]
        return live.http.get(f"{live.url}/v1/jobs/{ids[number]}/files/picture").content

    with ThreadPoolExecutor(50) as pool:
        pictures = pool.map(client, range(50))
        time.sleep(1)
        assert live.http.delete(f"{live.url}/v1/jobs/{first}").status_code == 204
        assert len(set(pictures)) == 50  # each tells its own name
    done = {number: live.line.find(ids[number]).finished for number in range(50)}
    assert sorted(done, key=done.__getitem__) == list(range(50))
    assert all(positions == sorted(positions, reverse=True) for positions in seen.values())
    assert set(ended) == set(range(50)) and seen[49][0] >= 40


def test_a_job_has_its_time_and_no_more(start: Callable[..., Live], gray: bytes) -> None:
    live = start(seconds=0.5)
    late = live.post("/v1/develop", SLEEP)
    assert late.status_code == 422 and late.json()["error"]["kind"] == "time"


def test_several_jobs_run_at_a_time_where_the_server_may(start: Callable[..., Live], gray: bytes) -> None:
    live = start(jobs=3)
    slow = [live.post("/v1/jobs", SLEEP).json()["id"] for _ in range(2)]
    assert live.post("/v1/develop", gray).status_code == 200
    for id in slow:
        live.http.delete(f"{live.url}/v1/jobs/{id}")


def test_a_cancelled_job_is_gone_and_its_process_too(start: Callable[..., Live], gray: bytes) -> None:
    live = start()
    running, waiting = (live.post("/v1/jobs", data).json()["id"] for data in (SLEEP, gray))
    pending = live.http.get(f"{live.url}/v1/jobs/{waiting}/files/picture")
    assert pending.status_code == 409 and pending.json()["error"]["kind"] == "pending"
    for id in (waiting, running):
        assert live.http.delete(f"{live.url}/v1/jobs/{id}").status_code == 204
    for _ in range(200):
        if not live.files():
            break
        time.sleep(0.02)
    assert not live.files()
    assert live.http.get(f"{live.url}/v1/jobs/{running}").status_code == 404
    assert live.post("/v1/develop", gray).status_code == 200


def test_a_client_that_leaves_takes_its_job_along(start: Callable[..., Live], gray: bytes) -> None:
    live = start()
    with pytest.raises(httpx.ReadTimeout):
        live.http.post(f"{live.url}/v1/develop", files={"raw": ("a.dng", SLEEP)}, timeout=0.5)
    assert live.post("/v1/develop", gray).status_code == 200
    for _ in range(200):
        if not live.files():
            break
        time.sleep(0.02)
    assert not live.files()


def test_what_nobody_fetches_is_deleted_in_time(start: Callable[..., Live], gray: bytes) -> None:
    live = start(keep=0.2)
    id = live.post("/v1/jobs", gray).json()["id"]
    for _ in range(200):
        if live.http.get(f"{live.url}/v1/jobs/{id}").status_code == 404:
            break
        time.sleep(0.05)
    assert not live.files()


@pytest.mark.models
def test_maps_and_stages_are_what_develop_would_write(
    start: Callable[..., Live], make_dng: Callable[..., object]
) -> None:
    live = start()
    raw = make_dng(size=(48, 64)).read_bytes()  # type: ignore[attr-defined]
    options = '{"files": ["bad-map", "camera"], "previews": true, "settings": {"format": "jpeg"}}'
    job = live.wait(live.post("/v1/jobs", raw, "näme.dng", options).json()["id"])
    assert job["state"] == "done", job
    assert set(job["result"]["files"]) == {"picture", "bad-map", "camera"} and job["result"]["pictures"]
    magic = {"picture": b"\xff\xd8", "bad-map": b"\x89PNG", "camera": b"II"}
    for file, begin in magic.items():
        fetched = live.http.get(f"{live.url}/v1/jobs/{job['id']}/files/{file}")
        assert fetched.content.startswith(begin)
        assert len(fetched.content) == job["result"]["files"][file]["size"]
        assert "n%C3%A4me" in fetched.headers["content-disposition"]
    missing = live.http.get(f"{live.url}/v1/jobs/{job['id']}/files/maps")
    assert missing.status_code == 404
    assert live.post("/v1/develop?file=bad-map", raw).content.startswith(b"\x89PNG")


def test_stopping_ends_what_runs_and_refuses_what_comes(start: Callable[..., Live], gray: bytes) -> None:
    live = start()
    events: list[str] = []
    id = live.post("/v1/jobs", SLEEP).json()["id"]

    def watch() -> None:
        with httpx.stream("GET", f"{live.url}/v1/jobs/{id}/events", timeout=60) as stream:
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    events.append(line)

    watching = threading.Thread(target=watch)
    watching.start()
    while "event: running" not in events:
        assert watching.is_alive()
        time.sleep(0.02)
    live.line.close()
    watching.join(60)
    assert events[-1] == "event: failed"
    refused = live.post("/v1/jobs", gray)
    assert refused.status_code == 503 and refused.json()["error"]["kind"] == "closing"
