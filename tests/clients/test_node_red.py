"""A real Node-RED with docs/how-to/node-red-flow.json: what it logs and what fails in it arrives exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.link import Link
from tests.support.service import ServiceProcess

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parents[2]
FLOW: list[dict[str, Any]] = json.loads((ROOT / "docs/how-to/node-red-flow.json").read_text(encoding="utf-8"))
CACHE = ROOT / "build/node-red-4"
PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n"
DEADLINE = 90.0
MANY = 250
SETTINGS = """module.exports = {
  uiPort: 0, uiHost: "127.0.0.1", httpAdminRoot: false, flowFile: "flows.json",
  credentialSecret: false, telemetry: { enabled: false }, logging: { console: { level: "info" } },
};
"""
StartService = Callable[..., ServiceProcess]


@pytest.fixture(scope="module")
def node_red() -> Path:
    """Node-RED's main file, installed into build/ once. Skips where it cannot be had."""
    main = CACHE / "node_modules/node-red/red.js"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node and npm here")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().removeprefix("v").partition(".")[0]) < 18:
        pytest.skip(f"Node-RED 4 needs Node.js 18; here is {version.strip()}")
    if not main.exists():
        _install()
    return main


def _install() -> None:
    """Install Node-RED beside where it belongs, and move it there whole: another process may be looking for it."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent, prefix="node-red-") as beside:
        fresh = Path(beside, "made")
        fresh.mkdir()
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(fresh), "node-red@4"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("npm did not install node-red@4 within four minutes")
        if done.returncode:
            pytest.skip(f"npm cannot install node-red@4 here: {done.stderr.strip()[-300:]}")
        with contextlib.suppress(OSError):  # the other process was first
            fresh.rename(CACHE)


def flow_with(url: str, *, key: str = "", many: int = 0) -> list[dict[str, Any]]:
    """The flow of the page for another address, which starts by itself; with `many`, it logs so many more."""
    flow = copy.deepcopy(FLOW)
    nodes = {node["id"]: node for node in flow}
    values = {"LOG_AGGREGATOR_URL": url, "LOG_AGGREGATOR_KEY": key}
    for variable in nodes["log-aggregator"]["env"]:
        variable["value"] = values[variable["name"]]
    for name in ("la-inject", "la-fail"):
        nodes[name]["once"] = True
    if many:
        code = f"for (let n = 0; n < {many}; n += 1) node.send({{ payload: `Batch job ${{n}} done` }});\nreturn null;"
        flow.append({**nodes["la-example"], "id": "many", "name": "many", "func": code, "wires": [["la-as-log"]]})
        nodes["la-inject"]["wires"] = [["la-example", "many"]]
    return flow


@asynccontextmanager
async def running(main: Path, directory: Path, flow: list[dict[str, Any]]) -> AsyncIterator[Path]:
    """Node-RED without an editor, with this flow; yields the file of what it prints."""
    directory.mkdir()
    (directory / "flows.json").write_text(json.dumps(flow))
    (directory / "settings.js").write_text(SETTINGS)
    output = directory / "output.log"
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("node", str(main), "--userDir", str(directory), "--settings", str(directory / "settings.js")),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield output
        finally:
            process.terminate()
            async with asyncio.timeout(DEADLINE):
                await process.wait()


async def arrived(service: ServiceProcess, wanted: int, output: Path) -> dict[str, dict[str, Any]]:
    """Patterns by text, once `wanted` logs are there."""
    deadline = time.monotonic() + DEADLINE
    while True:
        await asyncio.to_thread(service.post, "/flush")
        rows = (await asyncio.to_thread(service.get, "/patterns"))["patterns"]
        if sum(row["count"] for row in rows) >= wanted:
            return {row["pattern"]: row for row in rows}
        assert time.monotonic() < deadline, f"{rows}\n{output.read_text()}"
        await asyncio.sleep(0.1)


def port_of(service: ServiceProcess) -> int:
    return int(service.url.rpartition(":")[2])


async def test_logs_and_errors_arrive(node_red: Path, start_service: StartService, tmp_path: Path) -> None:
    service = start_service(PIPELINE)
    async with running(node_red, tmp_path / "node-red", flow_with(service.url, many=MANY)) as output:
        found = await arrived(service, MANY + 2, output)
    assert {text: (row["count"], row["levels"], row["sources"]) for text, row in found.items()} == {
        "Batch job {ID} done": (MANY, {"INFO": MANY}, {"node-red": MANY}),
        "Valve {ID} opened at {ID} degrees": (1, {"INFO": 1}, {"node-red": 1}),
        "Error: Sensor {ID} does not answer": (1, {"ERROR": 1}, {"node-red": 1}),
    }, output.read_text()
    sensor = service.get(f"/patterns/{found['Error: Sensor {ID} does not answer']['pattern_id']}")
    assert sensor["metadata"]["node"]["values"][0]["value"] == "a node that fails"
    assert sensor["metadata"]["flow"]["values"][0]["value"] == "Logs to log-aggregator"


async def test_an_outage_and_a_lost_answer_cost_nothing(
    node_red: Path, start_service: StartService, tmp_path: Path
) -> None:
    service = start_service(PIPELINE)
    answers = 0

    def lose_the_first_answer(direction: str, chunk: bytes) -> int | None:
        nonlocal answers
        answers += direction == "down"
        return 0 if direction == "down" and answers == 1 else None

    async with Link(("127.0.0.1", 1)) as link:  # nobody answers there
        link.watch = lose_the_first_answer
        flow = flow_with(f"http://127.0.0.1:{link.port}", many=MANY)
        async with running(node_red, tmp_path / "node-red", flow) as output:
            deadline = time.monotonic() + DEADLINE
            while not link.connections:
                assert time.monotonic() < deadline, output.read_text()
                await asyncio.sleep(0.05)
            link.target = ("127.0.0.1", port_of(service))
            while not (await asyncio.to_thread(service.get, "/stats"))["logs"]["duplicates"]:
                assert time.monotonic() < deadline, output.read_text()
                await asyncio.sleep(0.05)
            found = await arrived(service, MANY + 2, output)
    assert sum(row["count"] for row in found.values()) == MANY + 2
    assert found["Batch job {ID} done"]["count"] == MANY


async def test_what_is_refused_is_told_and_not_sent_again(
    node_red: Path, start_service: StartService, tmp_path: Path
) -> None:
    service = start_service(PIPELINE, {"MAX_BATCH_RECORDS": "1"})
    async with running(node_red, tmp_path / "node-red", flow_with(service.url)) as output:
        deadline = time.monotonic() + DEADLINE
        while "refused, 413" not in output.read_text():
            assert time.monotonic() < deadline, output.read_text()
            await asyncio.sleep(0.05)
    assert output.read_text().count("refused, 413") == 1
