"""The server answers every request that its OpenAPI allows, and many that it does not, without a failure of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from rawfix.server.asking import TEXTS
from rawfix.settings import Settings
from tests.server.conftest import Live

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
TOKEN = "a-token-for-schemathesis"
NOT_ASKED = [schemathesis.checks.positive_data_acceptance, schemathesis.checks.negative_data_rejection]
"""No schema says what is a RAW file; and words that a request says beyond its schema do no harm."""


@pytest.fixture(scope="module")
def live(start: Callable[..., Live]) -> Live:
    return start(TOKEN, upload=1 << 20, seconds=20.0, queue=1000)


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_no_request_is_answered_by_a_failure(live: Live, gray: bytes, mode: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    api = schemathesis.openapi.from_url(f"{live.url}/openapi.json", headers=headers)
    asked = set()
    for found in api.get_all_operations():
        operation = found.ok()
        try:
            cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])
            _ask(cases, gray, headers)
        except Unsatisfiable:
            assert mode == "NEGATIVE"  # nothing about it can be wrong
            continue
        asked.add(operation.label)
    assert {"POST /v1/develop", "POST /v1/jobs", "GET /v1/check"} <= asked


def _ask(cases: Any, raw: bytes, headers: dict[str, str]) -> None:
    """Send some of the requests, with a frame that can be developed, and hold the answers against their description."""

    @given(case=cases)
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        if isinstance(case.body, dict) and "raw" in case.body:
            case.body["raw"] = raw
        case.call_and_validate(headers=headers, excluded_checks=NOT_ASKED)

    ask()


def test_every_setting_of_free_text_was_looked_at() -> None:
    """A text may name a file: a new one is offered to clients only once it stands in `TEXTS`."""
    texts = {name for name, hint in get_type_hints(Settings).items() if hint is str}
    assert texts == set(TEXTS), "decide what a client may make a server open by these"


def test_every_route_is_described(live: Live) -> None:
    described = live.http.get(f"{live.url}/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert {path: sorted(ways) for path, ways in described["paths"].items()} == {
        "/healthz": ["get"],
        "/v1/server": ["get"],
        "/v1/check": ["get"],
        "/v1/jobs": ["post"],
        "/v1/jobs/{id}": ["delete", "get"],
        "/v1/jobs/{id}/events": ["get"],
        "/v1/jobs/{id}/files/{file}": ["get"],
        "/v1/develop": ["post"],
    }
    upload = described["paths"]["/v1/develop"]["post"]["requestBody"]["content"]["multipart/form-data"][
        "schema"
    ]
    look = upload["properties"]["options"]["properties"]["settings"]["properties"]
    assert {"denoise", "deblur", "format", "wb", "quality"} <= set(look)
