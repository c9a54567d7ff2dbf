"""The Grafana dashboard of the logs asks addresses that answer, for fields that are in the answers."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from log_aggregator_prometheus.anomalies import of_anomalies
from log_aggregator_prometheus.labels import OTHER, Sources
from plugins.prometheus.tests.made import DOCS, samples
from tests.support.service import ServiceProcess

DASHBOARD = json.loads((DOCS / "grafana-logs.json").read_text())
PIPELINE = """
[plugins.patterns]
[plugins.sqlite]
[plugins.trends]
[plugins.prometheus]
"""
TIMES = {"${__from:date:iso}": -3600, "${__to:date:iso}": 60}


def questions() -> Iterator[Any]:
    """Every question to the JSON API: of panels and of annotations."""
    for panel in DASHBOARD["panels"]:
        yield from (pytest.param(one, id=panel["title"]) for one in panel["targets"] if "url" in one)
    for annotation in DASHBOARD["annotations"]["list"]:
        if "target" in annotation:
            yield pytest.param(annotation["target"], id=f"annotations: {annotation['name']}")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with an error pattern, a mark, and an alarm: any FATAL log is one from the first minute."""
    service = ServiceProcess(tmp_path_factory.mktemp("logs"), PIPELINE, {"BATCH_SIZE": "1"}).start()
    logs = [{"message": f"Disk {n} is gone", "level": "FATAL", "source": "disk"} for n in range(3)]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/marks", {"title": "deploy 1.4"})[0] == 201
    service.post("/flush")
    deadline = time.monotonic() + 60
    while not service.get("/anomalies")["anomalies"]:
        assert time.monotonic() < deadline, "no alarm was stored"
        service.post("/flush")
    yield service
    service.stop()


@pytest.mark.parametrize("question", list(questions()))
def test_each_question_is_answered_with_the_fields_it_shows(service: ServiceProcess, question: dict[str, Any]) -> None:
    parameters = {one["key"]: one["value"] for one in question["url_options"]["params"]}
    for name, text in parameters.items():
        if text in TIMES:
            at = time.gmtime(time.time() + TIMES[text])
            parameters[name] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", at)
    assert "$" not in "".join(parameters.values())
    rows = service.get(f"{question['url']}?{urlencode(parameters)}")[question["root_selector"]]
    assert rows
    assert [one["selector"] for one in question["columns"] if one["selector"] not in rows[0]] == []


def test_links_lead_to_places_of_the_page() -> None:
    links = re.findall(r"\$\{address\}/#/(\w+)/\$\{__value\.raw\}", json.dumps(DASHBOARD))
    assert set(links) == {"incident", "pattern"}
    assert "address" in {one["name"] for one in DASHBOARD["templating"]["list"]}


def test_open_anomalies_are_metrics(service: ServiceProcess) -> None:
    with urllib.request.urlopen(f"{service.url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    assert 'log_aggregator_anomalies_open{kind="severe",source="disk",tier="notify"} 1.0' in text
    assert 'log_aggregator_anomalies_total{kind="severe"} 1.0' in text


def test_sources_of_anomalies_are_limited_and_nothing_is_said_without_a_plugin_that_finds_them() -> None:
    rows = [{"kind": "spike", "tier": "notify", "source": f"s{n % 4}"} for n in range(8)]
    figures = {"anomalies": {"open": rows, "since_start": {"spike": 9}}}
    found = samples(of_anomalies({"plugins": {"trends": {"figures": figures}}}, Sources(2)))
    opened = {dict(labels)["source"]: value for (name, labels), value in found.items() if name.endswith("_open")}
    assert opened == {"s0": 2, "s1": 2, OTHER: 4}
    assert found["log_aggregator_anomalies_total", (("kind", "spike"),)] == 9
    assert samples(of_anomalies({"plugins": {"sqlite": {"figures": {"rows": 1}}}}, Sources(2))) == {}
