"""What `backup` and `restore` refuse, and what they say; `tests/e2e/test_backup.py` runs them beside a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator.cli.main import main
from log_aggregator.journal import Entry, Intake, open_journal
from log_aggregator.journal.intake import encode
from log_aggregator.model.record import Record


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a service that is stopped, with one log, set as `DATA_DIR`."""
    directory = tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(directory))
    journal = open_journal(directory)
    with journal.connection:
        Intake(10).append(journal.connection, [Entry(encode([Record("up", "INFO", "web", 1, {})]), 1)])
    journal.connection.close()
    journal.lock.close()
    (directory / "api-keys.json").write_text("{}")
    (directory / "logs.sqlite3-suspect").touch()
    return directory


def test_a_copy_is_private_whole_and_holds_what_plugins_keep(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copies" / "monday"
    assert main(["backup", str(copy)]) == 0
    assert {path.name for path in copy.iterdir()} == {"journal.sqlite3", "api-keys.json", "backup.json"}
    assert {path.stat().st_mode & 0o77 for path in [copy, *copy.iterdir()]} == {0}
    assert main(["restore", "--check", str(copy)]) == 0
    assert "whole: 2 files" in capsys.readouterr().out
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))
    assert main(["restore", str(copy)]) == 0
    assert main(["verify"]) == 0
    assert "good: 1 logs in 1 rows" in capsys.readouterr().out


def change_a_byte(copy: Path) -> None:
    with (copy / "journal.sqlite3").open("r+b") as file:
        file.seek(2000)
        file.write(b"?")


def remove_a_file(copy: Path) -> None:
    (copy / "journal.sqlite3").unlink()


def write_a_manifest(text: str) -> object:
    def write(copy: Path) -> None:
        (copy / "backup.json").write_text(text)

    return write


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda copy: None, "is not empty; move it away"),
        (change_a_byte, "its checksum differs"),
        (remove_a_file, "the copy is not whole"),
        (lambda copy: (copy / "backup.json").unlink(), "holds no backup.json"),
        (write_a_manifest("no JSON"), "cannot be read"),
        (write_a_manifest('{"format": 2, "files": {}}'), "was made by a newer release"),
        (write_a_manifest('{"format": 1, "files": {"../x": {}}}'), "expected a file of the copy"),
    ],
    ids=["data there", "changed byte", "missing file", "no manifest", "torn manifest", "newer", "outside"],
)  # fmt: skip
def test_what_cannot_be_restored_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: object, says: str
) -> None:
    copy = tmp_path / "copy"
    assert main(["backup", str(copy)]) == 0
    assert callable(spoil)
    spoil(copy)
    before = sorted(data.iterdir())
    assert main(["restore", str(copy)]) == 1
    assert says in capsys.readouterr().err
    assert sorted(data.iterdir()) == before


def test_what_cannot_be_copied_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["backup", str(data)]) == 1
    assert "exists; name a directory that does not" in capsys.readouterr().err
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "none"))
    for arguments in (["backup", str(tmp_path / "copy")], ["verify"]):
        assert main(arguments) == 1
        assert "holds no journal.sqlite3" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()


def test_a_damaged_row_is_found(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = open_journal(data)
    with journal.connection:
        journal.connection.execute("UPDATE intake SET payload = x'00', logs = 7")
    journal.connection.close()
    journal.lock.close()
    assert main(["verify"]) == 1
    assert "7 logs are not what was written" in capsys.readouterr().out


def test_a_flush_whose_count_is_damaged_too_is_found(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = open_journal(data)
    with journal.connection:
        journal.connection.execute(
            "INSERT INTO outbox (sequence, epoch, first_sequence, groups, logs, opened, payload, checksum) "
            "VALUES (1, 1, 1, 1, 'seven', 1, x'00', 0)"
        )
    journal.connection.close()
    journal.lock.close()
    assert main(["verify"]) == 1
    assert "1 logs are not what was written" in capsys.readouterr().out
