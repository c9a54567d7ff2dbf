"""Without a plugins.toml: which plugins run, and that the written file is the same pipeline."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from log_aggregator.config.default_pipeline import DEFAULT_PLUGINS, STAGES, default_entries, default_text
from log_aggregator.config.pipeline import parse_plugins, read_plugins_file
from log_aggregator.config.settings import load_settings
from log_aggregator.errors import ConfigError
from log_aggregator.plugins.configured import load_registry, read_pipeline

ROOT = Path(__file__).parents[3]
ALL = [plugin.name for plugin in DEFAULT_PLUGINS]


@pytest.mark.parametrize("installed", [ALL, ["patterns", "sqlite", "mcp"], []])
def test_the_written_file_is_the_built_in_pipeline(installed: list[str]) -> None:
    written = parse_plugins(default_text(installed))
    wanted = default_entries(installed)
    assert [entry.model_copy(update={"where": ""}) for entry in written] == [
        entry.model_copy(update={"where": ""}) for entry in wanted
    ]


def test_what_is_not_installed_is_a_comment_that_says_how_to_get_it() -> None:
    assert "# [plugins.dashboard]" in default_text([])
    assert "pip install log-aggregator-dashboard" in default_text([])


def test_either_store_runs_and_analytics_only_when_its_url_is_set() -> None:
    def on(**environ: str) -> set[str]:
        return {entry.name for entry in default_entries(ALL) if entry.why_off(environ) is None}

    assert {"sqlite"} == on() & {"sqlite", "postgres", "analytics"}
    assert {"postgres"} == on(POSTGRES_HOST="db") & {"sqlite", "postgres", "analytics"}
    assert {"sqlite", "analytics"} == on(ANALYTICS_NODE_URL="http://a") & {"sqlite", "postgres", "analytics"}


def test_the_file_of_the_project_is_the_built_in_pipeline_as_far_as_the_plugins_are_here() -> None:
    here = [name for name in ALL if (ROOT / "plugins" / name).is_dir()]
    assert (ROOT / "plugins.toml").read_text() == _without_comments(default_text(here))


def _without_comments(text: str) -> str:
    return "\n\n".join(part for part in text.strip().split("\n\n") if not part.startswith("# [")) + "\n"


def test_a_named_file_must_exist_and_an_unnamed_one_need_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_pipeline(load_settings({})).name == "the built-in pipeline"
    with pytest.raises(ConfigError, match=r"none\.toml: no such file"):
        read_pipeline(load_settings({}), Path("none.toml"))
    with pytest.raises(ConfigError, match=r"no such file"):
        read_pipeline(load_settings({"PLUGINS_FILE": "plugins.toml"}))
    (tmp_path / "plugins.toml").write_text("[plugins.patterns]\n")
    pipeline = read_pipeline(load_settings({}))
    assert [entry.name for entry in pipeline.entries] == ["patterns"]
    assert pipeline.left_out["sqlite"] == "not named in plugins.toml; add [plugins.sqlite]"


def test_the_text_is_toml_in_the_order_of_the_list() -> None:
    assert list(tomllib.loads(default_text(ALL))["plugins"]) == ALL
    assert len(read_plugins_file(ROOT / "plugins.toml")) >= len(ALL) - 1


def test_a_command_that_stores_nothing_loads_the_stages_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("log_aggregator_templates", reason="needs the plugins of log-aggregator-service")
    monkeypatch.chdir(tmp_path)
    whole = load_registry(load_settings({}), {})
    changing = {plugin.name for hook in ("on_ingest", "normalize") for plugin in whole.with_hook(hook)}
    assert changing == STAGES
    assert {plugin.name for plugin in load_registry(load_settings({}), {}, is_stored=False).plugins} == STAGES
    (tmp_path / "plugins.toml").write_text("[plugins.patterns]\n[plugins.sqlite]\n")
    assert len(load_registry(load_settings({}), {}, is_stored=False).plugins) == 2
