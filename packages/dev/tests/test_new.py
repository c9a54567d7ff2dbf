"""`log-aggregator new` refuses names that could not work, before it writes anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator.cli.main import main


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a b", "expected lower-case letters and digits"),
        ("X_y", "expected lower-case letters and digits"),
        ("true", "a word of the language Python; choose another"),
        ("none", "a word of the language Python; choose another"),
        ("log-aggregator-shop", "expected the name alone, such as shop"),
        ("patterns", "an installed plugin has this name; choose another"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "stage", name]) == 1
    assert capsys.readouterr().err == f"log-aggregator: NAME {name!r}: {said}" + (
        ", words joined by '-', such as nginx or my-shop\n" if "letters" in said else "\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_good_name_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "stage", "my-shop"]) == 0
    assert (tmp_path / "log-aggregator-my-shop/src/log_aggregator_my_shop/__init__.py").exists()
    assert main(["new", "stage", "my-shop"]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["serve", "send", "new"])
def test_a_command_that_exists_is_not_written_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "command", name]) == 1
    told = f"log-aggregator: NAME '{name}': `log-aggregator {name}` exists already; choose another\n"
    assert capsys.readouterr().err == told
    assert not list(tmp_path.iterdir())
