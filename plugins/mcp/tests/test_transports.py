"""The official client over stdio and HTTP, against a real service process."""

from __future__ import annotations

import asyncio
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from log_aggregator.http.access.keys import add_key
from log_aggregator_mcp.server import TOOLS, WRITING
from plugins.mcp.tests.conftest import answer_of
from plugins.mcp.tests.logs import history
from tests.support.service import COMMAND, ServiceProcess, StartService

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.mcp]\n"
NAMES = {tool.__name__ for tool in TOOLS.values()}
WRITING_NAMES = {tool.__name__ for tool in WRITING}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    running = ServiceProcess(tmp_path_factory.mktemp("service"), PIPELINE)
    try:
        running.start()
        assert running.post("/ingest/batch", {"logs": history()})[0] == 202
        assert running.post("/flush")[0] == 200
        yield running
    finally:
        running.stop()


def over_stdio(url: str, mode: str = "auto", key: str = "") -> Client:
    environ = {"LOG_AGGREGATOR_API_KEY": key} if key else {}
    return Client(StdioServerParameters(command=COMMAND, args=["mcp", "--url", url], env=environ), mode=mode)


def over_http(url: str, mode: str = "auto") -> Client:
    return Client(f"{url}/mcp", mode=mode)


@asynccontextmanager
async def with_key(url: str, key: str) -> Any:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("connect", [over_stdio, over_http])
async def test_every_tool_is_listed_with_its_hints_and_answers(
    service: ServiceProcess, connect: Callable[..., AbstractAsyncContextManager[Client]], mode: str
) -> None:
    async with asyncio.timeout(120), connect(service.url, mode) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == NAMES
        for tool in tools:
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is (tool.name not in WRITING_NAMES)
            assert tool.annotations.destructive_hint is False
            assert tool.description
            assert all("description" in field for field in tool.input_schema["properties"].values())
        (found,) = answer_of(await client.call_tool("search", {"text": "payment"}))["patterns"]
        needed = {name: {"pattern_id": found["id"]} for name in ("pattern_detail", "triage")}
        needed |= {"search": {"text": "user"}, "set_mark": {"title": "deploy 1"}, "explain_line": {"line": "User 1 in"}}
        needed["errors_by_value"] = {"key": "tenant"}
        for name in sorted(NAMES):
            result = await client.call_tool(name, needed.get(name, {}))
            assert answer_of(result)
            assert len(result.content[0].text) <= 8000


async def test_both_transports_give_the_same_answers(service: ServiceProcess) -> None:
    async with asyncio.timeout(120), over_stdio(service.url) as one, over_http(service.url) as other:
        for name, arguments in (("top_patterns", {"since": "-7d"}), ("aggregation_statistics", {})):
            assert answer_of(await one.call_tool(name, arguments)) == answer_of(await other.call_tool(name, arguments))


async def test_a_service_that_is_not_there_is_an_answer_not_a_crash() -> None:
    async with asyncio.timeout(120), over_stdio("http://127.0.0.1:9") as client:
        result = await client.call_tool("log_metrics", {})
        assert result.is_error
        assert "is it running there?" in result.content[0].text
        assert {tool.name for tool in (await client.list_tools()).tools} == NAMES


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "keys.toml"
    return {"file": str(path)} | {scope: add_key(path, scope, [scope]) for scope in ("read", "ingest")}


async def test_stdio_asks_with_the_key_of_its_environment(start_service: StartService, keys: dict[str, str]) -> None:
    service = start_service(PIPELINE, {"API_KEYS_FILE": keys["file"]})
    async with asyncio.timeout(120):
        async with over_stdio(service.url, key=keys["read"]) as client:
            assert answer_of(await client.call_tool("log_metrics", {}))["accepted"] == 0
        for key in ("", keys["ingest"]):
            async with over_stdio(service.url, key=key) as client:
                result = await client.call_tool("log_metrics", {})
                assert result.is_error
                assert "Set LOG_AGGREGATOR_API_KEY" in result.content[0].text


async def test_http_needs_the_scope_read_and_asks_with_the_callers_key(
    start_service: StartService, keys: dict[str, str]
) -> None:
    service = start_service(PIPELINE, {"API_KEYS_FILE": keys["file"]})
    async with asyncio.timeout(120):
        async with with_key(service.url, keys["read"]) as client:
            assert answer_of(await client.call_tool("log_metrics", {}))["accepted"] == 0
            answers = await asyncio.gather(
                *(client.call_tool("log_metrics", {}) for _ in range(10)),
                *(asyncio.to_thread(status_of, service.url, {}) for _ in range(10)),
            )
            assert [answer_of(answer)["accepted"] for answer in answers[:10]] == [0] * 10
            assert answers[10:] == [401] * 10
    assert status_of(service.url, {"Authorization": f"Bearer {keys['ingest']}"}) == 403


LIST_TOOLS = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'


def status_of(url: str, headers: dict[str, str], method: str = "POST", body: bytes = LIST_TOOLS) -> int:
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
    request = urllib.request.Request(f"{url}/mcp", data=body if method == "POST" else None, headers=sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_pages_of_other_sites_streams_and_sessions_are_refused(service: ServiceProcess) -> None:
    own = service.url
    assert status_of(own, {}) == 200
    assert status_of(own, {"Origin": own}) == 200
    assert status_of(own, {"Origin": "https://evil.example"}) == 403
    assert status_of(own, {"Origin": "null"}) == 403
    assert status_of(own, {}, "GET") == 405
    assert status_of(own, {}, "DELETE") == 405


def test_garbage_is_refused_and_the_service_stops_in_order(start_service: StartService) -> None:
    service = start_service(PIPELINE)
    for body in (b"", b"{", b"[]", b'{"jsonrpc":"2.0"}', b"\xff" * 1000):
        assert 400 <= status_of(service.url, {}, body=body) < 500
    assert status_of(service.url, {}) == 200
    assert service.terminate() == 0
    assert "session" not in service.read_output()


def test_the_command_ends_with_its_input_and_says_what_is_wrong_with_an_address(service: ServiceProcess) -> None:
    ended = subprocess.run(
        [COMMAND, "mcp", "--url", service.url], input=b"", capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, b"")
    wrong = subprocess.run(
        [COMMAND, "mcp", "--url", "localhost:8004"], input=b"", capture_output=True, timeout=60, check=False
    )
    assert wrong.returncode == 2
    assert b"expected an address such as http://127.0.0.1:8004" in wrong.stderr
