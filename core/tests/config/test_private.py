"""The data directory is the service's own: 0700, with files of 0600."""

from __future__ import annotations

import stat
from pathlib import Path

from log_aggregator.config.private import make_private
from tests.support.service import StartService


def modes(directory: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in directory.rglob("*") if path.is_file()}


def test_all_that_a_service_writes_is_private(start_service: StartService) -> None:
    service = start_service()
    assert service.post("/ingest", {"message": "User 1 logged in"})[0] == 202
    service.post("/flush")
    assert len(list(service.data_dir.iterdir())) >= 4
    assert modes(service.data_dir) == {"0o600"}
    assert stat.S_IMODE(service.data_dir.stat().st_mode) == 0o700


def test_an_earlier_directory_becomes_private_and_one_of_somebody_else_does_not(tmp_path: Path) -> None:
    for name, files in (("data", ["journal.sqlite3", "logs.sqlite3"]), ("home", ["letters"]), ("empty", [])):
        directory = tmp_path / name
        directory.mkdir(mode=0o755)
        directory.chmod(0o755)
        for file in files:
            (directory / file).touch()
            (directory / file).chmod(0o644)
        make_private(directory)
    make_private(tmp_path / "new" / "deep")
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert found == {
        "data": 0o700, "journal.sqlite3": 0o600, "logs.sqlite3": 0o600, "home": 0o755, "letters": 0o644,
        "empty": 0o700, "new": 0o700, "deep": 0o700,
    }  # fmt: skip
