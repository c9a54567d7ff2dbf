"""`GET /metrics` of a real service: clean for promtool, and scraped by a real Prometheus."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from plugins.prometheus.tests.made import needs_prometheus, needs_promtool
from tests.support.service import ServiceProcess, StartService

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.prometheus]\nmax_sources = 5\n"
HOSTILE = ['quote "', "back\\slash", "new\nline", "{label=}", "ünïcode ☃", "# HELP x", "a" * 100]
DEADLINE = 240.0


@pytest.fixture
def service(start_service: StartService) -> ServiceProcess:
    running = start_service(PIPELINE)
    logs = [{"message": f"User {n} logged in", "source": "auth"} for n in range(50)]
    logs += [{"message": "it failed", "level": "ERROR", "source": name} for name in HOSTILE]
    assert running.post("/ingest/batch", {"logs": logs})[0] == 202
    assert running.post("/flush")[0] == 200
    return running


def fetch(service: ServiceProcess, **headers: str) -> tuple[str, Any]:
    request = urllib.request.Request(service.url + "/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return body.decode(), answer.headers


def test_both_formats_are_read_back(service: ServiceProcess) -> None:
    text, headers = fetch(service)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {sample.name: sample.value for family in parse_text(text) for sample in family.samples}
    assert found["process_resident_memory_bytes"] > 1_000_000
    assert found["log_aggregator_store_up"] == 1
    text, headers = fetch(service, Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert {family.name for family in parse_openmetrics(text)} >= {
        "log_aggregator_logs_processed",
        "log_aggregator_rows",
    }


def test_hostile_sources_are_escaped_and_bounded(service: ServiceProcess) -> None:
    text, _ = fetch(service, **{"Accept-Encoding": "gzip"})
    errors = {
        sample.labels["source"]: sample.value
        for family in parse_text(text)
        for sample in family.samples
        if sample.name == "log_aggregator_error_logs_total"
    }
    assert len(errors) == 6
    assert set(errors) <= {*HOSTILE, "(other)"}
    assert errors["(other)"] == len(HOSTILE) - 5


def test_with_api_keys_metrics_need_the_scope_read(start_service: StartService, tmp_path: Path) -> None:
    from log_aggregator.http.access.keys import add_key

    keys = tmp_path / "keys.toml"
    reader, sender = (add_key(keys, scope, [scope]) for scope in ("read", "ingest"))
    service = start_service(PIPELINE, {"API_KEYS_FILE": str(keys)})
    assert "log_aggregator_build_info" in fetch(service, Authorization=f"Bearer {reader}")[0]
    for headers in ({}, {"Authorization": f"Bearer {sender}"}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(service, **headers)
        with caught.value as error:
            assert error.code in (401, 403)


@needs_promtool
def test_promtool_finds_nothing_to_complain_about(service: ServiceProcess) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=fetch(service)[0], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@needs_prometheus
def test_a_real_prometheus_scrapes_it(service: ServiceProcess, tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: { scrape_interval: 500ms, scrape_timeout: 500ms }\n"
        "scrape_configs:\n"
        "  - job_name: log-aggregator\n"
        f"    static_configs: [{{ targets: ['{service.url.removeprefix('http://')}'] }}]\n"
    )
    output = tmp_path / "prometheus.log"
    # With port 0 it picks a free one, and says in its log which.
    arguments = ["--web.listen-address=127.0.0.1:0", f"--storage.tsdb.path={tmp_path / 'tsdb'}", "--log.format=json"]
    with output.open("wb") as log:
        process = subprocess.Popen(["prometheus", f"--config.file={config}", *arguments], stdout=log, stderr=log)
    try:
        query = 'sum(log_aggregator_logs_processed_total{job="log-aggregator"})'
        assert ask(process, output, query) == len(HOSTILE) + 50
        assert ask(process, output, "count(count by (__name__) ({__name__=~'log_aggregator_.*'}))") > 25
    finally:
        process.terminate()
        process.wait(60)


def ask(process: subprocess.Popen[bytes], output: Path, query: str) -> float:
    """The first answer of Prometheus to a query."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
        address = re.search(r'"address":"(127\.0\.0\.1:[1-9]\d*)"', output.read_text())
        if address is None:
            continue
        url = f"http://{address[1]}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            continue
        if result:
            return float(result[0]["value"][1])
    raise AssertionError(f"no answer to {query}:\n{output.read_text()}")
