"""Who wrote a file: the program that it is named after, or the container whose runtime wrote it."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

DOCKER = "/var/lib/docker/containers/*/*-json.log"
KUBERNETES = "/var/log/containers/*.log"

_KUBERNETES = re.compile(r"(?P<pod>[^_/]+)_(?P<namespace>[^_/]+)_(?P<container>.+)-[0-9a-f]{64}\.log")
_DOCKER = re.compile(r"(?P<id>[0-9a-f]{64})-json\.log")

SHARED = frozenset({"syslog", "messages", "user", "daemon", "kern", "auth", "secure", "debug", "all"})
"""Files of several programs: the lines name them."""


class Origin(NamedTuple):
    """The source of a file's logs, empty when the lines have to say it, and what more its name tells."""

    source: str
    metadata: dict[str, str]


@lru_cache(maxsize=4096)
def origin_of(path: str) -> Origin:
    """What a path tells of the logs in it."""
    name = Path(path).name
    pod = _KUBERNETES.fullmatch(name)
    if pod is not None:
        return Origin(pod["container"], {"pod": pod["pod"], "namespace": pod["namespace"]})
    container = _DOCKER.fullmatch(name)
    if container is not None:
        return Origin(_container_name(Path(path)) or container["id"][:12], {"container_id": container["id"][:12]})
    stem = name.split(".", 1)[0]
    return Origin("" if stem in SHARED else stem, {})


def _container_name(path: Path) -> str:
    """The name that a person gave the container, as Docker keeps it beside the log; empty when it cannot be read."""
    try:
        document = json.loads(path.with_name("config.v2.json").read_bytes())
        return str(document.get("Name", "")).lstrip("/")
    except (OSError, ValueError, AttributeError):
        return ""
