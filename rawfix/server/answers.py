"""What the routes answer, as OpenAPI describes it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel

from rawfix.server.asking import Asked
from rawfix.server.jobs import Job
from rawfix.server.wire import State

_HEARTBEAT = 2.0


class Problem(BaseModel):
    """Why a request was not granted, or a job failed."""

    kind: str
    message: str


class Refusal(BaseModel):
    """The body of every answer that is a refusal."""

    error: Problem


class Health(BaseModel):
    """The server lives."""

    status: str


class Offer(BaseModel):
    """A server and its limits; sizes in bytes."""

    rawfix: str
    models: dict[str, str]
    upload: int
    seconds: float
    queue: int
    waiting: int
    jobs: int
    threads: int
    provider: str


class Checked(BaseModel):
    """Settings, every one of them."""

    settings: dict[str, Any]


class Tiles(BaseModel):
    """Progress of the network at work."""

    done: int
    total: int


class JobAnswer(BaseModel):
    """One job: ``result`` when it is done, ``error`` when it failed."""

    id: str
    name: str
    state: State
    position: int
    tiles: Tiles
    result: dict[str, Any] | None
    error: Problem | None


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route; any request may be a foreign one, and any server be stopped."""
    return {status: {"model": Refusal, "description": "Refused."} for status in (*statuses, 403, 503)}


_BINARY = {"type": "string", "format": "binary"}
PICTURE: dict[str, Any] = {
    "description": "The file.",
    "content": {kind: {"schema": _BINARY} for kind in ("application/octet-stream", "image/*")},
}
EVENTS: dict[str, Any] = {
    "description": "Events queued, running, done and failed; their data is what the job's own route answers.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references into itself."""
    found = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(found[node["$ref"].rpartition("/")[2]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved


UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["raw"],
                    "additionalProperties": False,
                    "properties": {
                        "raw": {**_BINARY, "description": "The RAW file."},
                        "options": _inlined(Asked.model_json_schema()),
                        "bad_pixels": {**_BINARY, "description": "List, map or mask of bad pixels."},
                        "calibration": {
                            **_BINARY,
                            "description": "The body's calibration, as rawfix keeps it.",
                        },
                        "xmp": {**_BINARY, "description": "Sidecar STEM.xmp."},
                        "xmp_darktable": {**_BINARY, "description": "Sidecar STEM.EXT.xmp."},
                    },
                },
                "encoding": {"options": {"contentType": "application/json"}},
            }
        },
    }
}


def file_name(named: str, path: Path) -> str:
    """What a client may call a file of its own: the name it gave, with our suffix."""
    return f"{PurePath(named).stem}{path.name.removeprefix('picture')}"


async def events_of(job: Job) -> AsyncIterator[str]:
    """Server-sent events; a comment now and then tells that the connection lives."""
    async for changed in job.changes(_HEARTBEAT):
        if changed:
            yield f"event: {job.state}\ndata: {json.dumps(job.to_dict())}\n\n"
        else:
            yield ": still there\n\n"
