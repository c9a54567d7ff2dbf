"""Put a copy that `log-aggregator backup` made into DATA_DIR, on this or another machine. Stop the service first.

Do not run a service on the old data directory again: both would count what clients send from now on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from log_aggregator.cli.backup import ELSEWHERE, MANIFEST, digest, sync_directory
from log_aggregator.cli.databases import placed
from log_aggregator.config.private import make_private
from log_aggregator.config.settings import Settings, load_settings
from log_aggregator.errors import ConfigError

EXAMPLES = """examples:
  DATA_DIR=/var/lib/log-aggregator log-aggregator restore /mnt/backups/monday
  log-aggregator restore --check /mnt/backups/monday      # is the copy whole? changes nothing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("directory", type=Path, help="the copy")
    parser.add_argument("--check", action="store_true", help="compare the copy with its checksums and change nothing")


def run(args: argparse.Namespace) -> int:
    """Check the copy, then put it in place; errors are raised as `ConfigError`."""
    copy: Path = args.directory
    files = read_manifest(copy)
    if args.check:
        print(f"{copy}: whole: {len(files)} files")  # noqa: T201  the answer of the command
        return 0
    settings = load_settings(os.environ)
    targets = {copy / name: target for name, target in _targets(files, settings)}
    directory = settings.data_dir
    if directory.exists() and any(directory.iterdir()):
        raise ConfigError(f"DATA_DIR {directory}: is not empty; move it away, or set another DATA_DIR")
    for target in targets.values():
        # SQLite would play the log of another file into the copy.
        for there in (target, target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-journal")):
            if there.exists():
                raise ConfigError(f"{there}: exists; move it away")
    written: list[Path] = []
    try:
        make_private(directory)
        for source, target in targets.items():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            written.append(target)
            shutil.copyfile(source, target)
            target.chmod(0o600)
            with target.open("rb") as file:
                os.fsync(file.fileno())
        for parent in {directory, *(target.parent for target in written)}:
            sync_directory(parent)
    except OSError as error:
        for target in written:  # half of a copy must not be taken for all of it
            target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it holds others
                target.parent.rmdir()
        raise ConfigError(f"DATA_DIR {directory}: {error}") from error
    print(f"{directory}: {len(targets)} files of {copy}; start the service")  # noqa: T201  the answer of the command
    return 0


def read_manifest(copy: Path) -> dict[str, dict[str, Any]]:
    """The files of a copy, compared with their checksums. Raises `ConfigError` when one is not as it was."""
    try:
        document = json.loads((copy / MANIFEST).read_bytes())
        files: dict[str, dict[str, Any]] = document["files"]
        version = document["format"]
    except FileNotFoundError:
        raise ConfigError(
            f"{copy}: holds no {MANIFEST}: no copy of `log-aggregator backup`, or not all of it"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{copy / MANIFEST}: cannot be read: {error}") from None
    if version != 1:
        raise ConfigError(f"{copy}: was made by a newer release (format {version}, this one reads 1)")
    for name, facts in files.items():
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise ConfigError(f"{copy / MANIFEST}: {name!r}: expected a file of the copy")
        try:
            found = digest(copy / name)
        except OSError as error:
            raise ConfigError(f"{copy / name}: {error.strerror}; the copy is not whole") from None
        if found != facts.get("sha256"):
            raise ConfigError(f"{copy / name}: is not what was copied: its checksum differs; use another copy")
    return files


def _targets(files: dict[str, dict[str, Any]], settings: Settings) -> list[tuple[str, Path]]:
    elsewhere = {one.plugin: one.path for one in placed(settings)}
    found = []
    for name, facts in files.items():
        plugin = facts.get("plugin")
        if plugin is None:
            found.append((name, settings.data_dir / name))
        elif plugin in elsewhere:
            found.append((name, elsewhere[plugin]))
        else:
            raise ConfigError(
                f"{ELSEWHERE}: the file of [plugins.{plugin}] lay outside of the data directory; "
                f"expected its option path in plugins.toml"
            )
    return found
