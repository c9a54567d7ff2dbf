"""Headers, compression and signature, verified with the snippet from the documentation."""

from __future__ import annotations

import base64
import gzip
import re
import time
from pathlib import Path
from typing import Any

import pytest

from log_aggregator_analytics import AnalyticsConfig
from log_aggregator_analytics.request import compress, headers_of

DOCS = Path(__file__).parents[3] / "docs/reference/analytics.md"
BODY = b'{"version":1}'


def config(**options: Any) -> AnalyticsConfig:
    return AnalyticsConfig(url="http://analytics:8002", **options)


def documented_verify() -> Any:
    (snippet,) = re.findall(r"```python\n(# verify.*?)```", DOCS.read_text(), re.DOTALL)
    space: dict[str, Any] = {}
    exec(compile(snippet, str(DOCS), "exec"), space)
    return space["verify"]


def test_a_request_has_its_content_headers_and_idempotency_key() -> None:
    headers = headers_of(config(headers={"X-Team": "blue"}, authorization="Bearer t"), "key-1", BODY)
    assert headers == {
        "X-Team": "blue",
        "Authorization": "Bearer t",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "Idempotency-Key": "key-1",
    }
    assert "Content-Encoding" not in headers_of(config(gzip=False), "key-1", BODY)


def test_compression_is_deterministic() -> None:
    assert compress(BODY) == compress(BODY)
    assert gzip.decompress(compress(BODY)) == BODY


@pytest.mark.parametrize("secret", ["plain words", "whsec_" + base64.b64encode(b"0123456789abcdef").decode()])
def test_the_documented_snippet_accepts_only_genuine_requests(secret: str) -> None:
    verify = documented_verify()
    headers = headers_of(config(secret=secret), "key-1", BODY)
    assert verify(secret, headers, BODY)
    assert not verify("another", headers, BODY)
    assert not verify(secret, headers, BODY + b" ")
    assert not verify(secret, headers | {"webhook-id": "key-2"}, BODY)
    old = str(int(time.time()) - 3600)
    assert not verify(secret, headers | {"webhook-timestamp": old}, BODY)


def test_without_a_secret_nothing_is_signed() -> None:
    assert not any(name.startswith("webhook") for name in headers_of(config(), "key-1", BODY))
