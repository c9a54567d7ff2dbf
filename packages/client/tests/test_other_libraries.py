"""loguru and structlog hand their logs to the handler with trace, level and context."""

from __future__ import annotations

import logging

import pytest

from log_aggregator_client import LogAggregatorHandler


@pytest.mark.parametrize("is_loguru", [True, False], ids=["loguru", "structlog"])
def test_logs_of_other_libraries_arrive_with_trace_level_and_context(server, is_loguru):
    handler = LogAggregatorHandler(server.url, "shop")
    if is_loguru:
        loguru = pytest.importorskip("loguru").logger
        loguru.remove()
        loguru.add(handler, format="{message}", level="TRACE")
        log = loguru.bind(order=7)
        log.success("paid")
    else:
        structlog = pytest.importorskip("structlog")
        standard = logging.getLogger("test.structlog")
        standard.addHandler(handler)
        standard.propagate = False
        standard.setLevel(logging.INFO)
        processors = [structlog.stdlib.render_to_log_kwargs]
        log = structlog.wrap_logger(
            standard, processors=processors, wrapper_class=structlog.stdlib.BoundLogger, order=7
        )
        log.warning("paid")
    try:
        raise OSError("disk")
    except OSError:
        log.exception("request failed")
    handler.flush()
    handler.close()
    first, second = server.logs
    assert (first["message"], first["level"]) == ("paid", "SUCCESS" if is_loguru else "WARNING")
    assert first["metadata"]["order"] == 7
    assert second["level"] == "ERROR"
    assert second["message"].startswith("request failed\nTraceback (most recent call last):")
    assert second["message"].count("OSError: disk") == 1
    assert second["metadata"]["exception"] == "OSError"
