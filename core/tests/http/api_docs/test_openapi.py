"""The OpenAPI document is true: exactly the routes, and schemas that hold what is decoded and answered."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from core.tests.http.made_store import ID, MadeStore
from core.tests.http.memory_backend import MemoryBackend, serve
from log_aggregator.config.limits import limits_of
from log_aggregator.config.settings import Settings
from log_aggregator.http.api_docs.html import docs_page
from log_aggregator.http.api_docs.openapi import openapi
from log_aggregator.http.app import build_app
from log_aggregator.http.decoding.decode import BodyDecoder
from log_aggregator.http.problem import Problem

DOCUMENT = openapi("1.2.3")
DECODER = BodyDecoder(limits_of(Settings()))


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def test_it_lists_exactly_the_routes() -> None:
    app = build_app(MemoryBackend(Settings()))
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    listed = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert served - listed == {("GET", "/openapi.json"), ("GET", "/docs")}
    assert listed <= served


def test_the_page_shows_the_routes_of_plugins_with_their_variables() -> None:
    async def asset(_: object) -> None:
        """A file of the page."""

    document = openapi("1", [("GET", "/made/{version}/{name:.*}", asset), ("POST", "/made", asset)])
    page = docs_page(document, "http://localhost")
    for shown in ("/made/{version}/{name}", "A file of the page.", "<code>version</code>"):
        assert shown in page


@pytest.mark.parametrize(
    "log",
    [
        {"message": "a"},
        {"message": ""},
        {"message": 5},
        {"message": True},
        {"message": None},
        {"message": []},
        {},
        {"message": "a", "level": 30},
        {"message": "a", "level": 3.5},
        {"message": "a", "level": {}},
        {"message": "a", "level": 10**12},
        {"message": "a", "source": 7},
        {"message": "a", "source": []},
        {"message": "a", "metadata": {}},
        {"message": "a", "metadata": []},
        {"message": "a", "metadata": None},
        {"message": "a", "timestamp": 1764000000},
        {"message": "a", "timestamp": {}},
        {"message": "a", "anything": [1]},
    ],
)
def test_the_schema_of_a_log_is_what_is_decoded(log: dict[str, Any]) -> None:
    """A log that the schema refuses is refused, and one that it allows is taken."""
    allowed = validator({"$ref": "#/components/schemas/Log"}).is_valid(log)
    try:
        DECODER.one(json.dumps(log).encode(), 1_795_465_413_000_000)
        taken = True
    except Problem:
        taken = False
    assert taken == allowed


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("GET", "/patterns", "/patterns"),
        ("GET", f"/patterns/{ID}", "/patterns/{id}"),
        ("GET", "/patterns/ffffffffffffffff", "/patterns/{id}"),
        ("GET", f"/patterns/{ID}/timeline", "/patterns/{id}/timeline"),
        ("GET", "/series", "/series"),
        ("GET", "/series?step=0", "/series"),
        ("GET", "/anomalies", "/anomalies"),
        ("GET", "/health", "/health"),
        ("GET", "/health/db", "/health/db"),
        ("GET", "/stats", "/stats"),
        ("POST", "/flush", "/flush"),
        ("POST", "/ingest", "/ingest"),
    ],
)
async def test_answers_are_what_the_document_says(method: str, path: str, call: str) -> None:
    async with serve(MadeStore()) as door:
        answer = await door.client.request(method, path)
        described = DOCUMENT["paths"][call][method.lower()]["responses"][str(answer.status)]
        validator(described["content"][answer.content_type]["schema"]).validate(await answer.json())


def test_the_page_names_every_call_and_parameter() -> None:
    page = docs_page(DOCUMENT, "http://localhost:8004")
    for path, item in DOCUMENT["paths"].items():
        assert f"<b>{path}</b>" in page
        for operation in item.values():
            assert all(f"<code>{parameter['name']}</code>" in page for parameter in operation["parameters"])
    assert "<script" not in page
