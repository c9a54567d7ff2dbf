"""What the documentation shows can be copied: configurations start a server, and every tool is named."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from log_aggregator_mcp import McpConfig
from log_aggregator_mcp.server import TOOLS
from plugins.mcp.tests.conftest import answer_of
from tests.support.service import COMMAND, ServiceProcess, StartService

PAGE = (Path(__file__).parents[3] / "docs/how-to/mcp.md").read_text()
SERVERS: list[dict[str, Any]] = [
    next(iter(servers.values()))
    for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    for servers in json.loads(block).values()
]
STDIO = [server for server in SERVERS if "command" in server]


def test_the_page_names_every_tool_and_nothing_else() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)) == {tool.__name__ for tool in TOOLS.values()}


def test_the_readme_lists_every_option() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text()
    assert [name for name in McpConfig.model_fields if f"`{name}`" not in text] == []


@pytest.fixture
def service(start_service: StartService) -> ServiceProcess:
    return start_service("[plugins.sqlite]\n[plugins.mcp]\n")


async def test_the_configurations_work(service: ServiceProcess) -> None:
    assert len(STDIO) == 3
    assert len(SERVERS) == 4
    for server in STDIO[:2]:
        assert server["command"] == Path(COMMAND).name
        arguments = [re.sub(r"^https?://.*", service.url, argument) for argument in server["args"]]
        parameters = StdioServerParameters(command=COMMAND, args=arguments)
        async with asyncio.timeout(120), Client(parameters) as client:
            assert answer_of(await client.call_tool("log_metrics", {}))["status"] == "healthy"
    (over_http,) = [server for server in SERVERS if "url" in server]
    async with asyncio.timeout(120), Client(over_http["url"].replace("http://localhost:8004", service.url)) as client:
        assert answer_of(await client.call_tool("log_metrics", {}))["status"] == "healthy"
