"""What may run in a process of its own, and what the pipeline sees of it. Faults under load: tests/faults/plugins."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from log_aggregator import ConfigError
from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.plugins.isolation.process import IsolatedStage
from log_aggregator.plugins.isolation.wire import IsolationError
from log_aggregator_dev import harness, make_record

PLUGINS = """
import os
import resource
import time
from pydantic import BaseModel, ConfigDict
from log_aggregator import hookimpl

class Base:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        tag: str = "seen"
    def __init__(self, config):
        self.tag = config.tag

class Tagger(Base):
    @hookimpl
    def enrich(self, batch):
        for record in batch:
            if record.message == "hang":
                time.sleep(3600)
            if record.message == "die":
                os._exit(7)
            record.tags += (self.tag,)
            if record.message == "look":
                limits = [resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)]
                record.metadata = {"environ": sorted(os.environ), "cwd": os.getcwd(), "limits": limits,
                                   "session": os.getsid(0) == os.getpid()}
            record.category = str(os.getpid())

class Door(Base):
    @hookimpl
    def on_ingest(self, batch): ...

class Unable(Base):
    def __init__(self, config):
        raise RuntimeError("no such model")
    @hookimpl
    def enrich(self, batch): ...

class Nothing(Base):
    pass
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "isolated_plugins.py").write_text(PLUGINS)
    info = tmp_path / "isolated_plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: isolated-plugins\nVersion: 1.0\n")
    names = ("Tagger", "Door", "Unable", "Nothing")
    points = "".join(f"{name.lower()} = isolated_plugins:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[log_aggregator.plugins]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))


@asynccontextmanager
async def stage(**entry: object) -> AsyncIterator[IsolatedStage]:
    options = {"name": "tagger", "where": "test", "isolated": True, **entry}
    isolated = IsolatedStage(PluginEntry.model_validate(options))
    async with isolated.lifespan(None):
        yield isolated


async def test_it_runs_elsewhere_and_its_changes_arrive(tmp_path: Path) -> None:
    pipeline = '[plugins.tagger]\nisolated = true\ntag = "mine"\n'
    async with harness(pipeline, data_dir=tmp_path / "data") as h:
        await h.post("one", "two")
        aggregates = await h.aggregates()
        assert {aggregate.pattern for aggregate in aggregates} == {"one", "two"}
        assert all(aggregate.tags == {"mine": 1} for aggregate in aggregates)
        assert all(aggregate.category not in ("", str(os.getpid())) for aggregate in aggregates)
        assert h.service.runtime.stages.circuits["tagger"].stats()["calls"]


async def test_a_batch_over_which_it_hangs_or_dies_goes_on_unchanged_and_the_next_one_is_served() -> None:
    async with stage(isolated_deadline=2.0) as isolated:
        for bad, said in (("hang", "no answer within 2 s"), ("die", "status 7")):
            records = [make_record("good"), make_record(bad)]
            with pytest.raises(IsolationError, match=said):
                await isolated.enrich(records)
            assert [record.tags for record in records] == [(), ()]
            records = [make_record("good")]
            await isolated.enrich(records)
            assert records[0].tags == ("seen",)


async def test_the_process_gets_no_environment_no_data_directory_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "correct-horse")
    async with stage() as isolated:
        records = [make_record("look")]
        await isolated.enrich(records)
    seen = records[0].metadata
    assert set(seen.pop("environ")) <= {"LC_CTYPE"}  # Python sets it by itself
    assert seen == {"cwd": "/", "limits": [256, 0], "session": True}


async def test_the_process_ends_with_the_service() -> None:
    async with stage() as isolated:
        records = [make_record("good")]
        await isolated.enrich(records)
        process = int(records[0].category)
        os.kill(process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("door", "only normalize and enrich run in a process of their own; this plugin has on_ingest"),
        ("nothing", "this plugin has neither: remove isolated"),
        ("unable", r"RuntimeError at isolated_plugins.py:\d+: no such model"),
    ],
)
async def test_what_cannot_be_isolated_stops_the_start(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        async with harness(f"[plugins.{name}]\nisolated = true\n", data_dir=tmp_path / "data"):
            pass
    assert str(caught.value).startswith(f"plugins.toml [plugins.{name}]")
    assert "\n" not in str(caught.value)


async def test_its_options_are_checked_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tagg: unknown key; did you mean 'tag'"):
        async with harness('[plugins.tagger]\nisolated = true\ntagg = "x"\n', data_dir=tmp_path / "data"):
            pass
