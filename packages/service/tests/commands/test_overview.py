"""The commands of the package stand beside those of the core, with a line each."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from log_aggregator.cli import ELSEWHERE
from log_aggregator.cli import main as cli
from log_aggregator_service.commands import config_tests, demo, patterns, send, top, trial

PLUGINS = Path(__file__).parents[4] / "plugins"


def test_every_command_has_a_line_in_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    named = {"demo": demo, "patterns": patterns, "send": send, "test": config_tests, "top": top, "try": trial}
    for name, module in named.items():
        assert f"{name:<10} {module.SUMMARY}" in lines


def test_a_command_of_another_distribution_is_told_where_it_is_not_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = cli._foreign()
    ours = {name for name, point in points.items() if point.dist and "log-aggregator-" in point.dist.name}
    assert set(ELSEWHERE) == {name for name in ours if not (PLUGINS / name).is_dir() or name == "patterns"}
    assert all(points[name].dist.name == distribution for name, distribution in ELSEWHERE.items())
    monkeypatch.setattr(cli, "_foreign", dict)
    assert cli.main(["try", "-"]) == 2
    assert "it comes with log-aggregator-service: pip install log-aggregator-service" in capsys.readouterr().err


def test_a_package_that_cannot_be_imported_hides_no_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "no_such_package.command", cli.GROUP)
    monkeypatch.setattr(cli, "_foreign", lambda: {"broken": broken})
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert "broken     (no_such_package.command: cannot be imported: ModuleNotFoundError: No module named" in told
    assert "serve" in told
