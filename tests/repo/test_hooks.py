"""Each hook is documented with its exact signature, and a plugin of our own shows in a running service what it does."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import textwrap
import time
from pathlib import Path

import pytest

import log_aggregator
from log_aggregator import Batch, Group, hookspecs
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.plugins.context import PluginContext
from log_aggregator.plugins.registry import Registry
from log_aggregator_dev.host import Host
from log_aggregator_service.offline import _Handle

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")

PLUGIN = """
import json
from contextlib import asynccontextmanager
from aiohttp import web
from pydantic import BaseModel, ConfigDict
from log_aggregator import Record, RetryableError, hookimpl


class Witness:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        notes: str

    def __init__(self, config):
        self.notes = open(config.notes, "a", buffering=1)
        self.refusals = 0

    def note(self, hook, **facts):
        self.notes.write(json.dumps({"hook": hook, **facts}) + "\\n")

    @hookimpl
    def on_ingest(self, batch):
        for record in batch:
            if record.message == "unwanted":
                batch.reject(record, "not wanted here")
            if record.message == "boring":
                batch.drop(record, "boring")
            record.message = record.message.replace("secret", "[gone]")
        self.note("on_ingest", messages=[record.message for record in batch])

    @hookimpl
    def normalize(self, batch):
        for record in batch:
            record.pattern = record.message.rstrip("0123456789") + "{N}"
        self.note("normalize", messages=[record.message for record in batch])

    @hookimpl
    def enrich(self, batch):
        for record in batch:
            assert record.pattern.endswith("{N}"), "enrich ran before normalize"
            record.category = "made"
            record.tags += ("seen",)

    @hookimpl
    async def on_flush(self, flush):
        if self.refusals < 2:
            self.refusals += 1
            raise RetryableError("not yet", retry_after=0.01)
        self.note(
            "on_flush",
            identity=flush.identity,
            tries=self.refusals + 1,
            rows=[[a.pattern, a.count, a.category, a.tags, list(a.samples.messages)] for a in flush.aggregates],
        )

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        async def hello(request):
            await service.ingest([Record("from the inside 1", "INFO", "witness", 1_700_000_000_000_000, {})])
            return web.json_response({"data_dir": str(service.data_dir)})

        async def check():
            return "a made-up worry"

        service.add_route("GET", "/hello", hello)
        service.add_health_check("worry", check)
        service.add_stats("witness", lambda: {"refusals": self.refusals})
        self.note("lifespan", at="start")
        yield
        self.note("lifespan", at="stop")
