"""schemathesis against our own OpenAPI: whatever it makes up, the answer is one that the document names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from log_aggregator.http.api_docs.openapi import openapi
from tests.support.service import ServiceProcess

EXAMPLES = 15
"""For each call: with eleven calls a budget of some 200 requests."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/x-ndjson")
def lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """NDJSON is a text here; what schemathesis makes up for it is sent as it is."""
    return str(value).encode("utf-8", "surrogatepass")


schema = schemathesis.openapi.from_dict(openapi("0"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = ServiceProcess(Path(tmp_path_factory.mktemp("fuzz")))
    yield service.start().url
    assert "Traceback" not in service.read_output()
    service.stop()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_documented(case: schemathesis.Case, url: str) -> None:
    if case.path == "/flush" and case.query:
        case.query.pop("deadline", None)  # waiting is not what is tested here
    case.call_and_validate(base_url=url, checks=CHECKS, timeout=30)
