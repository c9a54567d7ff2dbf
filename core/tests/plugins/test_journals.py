"""`[journal]` of plugins.toml: which journal a service runs on, and what is said when it cannot."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from core.tests.made import PlainRegistry, Store, make_plugin
from log_aggregator import ConfigError, Record
from log_aggregator.cli import check
from log_aggregator.config.journal import EMBEDDED, journal_in
from log_aggregator.config.pipeline import parse_plugins, read_journal
from log_aggregator.config.settings import Settings
from log_aggregator.journal import SqlitePlugin, sqlite_journal
from log_aggregator.journals import Entry, encode_records
from log_aggregator.plugins.journals import load_journal
from log_aggregator.service.service import Service
from packages.dev.tests.memory_journal import KEPT, MemoryPlugin

MODULE = "packages.dev.tests.memory_journal"
MEMORY = '[journal]\nkind = "memory"\nname = "{name}"\n'
_numbers = itertools.count()

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution with one journal: its kind, and what the entry point names."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def make(kind: str, value: str) -> None:
        info = tmp_path / f"site/made_{next(_numbers)}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.name.partition('-')[0]}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[log_aggregator.journals]\n{kind} = {value}\n")

    return make


@pytest.fixture
def memory(install: Install) -> None:
    install("memory", f"{MODULE}:MemoryPlugin")


def late(count: int) -> Entry:
    """What a crash left: an entry of so many records."""
    return Entry(encode_records([Record("late", "INFO", "app", 1, {})] * count), count)


def service(directory: Path, store: Store, text: str) -> Service:
    file = directory / "plugins.toml"
    file.write_text(text)
    registry = PlainRegistry(make_plugin(store, "store"))
    return Service(Settings(data_dir=directory / "data", plugins_file=file), registry)  # type: ignore[arg-type]


def test_without_a_table_the_journal_is_the_embedded_one(tmp_path: Path) -> None:
    for text in ("", "[journal]\n", '[journal]\nkind = "sqlite"\n'):
        (tmp_path / "plugins.toml").write_text(text)
        entry = read_journal(tmp_path / "plugins.toml")
        assert entry.kind == EMBEDDED
        assert isinstance(load_journal(entry, {}).plugin, SqlitePlugin)
    assert read_journal(tmp_path / "none.toml").kind == EMBEDDED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("journal = 3", "plugins.toml [journal]: expected a table, found int; write [journal]"),
        ("[journal]\nkind = 3", 'plugins.toml [journal] kind: expected a text, such as "sqlite"'),
        ("[jornal]", "plugins.toml jornal: unknown table; expected [plugins.<name>], [journal], "),
    ],
)
def test_a_wrong_table_is_named_with_the_pipeline(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_plugins(text)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"path": "x"}, "plugins.toml [journal] path: unknown key; did you mean 'kind'?|expected one of: kind"),
        ({"kind": "memry"}, "kind: no installed package has a journal 'memry'; did you mean 'memory'?"),
        ({"kind": "raft"}, "kind: no installed package has a journal 'raft'; try: pip install log-aggregator-raft"),
        ({"kind": "memory"}, "plugins.toml [journal] name: "),
        ({"kind": "memory", "nam": "x"}, "plugins.toml [journal] nam: unknown key; did you mean 'name'?"),
        ({"kind": "memory", "name": {"env": "NOT_SET"}}, "name: the environment variable NOT_SET is not set"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_what_is_wrong_with_the_table_is_said(table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_journal(journal_in(table, "plugins.toml"), {})
    assert any(part in str(raised.value) for part in said.split("|"))


class Stumbles:
    """A journal whose options raise what pydantic passes on."""

    def open(self, place: object) -> None: ...

    def check(self) -> None: ...

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

        @model_validator(mode="after")
        def _stumble(self) -> Self:
            raise KeyError("hosts")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f"{__name__}:Stumbles", "options cannot be read: KeyError: 'hosts'"),
        ("no_such_module:Journal", "no_such_module"),
        (f"{MODULE}:KEPT", "must be a class with a pydantic model `Config`"),
        (f"{MODULE}:MemoryPlugin.Config", "must be a class with a pydantic model `Config`"),
        ("log_aggregator_patterns:Patterns", "has no open and no check; expected those of JournalPlugin"),
    ],
)
def test_what_is_no_journal_is_refused(install: Install, value: str, said: str) -> None:
    install("odd", value)
    with pytest.raises(ConfigError, match=r"^plugins\.toml \[journal\]: ") as raised:
        load_journal(journal_in({"kind": "odd"}, "plugins.toml"), {})
    assert said in str(raised.value)


@pytest.mark.usefixtures("memory")
async def test_a_service_runs_on_a_journal_of_another_make(
    tmp_path: Path, store: Store, record: Callable[..., Record]
) -> None:
    text = MEMORY.format(name=tmp_path)
    for _ in range(2):
        async with service(tmp_path, store, text) as running:
            await running.submit([record("a"), record("b")])
            await running.submit([record("c")], key="k", digest=b"1")
            assert (await running.submit([record("c")], key="k", digest=b"1")).duplicate
            assert (await running.health()).accepting
            assert running.node.stats()["journal"]["commits"] > 0
            await running.flush(20)
        assert MemoryPlugin.opened[-1].data_dir == tmp_path / "data"
    assert store.total == 5
    assert not (tmp_path / "data/journal.sqlite3").exists()
    assert not KEPT[str(tmp_path)].rows


@pytest.mark.usefixtures("memory")
async def test_what_a_crash_left_in_such_a_journal_is_replayed(tmp_path: Path, store: Store) -> None:
    text = MEMORY.format(name=tmp_path)
    async with service(tmp_path, store, text) as running:
        left = running.journal
        await running.flush(20)
    await left.append([late(3)])
    async with service(tmp_path, store, text):
        pass
    assert store.total == 3


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("name", "said"), [("wrong", "name: 'wrong': expected another"), ("broken", "cannot be opened: OSError")]
)
async def test_a_journal_that_cannot_be_opened_stops_the_start(
    tmp_path: Path, store: Store, name: str, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        async with service(tmp_path, store, MEMORY.format(name=name)):
            pass
    assert str(raised.value).startswith(f"plugins.toml [journal]: {said}")
    assert "a secret" not in str(raised.value)


@pytest.mark.usefixtures("memory")
async def test_logs_in_the_embedded_journal_are_not_left_behind(tmp_path: Path, store: Store) -> None:
    async with sqlite_journal(tmp_path / "data", 10) as journal:
        await journal.append([late(1)])
    with pytest.raises(ConfigError, match="1 rows and flushes wait in the embedded journal"):
        async with service(tmp_path, store, MEMORY.format(name=tmp_path)):
            pass
    async with service(tmp_path, store, ""):
        pass
    async with service(tmp_path, store, MEMORY.format(name=tmp_path)):
        with pytest.raises(ConfigError, match="in use by another service"):
            async with service(tmp_path, store, MEMORY.format(name="second")):
                pass


@pytest.mark.usefixtures("memory")
def test_check_shows_the_journal_and_asks_it(tmp_path: Path) -> None:
    file = tmp_path / "plugins.toml"
    file.write_text(MEMORY.format(name="shown"))
    name, found = check._journal(file)
    assert re.fullmatch(r"journal: memory  \(made_\d+ 1\.2\)", name)
    assert found == "  keeps nothing: shown"
    file.write_text(MEMORY.format(name="wrong"))
    with pytest.raises(ConfigError, match=r"^plugins\.toml \[journal\]: name: 'wrong': expected another$"):
        check._journal(file)
    assert check._journal(None) == ["journal: sqlite"]
