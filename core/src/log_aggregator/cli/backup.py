"""Copy the data directory of a service, which may be running: its journal, its embedded store and what plugins keep.

The copy is of one moment: a service that starts from it counts every log once that was acknowledged until then. A store
on a server, such as PostgreSQL, is not in it: copy that with its own tools.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from log_aggregator.cli.databases import Database, beside_databases, databases
from log_aggregator.cli.snapshots import one_moment
from log_aggregator.config.settings import Settings, load_settings
from log_aggregator.errors import ConfigError
from log_aggregator.storekit.wal import frames_lost

MANIFEST = "backup.json"
ELSEWHERE = "elsewhere"
"""The folder of a copy with the files that plugins keep outside of the data directory."""

EXAMPLES = """examples:
  log-aggregator backup /mnt/backups/monday
  DATA_DIR=/var/lib/log-aggregator log-aggregator backup "/mnt/backups/$(date +%F)"
  log-aggregator restore /mnt/backups/monday       # into the DATA_DIR of a service that is stopped
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("directory", type=Path, help="where the copy is made; it must not exist")


def run(args: argparse.Namespace) -> int:
    """Make the copy; errors are raised as `ConfigError`."""
    settings = load_settings(os.environ)
    target: Path = args.directory
    if target.exists():
        raise ConfigError(f"{target}: exists; name a directory that does not, such as {target}-2")
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(mode=0o700, parents=True)
        files = copy_into(settings, part)
        part.rename(target)
        sync_directory(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{target}: the copy could not be made: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size = sum((target / name).stat().st_size for name in files)
    print(f"{target}: {len(files)} files, {size / 1e6:.1f} MB")  # noqa: T201  the answer of the command
    if os.environ.get("POSTGRES_HOST"):
        print("The PostgreSQL store is not in it: copy that with pg_dump.")  # noqa: T201  likewise
    return 0


def copy_into(settings: Settings, target: Path) -> dict[str, Any]:
    """Copy everything into an empty directory; returns what its manifest says of each file."""
    found = databases(settings)
    files: dict[str, Any] = {}
    for one in found:
        if frames_lost(one.path):
            raise ConfigError(
                f"{one.path}: its write-ahead log is damaged: start the service, which mends it, then copy"
            )
    with one_moment(found) as connections:
        for one, connection in zip(found, connections, strict=True):
            name = _name(one, settings.data_dir)
            _copy_database(connection, target / name)
            files[name] = {"plugin": one.plugin} if one.plugin else {}
    for path in beside_databases(settings):
        name = str(path.relative_to(settings.data_dir))
        (target / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
        files[name] = {}
    for name, facts in files.items():
        (target / name).chmod(0o600)
        _sync(target / name)
        facts["sha256"] = digest(target / name)
    manifest = target / MANIFEST
    document = {"format": 1, "made": datetime.now(UTC).isoformat(timespec="seconds"), "files": files}
    manifest.write_text(json.dumps(document, indent=2) + "\n")
    manifest.chmod(0o600)
    _sync(manifest)
    for directory in {target, *(path.parent for path in (target / name for name in files))}:
        sync_directory(directory)
    return files


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _name(one: Database, data_dir: Path) -> str:
    return f"{ELSEWHERE}/{one.plugin}/{one.path.name}" if one.plugin else str(one.path.relative_to(data_dir))


def _copy_database(source: sqlite3.Connection, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.backup(copy, pages=4096)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
