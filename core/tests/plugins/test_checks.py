"""Names that two packages claim, and hooks that are not marked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from log_aggregator import ConfigError, hookimpl
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.plugins import checks
from log_aggregator.plugins.registry import Registry


def install(site: Path, distribution: str) -> None:
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[log_aggregator.plugins]\ntwin = twin:Twin\n")


def test_two_packages_with_one_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "twin-one")
    install(tmp_path, "twin-two")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConfigError, match=r"plugins.twin\]: several packages .*: twin-one 1.0 and twin-two 1.0; exp"):
        Registry(parse_plugins("[plugins.twin]"), {})
    Registry(parse_plugins("[plugins.twin]\nenabled = false"), {})


class Careless:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config: Config) -> None:
        self.config = config

    def on_ingest(self, batch: object) -> None:
        raise AssertionError("never called")

    @hookimpl
    def normalize(self, batch: object) -> None:
        pass


def test_a_hook_that_is_not_marked_is_told() -> None:
    expected = (
        r"\[plugins.careless\]: Careless.on_ingest has the name of a hook and is never called; expected @hookimpl"
    )
    with pytest.raises(ConfigError, match=expected):
        Registry(parse_plugins("[plugins.careless]"), {}, {"careless": Careless})


def test_a_hook_of_another_plugin_that_is_not_marked_is_told() -> None:
    class Pack(Careless):
        on_ingest = None

        def pattern_rules(self) -> list[object]:
            return []

    text = "[plugins.patterns]\n[plugins.pack]"
    with pytest.raises(ConfigError, match=r"Pack\.pattern_rules has the name of a hook"):
        Registry(parse_plugins(text), {}, {"pack": Pack})


def test_a_plugin_of_the_api_before_is_warned_of_once_and_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checks, "API_VERSION", 2)
    monkeypatch.setattr(checks, "SERVED_VERSIONS", (1, 2))
    old, newest, later = (type("Mine", (), {"api": api}) for api in (">=1,<2", ">=1,<3", ">=3"))
    for _ in range(3):
        checks.check_class(old, "[plugins.old]", "mine:Mine")
    checks.check_class(newest, "[plugins.newest]", "mine:Mine")
    assert [record.plugin for record in caplog.records] == ["[plugins.old]"]  # type: ignore[attr-defined]  # an extra
    with pytest.raises(checks.MisfitError, match="written for plugin API >=3, this core has 2"):
        checks.check_class(later, "[plugins.later]", "mine:Mine")
