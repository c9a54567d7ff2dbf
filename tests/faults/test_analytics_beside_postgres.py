"""Whatever the analytics service does, PostgreSQL's lag stays flat and every log is stored there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from plugins.analytics.tests import broken_servers as broken
from plugins.analytics.tests import test_delivery as faults
from plugins.analytics.tests.analytics_server import Fault, run_analytics_server
from plugins.analytics.tests.forwarding import run_forwarding
from tests.support.postgres import postgres_dsn, postgres_server

__all__ = ["postgres_dsn", "postgres_server"]

ANSWERS: dict[str, Fault] = {
    "500": faults.respond_500,
    "429 with Retry-After": faults.respond_429,
    "endless body": faults.respond_503_endlessly,
    "redirect": faults.redirect,
}


async def assert_postgres_is_not_held_up(directory: Path, url: str, dsn: str) -> None:
    async with run_forwarding(directory, url, f'postgres]\ndsn = "{dsn}"', faults.PATIENT) as flow:
        await flow.assert_store_is_not_held_up()
        sent = flow.sent
    connection = await asyncpg.connect(dsn, timeout=60)
    try:
        stored = await connection.fetchval("SELECT sum(count) FROM aggregated_logs", timeout=60)
    finally:
        await connection.close()
    assert stored == sent


@pytest.mark.parametrize("fault", faults.BELOW_HTTP)
async def test_below_http(tmp_path: Path, postgres_dsn: str, fault: str) -> None:
    server: Callable[[], AbstractAsyncContextManager[str]] = faults.BELOW_HTTP[fault][0]
    async with server() as url:
        await assert_postgres_is_not_held_up(tmp_path, url, postgres_dsn)


@pytest.mark.parametrize("fault", ANSWERS)
async def test_bad_answers(tmp_path: Path, postgres_dsn: str, fault: str) -> None:
    async with run_analytics_server() as receiver:
        receiver.fault = ANSWERS[fault]
        await assert_postgres_is_not_held_up(tmp_path, receiver.url, postgres_dsn)


async def test_tls_error(tmp_path: Path, postgres_dsn: str) -> None:
    server = partial(broken.untrusted, tmp_path)
    async with server() as url:
        await assert_postgres_is_not_held_up(tmp_path, url, postgres_dsn)
