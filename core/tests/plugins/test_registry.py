"""Loading plugins: real entry points of real (small) distributions, found, checked, ordered."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from log_aggregator import ConfigError, Record
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.registry import Registry
from log_aggregator.plugins.stages import Stages

PLUGIN = """
from contextlib import asynccontextmanager
from pydantic import BaseModel, ConfigDict
from log_aggregator import hookimpl
{head}
class Plugin:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        dsn: str = ""
    def __init__(self, config):
        self.config = config
{body}
"""

Install = Callable[..., None]
_numbers = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, body: str, head: str = "") -> None:
        module = f"made_{name}_{next(_numbers)}"
        (tmp_path / f"{module}.py").write_text(PLUGIN.format(head=head, body=body))
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[log_aggregator.plugins]\n{name} = {module}:Plugin\n")

    return make


TAGGER = """
    @hookimpl
    def enrich(self, batch):
        for record in batch:
            record.tags += ("{tag}",)
"""


def registry(*tables: str, **environ: str) -> Registry:
    return Registry(parse_plugins("\n".join(tables)), environ)


def test_hooks_run_in_the_order_of_the_file(install: Install, record: Callable[..., Record]) -> None:
    for tag in "abc":
        install(f"tag{tag}", TAGGER.format(tag=tag))
    for order in (["b", "c", "a"], ["a", "b", "c"], ["c", "a", "b"]):
        records = [record()]
        batch = WorkingBatch(records)
        Stages(registry(*(f"[plugins.tag{tag}]" for tag in order))).process(batch)
        batch.records()
        assert list(records[0].tags) == order


def test_normalize_of_all_comes_before_enrich_of_any(install: Install, record: Callable[..., Record]) -> None:
    install("late", TAGGER.format(tag="enriched"))
    install(
        "early",
        "    @hookimpl\n    def normalize(self, batch):\n        for r in batch: r.tags += ('normalized',)\n",
    )
    records = [record()]
    batch = WorkingBatch(records)
    Stages(registry("[plugins.late]", "[plugins.early]")).process(batch)
    batch.records()
    assert records[0].tags == ("normalized", "enriched")


def test_only_plugins_that_are_named_and_on_are_imported(install: Install) -> None:
    install("bomb", "", head="raise RuntimeError('imported')")
    loaded = registry('[plugins.bomb]\nwhen = "NEVER"')
    assert (loaded.plugins, loaded.off) == ([], {"bomb": "NEVER is not set"})
    assert registry().plugins == []


def test_version_and_distribution_are_known(install: Install) -> None:
    install("plain", "")
    (plugin,) = registry("[plugins.plain]").plugins
    assert plugin.version == "1.2"


def test_one_plugin_asks_others_through_a_hook_of_its_own(install: Install) -> None:
    head = """
import pluggy
spec = pluggy.HookspecMarker("log_aggregator")
class Specs:
    @spec
    def pattern_rules(self): ...
"""
    body = """
    hookspecs = Specs
    def assemble(self, hooks):
        self.heard = hooks.call("pattern_rules")
