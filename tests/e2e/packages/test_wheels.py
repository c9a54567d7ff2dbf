"""All built wheels in a clean environment: the project's own pipeline runs there, with everything it brings along."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.e2e.packages.clean import PLUGINS, ROOT, CleanEnvironment
from tests.support.service import ServiceProcess


@pytest.mark.slow
def test_the_pipeline_of_the_project_runs_from_wheels(clean: CleanEnvironment, tmp_path: Path) -> None:
    pipeline = (ROOT / "plugins.toml").read_text() + "\n[plugins.mcp]\n"
    (tmp_path / "plugins.toml").write_text(pipeline)
    listed = {line.split()[0]: line for line in clean.run("log-aggregator", "plugins", cwd=tmp_path).splitlines()}
    for name in PLUGINS:
        assert f"log-aggregator-{name} 0." in listed[name]
    for command in ("send", "demo", "patterns", "top", "new", "sqlite", "postgres", "mcp"):
        assert "usage: log-aggregator" in clean.run("log-aggregator", command, "--help", cwd=tmp_path)

    (tmp_path / "service").mkdir()
    service = ServiceProcess(tmp_path / "service", pipeline, command=[str(clean.programs / "log-aggregator")])
    try:
        service.start()
        log = {"message": "connection to 10.0.0.1 refused, password=hunter2", "source": "shop", "level": "ERROR"}
        assert service.post("/ingest", log)[0] == 202
        assert set(service.post("/flush", {})[1]["sinks"]) == {"sqlite", "trends"}
        (row,) = service.get("/patterns?source=shop")["patterns"]
        assert row["pattern"].startswith("connection to {IP} refused, password=")
        assert row["samples"] == ["connection to 10.0.0.1 refused, password=[redacted:password]"]
        assert row["category"]
        for path, wanted in {
            "/": "<title>",
            "/dashboard/base.css": "{",
            "/metrics": "log_aggregator_logs_processed_total",
            "/docs": "/ingest",
        }.items():
            with urllib.request.urlopen(service.url + path, timeout=30) as answer:
                assert wanted in answer.read().decode(), path
        if (ROOT / "plugins/help/src/log_aggregator_help/site.zip").exists():  # `make docs` came before, as in CI
            with urllib.request.urlopen(service.url + "/help", timeout=30) as answer:
                assert answer.url.endswith("/help/docs/site/index.html")
    finally:
        service.stop()
