"""The commands of the package stand beside those of the core, with a line each."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from log_aggregator.cli import main as cli
from log_aggregator_service.commands import demo, patterns, send, top


def test_every_command_has_a_line_in_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for module in (demo, patterns, send, top):
        assert f"{module.__name__.rpartition('.')[2]:<10} {module.SUMMARY}" in lines


def test_a_package_that_cannot_be_imported_hides_no_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "no_such_package.command", cli.GROUP)
    monkeypatch.setattr(cli, "_foreign", lambda: {"broken": broken})
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert "broken     (no_such_package.command: cannot be imported: ModuleNotFoundError: No module named" in told
    assert "serve" in told
