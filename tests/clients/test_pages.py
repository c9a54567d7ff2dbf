"""What docs/how-to/send-over-http.md says of a client's own settings, with that client."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.clients.receiving import Receiving
from tests.clients.test_clients import LOGS
from tests.support.blocks import ROOT, blocks, script_of

pytestmark = pytest.mark.clients

PAGE = ROOT / "docs/how-to/send-over-http.md"


def test_opentelemetry_is_set_up_by_the_environment(receiving: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = [one.code for one in blocks(PAGE) if one.marker == "other" and ROOT / one.expected == Path(__file__)]
    for line in script_of(code, {"http://aggregator:8004": receiving.service.url}).splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, " ".join(shlex.split(value)))
    receiving.run("otlp_sdk")
    assert sum(one["count"] for one in receiving.patterns(LOGS)) == LOGS