"""


@pytest.fixture
def witness(start_service, tmp_path):
    """A service with the plugin above, installed as a distribution of its own."""
    site = tmp_path / "site"
    info = site / "witness-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "witness.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: witness\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[log_aggregator.plugins]\nwitness = witness:Witness\n")
    notes = tmp_path / "notes.ndjson"
    service = start_service(f"[plugins.witness]\nnotes = '{notes}'\n", {"PYTHONPATH": str(site)})
    service.notes = notes
    return service


def notes(service, hook):
    found = [json.loads(line) for line in service.notes.read_text().splitlines()]
    return [note for note in found if note["hook"] == hook]


def wait_for(service, hook):
    deadline = time.monotonic() + 240
    while not notes(service, hook) and time.monotonic() < deadline:
        time.sleep(0.02)
    return notes(service, hook)


def send(service, *messages):
    return service.post("/ingest/batch", [{"message": message} for message in messages])


def test_hook_on_ingest(witness):
    status, answer = send(witness, "my secret 1", "unwanted", "boring", "fine 2")
    assert status == 202
    assert answer["rejected"] == [{"index": 1, "error": "not wanted here"}]
    assert notes(witness, "on_ingest")[-1]["messages"] == ["my [gone] 1", "unwanted", "boring", "fine 2"]
    assert wait_for(witness, "normalize")[0]["messages"] == ["my [gone] 1", "fine 2"]
    for path in witness.data_dir.rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes(), path


def test_hook_normalize(witness):
    send(witness, "user 1", "user 22")
    witness.post("/flush")
    (flush,) = notes(witness, "on_flush")
    assert [row[:2] for row in flush["rows"]] == [["user {N}", 2]]


def test_hook_enrich(witness):
    send(witness, "user 1")
    witness.post("/flush")
    (flush,) = notes(witness, "on_flush")
    assert flush["rows"] == [["user {N}", 1, "made", {"seen": 1}, ["user 1"]]]


def test_hook_on_flush(witness):
    send(witness, "user 1")
    witness.post("/flush")
    (flush,) = notes(witness, "on_flush")
    assert flush["tries"] == 3
    assert witness.get("/stats")["sinks"]["witness"]["state"] == "stored"


def test_hook_lifespan(witness):
    assert [note["at"] for note in notes(witness, "lifespan")] == ["start"]
    assert witness.get("/hello") == {"data_dir": str(witness.data_dir)}
    assert wait_for(witness, "normalize")[0]["messages"] == ["from the inside 1"]
    assert "a made-up worry" in json.dumps(witness.get("/health"))
    assert witness.get("/stats")["plugins"]["witness"]["figures"] == {"refusals": 0}
    assert witness.terminate() == 0
    assert [note["at"] for note in notes(witness, "lifespan")] == ["start", "stop"]


@pytest.mark.parametrize("name", hookspecs.HOOKS)
def test_every_hook_has_its_test_and_its_signature_on_the_page(name):
    assert f"test_hook_{name}" in globals()
    section = PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    for parameter in inspect.signature(vars(hookspecs.Hookspecs)[name]).parameters.values():
        if parameter.name != "self":
            assert f"{parameter.name}: {parameter.annotation}" in section


@pytest.mark.parametrize("name", hookspecs.HOOKS)
def test_every_signature_of_the_page_loads(name):
    """What is printed is what is written: copied letter by letter, the registry takes it."""
    section = PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    body = code.replace(": ...", ":\n    yield" if name == "lifespan" else ":\n    return None")
    source = "from __future__ import annotations\nfrom contextlib import asynccontextmanager\n"
    source += "from log_aggregator import hookimpl\nclass Copied:\n" + textwrap.indent(body, "    ")
    namespace = {}
    exec(source, namespace)
    loaded = Registry(parse_plugins("[plugins.copied]"), {}, {"copied": namespace["Copied"]()})
    assert set(loaded.plugins[0].hooks) == {name}


def test_the_contract_of_a_stage_is_small():
    members = {name for one in (Batch, Group) for name in vars(one) if not name.startswith("_")}
    assert len(members) <= 14, sorted(members)
    assert len(log_aggregator.__all__) <= 14
    assert len(inspect.getsource(hookspecs.Hookspecs).splitlines()) <= 45, "the hooks fit one screen"


def test_the_hooks_are_all_that_the_contract_has():
    assert {name for name in vars(hookspecs.Hookspecs) if not name.startswith("_")} == set(hookspecs.HOOKS)


def test_the_page_is_what_the_contract_says():
    location = importlib.util.spec_from_file_location("hooks_page", ROOT / "tools/hooks_page.py")
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    assert module.page() == PAGE, "the contract has changed: run `python tools/hooks_page.py`"


@pytest.mark.parametrize("stand_in", [PluginContext, _Handle, Host])
def test_plugins_meet_the_same_service_everywhere(stand_in):
    wanted = {name for name in vars(hookspecs.Service) if not name.startswith("_")}
    assigned = set(re.findall(r"self\.([a-z]\w*)(?: = |: )", inspect.getsource(stand_in.__init__)))
    assert wanted <= {*dir(stand_in), *assigned}
    for name in wanted:
        promised, kept = getattr(hookspecs.Service, name), getattr(stand_in, name, None)
        if callable(promised):
            assert inspect.iscoroutinefunction(promised) == inspect.iscoroutinefunction(kept), name
            given = inspect.signature(promised).parameters.values()
            by_name = {one.name: None for one in given if one.kind is one.KEYWORD_ONLY}
            inspect.signature(kept).bind(*[None] * (len(given) - len(by_name)), **by_name)
