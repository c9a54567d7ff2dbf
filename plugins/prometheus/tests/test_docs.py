"""The dashboard and the alert rules ask for metrics that exist, in queries that Prometheus understands."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import ProcessCollector

from log_aggregator.store import StoreHealth
from log_aggregator_prometheus import PrometheusConfig, anomalies, families
from log_aggregator_prometheus.labels import Sources
from plugins.prometheus.tests.made import DOCS, needs_promtool, running

LOGS = json.loads((DOCS / "grafana-logs.json").read_text())
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
RULES = DOCS / "prometheus-rules.yml"
_NAME = re.compile(r"\b(?:log_aggregator|process)_[a-z_]+")


def queries() -> list[str]:
    """Every query of Prometheus in both dashboards, those of annotations and variables too."""
    panels = [
        target["expr"]
        for panel in [*DASHBOARD["panels"], *LOGS["panels"]]
        for target in panel["targets"]
        if "expr" in target
    ]
    return panels + [one["expr"] for one in LOGS["annotations"]["list"] if "expr" in one]


@pytest.fixture
async def names(tmp_path: Path) -> set[str]:
    """The names of all samples of a service."""
    async with running(tmp_path, "[plugins.sqlite]\n[plugins.trends]\n[plugins.prometheus]") as service:
        stats = await service.stats()
    return {*every_name(stats), "log_aggregator_build_info"}


def every_name(stats: dict[str, Any]) -> Iterator[str]:
    parts = [families.of_service(stats), families.of_logs(stats, Sources(1)), families.of_sinks(stats)]
    parts += [
        families.of_plugins(stats),
        anomalies.of_anomalies(stats, Sources(1)),
        families.of_store(StoreHealth(reachable=True, latency_ms=1)),
    ]
    for part in [*parts, ProcessCollector(registry=None).collect()]:
        for metric in part:
            yield metric.name
            for sample in metric.samples:
                yield sample.name


def test_the_dashboard_and_the_rules_ask_for_what_there_is(names: set[str]) -> None:
    asked = set(_NAME.findall(" ".join(queries()) + RULES.read_text()))
    assert len(asked) > 20
    assert asked - names == set()


def test_the_page_names_every_metric(names: set[str]) -> None:
    text = (DOCS / "prometheus.md").read_text()
    ours = {name.removeprefix("log_aggregator_") for name in names if name.startswith("log_aggregator_")}
    families_only = {re.sub("_(sum|count)$", "", name) for name in ours}
    missing = {name for name in families_only if name not in text and f"{name}_total" not in families_only}
    assert missing == set()


@pytest.mark.parametrize("dashboard", [DASHBOARD, LOGS], ids=["service", "logs"])
def test_panels_do_not_overlap_and_have_their_own_ids(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells


def test_the_readme_lists_every_option() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text()
    assert [name for name in PrometheusConfig.model_fields if f"`{name}`" not in text] == []


@needs_promtool
def test_promtool_takes_the_rules_and_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    plain = [query.replace("$__rate_interval", "5m") for query in queries()]
    rules = [{"record": f"panel:query{number}", "expr": query} for number, query in enumerate(plain)]
    generated = tmp_path / "dashboard.yml"
    generated.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run(
        ["promtool", "check", "rules", RULES, generated], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    cases = Path(__file__).parent / "rules-test.yml"
    named = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    tried = {one["alertname"] for test in yaml.safe_load(cases.read_text())["tests"] for one in test["alert_rule_test"]}
    assert tried == named
    checked = subprocess.run(["promtool", "test", "rules", cases], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
