"""`logging.exception` thirteen frames deep: what was raised, and where, in the API, on the page and over MCP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from mcp import Client

from log_aggregator_client import LogAggregatorHandler
from log_aggregator_mcp.api import CURRENT, Api
from log_aggregator_mcp.server import build_server
from plugins.dashboard.tests.browser import Visitor, chromium
from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]
DEPTH = 13
RAISED = "KeyError: 'card-17'"
FRAME = ", in charge"


def charge(depth: int) -> None:
    if depth:
        charge_through(depth - 1)
    raise KeyError("card-17")


def charge_through(depth: int) -> None:
    charge(depth)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service of the default pipeline that one exception was logged to."""
    made = ServiceProcess(tmp_path_factory.mktemp("traces"), (ROOT / "plugins.toml").read_text()).start()
    handler = LogAggregatorHandler(made.url, source="shop")
    logger = logging.getLogger("deep")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        charge(DEPTH)
    except KeyError:
        logger.exception("request 7 failed")
    handler.close()
    made.post("/flush")
    yield made
    made.stop()


def told(text: str) -> bool:
    """Whether the exception and the frame that raised it are there, and the sentence before them."""
    return RAISED in text and FRAME in text and "request 7 failed" in text


def test_the_api_has_the_exception_whole(service: ServiceProcess) -> None:
    (row,) = service.get("/patterns")["patterns"]
    assert row["pattern"].startswith("request {ID} failed {TRACE} KeyError at ")
    (sample,) = row["samples"]
    assert told(sample)
    assert sample.count(FRAME) > DEPTH // 2


def test_the_page_shows_it(service: ServiceProcess) -> None:
    (row,) = service.get("/patterns")["patterns"]
    with chromium() as browser:
        visitor = Visitor(browser, service.url)
        page = visitor.open(f"#/pattern/{row['pattern_id']}")
        page.get_by_text(RAISED).first.wait_for()
        assert told(page.locator("main").inner_text())
        visitor.leave()


async def test_an_assistant_is_told_it(service: ServiceProcess) -> None:
    async with aiohttp.ClientSession(service.url) as session, session.get("/patterns") as answer:
        (row,) = (await answer.json())["patterns"]
    CURRENT.set(Api(service.url, {}, ""))
    async with Client(build_server()) as client:
        result = await client.call_tool("pattern_detail", {"pattern_id": row["pattern_id"]})
    (content,) = result.content
    assert RAISED in content.text
    assert FRAME in content.text
