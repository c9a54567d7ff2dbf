"""What `backup` and `restore` refuse, and what they say; `tests/e2e/test_backup.py` runs them beside a service."""

from __future__ import annotations

import resource
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from log_aggregator.cli.main import main
from log_aggregator.journal import Entry, encode
from log_aggregator.journal.database import open_journal
from log_aggregator.journal.intake import Intake
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


def test_a_refused_backup_leaves_nothing(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = data / "journal.sqlite3"
    left = tmp_path / "left"
    left.mkdir()
    with closing(sqlite3.connect(journal, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for table in ("a", "b", "c"):
            connection.execute(f"CREATE TABLE {table} (b)")
        for suffix in ("", "-wal"):
            shutil.copy(f"{journal}{suffix}", left)
    for path in left.iterdir():
        path.replace(data / path.name)
    log = data / "journal.sqlite3-wal"
    content = bytearray(log.read_bytes())
    content[60] ^= 1
    log.write_bytes(content)
    assert main(["backup", str(tmp_path / "copy")]) != 0
    assert "write-ahead log is damaged" in capsys.readouterr().err
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize(("sequence", "is_copied"), [(4, False), (5, True), (6, True), (7, False)])
def test_a_store_is_copied_only_where_the_journal_goes_on_without_doubt(
    data: Path, tmp_path: Path, sequence: int, is_copied: bool,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The sink confirmed flush 5, and flush 6 is delivered now: the store may have it."""
    monkeypatch.setattr("log_aggregator.cli.snapshots._TRIES", 2)
    with closing(sqlite3.connect(data / "journal.sqlite3")) as journal, journal:
        (instance,) = journal.execute("SELECT instance FROM meta").fetchone()
        journal.execute("INSERT INTO lanes VALUES ('sqlite', 5, 1, 5, 0)")
        for waiting in (6, 7):
            journal.execute("INSERT INTO outbox VALUES (?, 1, 1, 1, 1, 1, x'00', NULL)", (waiting,))
    with closing(sqlite3.connect(data / "logs.sqlite3")) as store, store:
        store.execute("CREATE TABLE flush_progress (instance, epoch, sequence)")
        store.execute("INSERT INTO flush_progress VALUES (?, 1, ?)", (instance, sequence))
    assert (main(["backup", str(tmp_path / "copy")]) == 0) is is_copied
    assert ("logs.sqlite3: holds flushes that the journal does not know" in capsys.readouterr().err) is not is_copied
    assert (tmp_path / "copy").exists() is is_copied


def test_a_restore_that_a_full_disk_stops_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, new = tmp_path / "copy", tmp_path / "new"
    assert main(["backup", str(copy)]) == 0
    monkeypatch.setenv("DATA_DIR", str(new))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        assert main(["restore", str(copy)]) != 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert main(["restore", str(copy)]) == 0
    assert main(["verify"]) == 0


def test_a_log_that_another_file_left_is_not_played_into_the_copy(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "elsewhere.sqlite3"
    (tmp_path / "plugins.toml").write_text(f"[plugins.sqlite]\npath = '{store}'\n")
    monkeypatch.setenv("PLUGINS_FILE", str(tmp_path / "plugins.toml"))
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE a (b)")
    assert main(["backup", str(tmp_path / "copy")]) == 0
    store.rename(tmp_path / "away")
    log = tmp_path / "elsewhere.sqlite3-wal"
    log.touch()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))
    assert main(["restore", str(tmp_path / "copy")]) != 0
    assert f"{log}: exists; move it away" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    log.unlink()
    assert main(["restore", str(tmp_path / "copy")]) == 0
    assert store.is_file()


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


def test_a_damaged_count_is_found_and_the_next_start_takes_its_row_out(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(data / "journal.sqlite3")) as journal, journal:
        journal.execute("INSERT INTO outbox VALUES (1, 1, 1, 1, 'x', 1, x'00', NULL)")
    assert main(["verify"]) == 1
    assert "1 logs are not what was written" in capsys.readouterr().out
    journal_again = open_journal(data)
    journal_again.connection.close()
    journal_again.lock.close()
    assert "lost: 1 logs" in journal_again.damage
    assert main(["verify"]) == 0