"""
    install("asker", body, head)
    install("teller", "    @hookimpl\n    def pattern_rules(self):\n        return ['rule']\n")
    loaded = registry("[plugins.teller]", "[plugins.asker]")
    assert loaded.plugins[1].instance.heard == [("teller", ["rule"])]


def test_the_page_shows_how_one_plugin_asks_others(install: Install) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/hooks.md").read_text(encoding="utf-8")
    code = page.split("\n## Hooks between plugins\n")[1].split("```python\n")[1].split("```")[0]
    install("greeter", "    hookspecs, assemble = Greeter.hookspecs, Greeter.assemble\n", code)
    install("english", "    @hookimpl\n    def greetings(self):\n        return ['hello']\n")
    assert registry("[plugins.greeter]", "[plugins.english]").plugins[0].instance.known == {"english": ["hello"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "    @hookimpl\n    def normalise(self, records): ...\n",
            "normalise: no such hook; did you mean 'normalize'?",
        ),
        (
            "    @hookimpl\n    def enrich(self, logs): ...\n",
            "enrich(self, logs): wrong parameters; expected enrich(self, batch",
        ),
        (
            "    @hookimpl\n    async def enrich(self, batch): ...\n",
            "enrich is of the wrong kind; expected plain `def`",
        ),
        ("    @hookimpl\n    def on_flush(self, flush): ...\n", "on_flush is of the wrong kind; expected `async def`"),
        ("    @hookimpl\n    async def lifespan(self, service): ...\n", "lifespan is of the wrong kind"),
        ("    api = '>=2,<3'\n", "written for plugin API >=2,<3, this core has 1; install a matching release"),
        ("    api = 1\n", "Plugin.api is 1; expected a range such as '>=1,<2'"),
        ("    instances = 'alone'\n", "Plugin.instances is 'alone'; expected one of: worker, node, cluster"),
        ("    def assemble(self, hooks): raise __import__('log_aggregator').ConfigError('no')\n", "[plugins.bad]: no"),
    ],
)
def test_a_wrong_plugin_stops_the_start_with_one_clear_line(install: Install, body: str, said: str) -> None:
    install("bad", body)
    with pytest.raises(ConfigError) as caught:
        registry("[plugins.bad]")
    assert said in str(caught.value)
    assert str(caught.value).startswith("plugins.toml [plugins.bad]")
    assert "\n" not in str(caught.value)


def test_a_plugin_for_another_api_that_is_not_required_is_left_out_with_a_clear_line(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("newer", "    api = '>=2'\n")
    install("plain", "")
    loaded = registry("[plugins.newer]\nrequired = false", "[plugins.plain]")
    reason = "written for plugin API >=2, this core has 1; install a matching release"
    assert ([plugin.name for plugin in loaded.plugins], loaded.off) == (["plain"], {"newer": reason})
    assert [(r.message, r.__dict__["plugin"], r.__dict__["reason"]) for r in caplog.records] == [
        ("plugin left out", "newer", reason)
    ]


def test_an_option_may_come_from_the_environment(install: Install) -> None:
    install("store", "")
    table = '[plugins.store]\ndsn = { env = "DSN" }'
    assert registry(table, DSN="secret").plugins[0].instance.config.dsn == "secret"
    with pytest.raises(
        ConfigError, match=r"^plugins\.toml \[plugins\.store\] dsn: the environment variable DSN is not"
    ):
        registry(table)
    assert registry(f'{table}\nwhen = "DSN"').off == {"store": "DSN is not set"}


def test_an_unknown_option_is_answered_with_the_nearest(install: Install) -> None:
    install("store", "")
    with pytest.raises(ConfigError) as caught:
        registry('[plugins.store]\ndns = "secret"')
    assert str(caught.value) == "plugins.toml [plugins.store] dns: unknown key; did you mean 'dsn'?"


NESTED = """
class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")
    regex: str
    category: str = ""
    @__import__("pydantic").field_validator("regex")
    @classmethod
    def check(cls, text):
        if text == "(":
            raise ValueError("not a regular expression")
        return text
"""


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('rules = [{ regex = "a", categori = "b" }]', "rules.#1.categori: unknown key; did you mean 'category'?"),
        ('rules = [{ regex = "a", zzz = 1 }]', "rules.#1.zzz: unknown key; expected one of: category, regex"),
        ('named.one = { rege = "a", regex = "a" }', "named.one.rege: unknown key; did you mean 'regex'?"),
        ('rules = [{ regex = "(" }]', "rules.#1.regex: not a regular expression"),
        ("requird = true", "requird: unknown key; did you mean 'required'?"),
    ],
)
def test_a_wrong_option_inside_of_another_is_answered_with_what_is_known_there(
    install: Install, table: str, said: str
) -> None:
    body = """
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        rules: list[Rule] = []
        named: dict[str, Rule] | None = None
"""
    install("nested", body, NESTED)
    with pytest.raises(ConfigError) as caught:
        registry(f"[plugins.nested]\n{table}")
    assert str(caught.value) == f"plugins.toml [plugins.nested] {said}"


def test_options_whose_reading_fails_are_one_line(install: Install) -> None:
    body = """
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        port: int = __import__("pydantic").Field(default_factory=lambda: int("abc"))
"""
    install("counting", body)
    with pytest.raises(ConfigError, match=r"^plugins.toml \[plugins.counting\]: options cannot be read: ValueError: "):
        registry("[plugins.counting]")


def test_a_plugin_that_is_not_installed_is_named(install: Install) -> None:
    install("postgres", "")
    with pytest.raises(ConfigError, match=r"\[plugins.postgers\].*did you mean 'postgres'"):
        registry("[plugins.postgers]")
    with pytest.raises(ConfigError, match=r"pip install log-aggregator-wholly-other"):
        registry("[plugins.wholly-other]")


def test_a_plugin_whose_import_fails_stops_the_start(install: Install) -> None:
    install("broken", "", head="import no_such_module_anywhere")
    with pytest.raises(ConfigError, match=r"cannot be imported: ModuleNotFoundError"):
        registry("[plugins.broken]")


def test_a_package_that_was_installed_as_editable_after_the_start_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, packages = tmp_path / "src", tmp_path / "site-packages"
    source.mkdir()
    (source / "made_editable.py").write_text(PLUGIN.format(head="", body=""))
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setattr("site.getsitepackages", lambda: [str(packages)])
    info = packages / "made_editable-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-editable\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[log_aggregator.plugins]\nlate = made_editable:Plugin\n")
    (packages / "__editable__.made_editable-1.0.pth").write_text(f"{source}\n")
    assert [plugin.version for plugin in registry("[plugins.late]").plugins] == ["1.0"]


def test_a_config_that_takes_anything_is_refused(install: Install) -> None:
    install("lax", "    class Config(BaseModel):\n        pass\n")
    with pytest.raises(ConfigError, match=r'extra="forbid"'):
        registry("[plugins.lax]")
