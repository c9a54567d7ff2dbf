"""`log-aggregator keys`: a new key opens the service, and only its hash is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator.cli.main import main
from log_aggregator.http.access.keys import KeyRing


def test_a_new_key_is_shown_once_and_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.toml"
    assert main(["keys", "new", "shop", "--scope", "ingest", "--source", "shop", "--file", str(path)]) == 0
    token = capsys.readouterr().out.strip()
    assert token
    assert token not in path.read_text()
    key = KeyRing.read(path).find(token)
    assert key is not None
    assert KeyRing.read(path).find(token + "x") is None
    assert main(["keys", "list", "--file", str(path)]) == 0
    assert capsys.readouterr().out.split() == ["shop", "ingest", "shop"]


def test_an_empty_list_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "list", "--file", str(tmp_path / "none.toml")]) == 0
    assert "log-aggregator keys new NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["new", "x"], "API_KEYS_FILE"), (["new", "--file", "keys.toml"], "a name is missing")],
)
def test_what_is_missing_is_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("API_KEYS_FILE", raising=False)
    assert main(["keys", *arguments]) == 1
    assert said in capsys.readouterr().err
