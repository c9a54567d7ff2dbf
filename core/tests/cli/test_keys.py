"""`log-aggregator keys`: a new key opens the service, and only its hash is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from log_aggregator.cli.main import main
from log_aggregator.http.access.keys import KeyRing
from log_aggregator.http.access.ledger import FILE, Ledger, write


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
    assert capsys.readouterr().out.split() == ["shop", "ingest", "shop;", "never", "used"]


def test_a_key_with_limits_is_kept_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    path = tmp_path / "keys.toml"
    limits = ["--expires", "30d", "--rate", "2.5", "--quota", "1000"]
    assert main(["keys", "new", "a", "--scope", "write", *limits, "--file", str(path)]) == 0
    (key,) = KeyRing.read(path)
    assert key.expires is not None
    assert timedelta(days=29) < key.expires - datetime.now(UTC) < timedelta(days=31)
    assert (key.rate, key.quota, key.scopes) == (2.5, 1000, ["write"])
    assert main(["keys", "new", "b", "--expires", "2020-01-31", "--file", str(path)]) == 0
    ledger = Ledger(tmp_path / FILE, lambda: 1_800_000_000.0)
    ledger.used(key, "1.2.3.4")
    write(tmp_path / FILE, ledger.encoded())
    capsys.readouterr()
    assert main(["keys", "list", "--file", str(path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    for text in ("any source", "used 2027-01-15", "expires 20", "2.5 logs/s", "1000 logs/day"):
        assert text in first
    assert "expired 2020-01-31" in second


@pytest.mark.parametrize("limits", [["--rate", "0"], ["--quota", "-1"]])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], limits: list[str]) -> None:
    assert main(["keys", "new", "a", *limits, "--file", str(tmp_path / "keys.toml")]) == 1
    assert "expected a" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["keys", "new", "a", "--expires", "soon", "--file", str(tmp_path / "keys.toml")])
    assert "expected a date" in capsys.readouterr().err


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
