#!/usr/bin/env python3
"""Pin what a build fetches by name: the base image of the Dockerfile by digest, the actions of the workflows by commit.

    tools/pin.py            # ask the registries, and write
    tools/pin.py --check    # ask nobody; exit code 1 names what is not pinned

Run it where registry-1.docker.io and api.github.com can be reached. Nothing is written when one of them does not
answer: a digest is never made up. What was pinned is asked for again, so that running it once more updates it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 20.0
"""Seconds that a registry has to answer."""

FROM = re.compile(r"^(FROM (?:--platform=\S+ )?)([a-z0-9./_-]+:[\w.-]+)(@sha256:[0-9a-f]{64})?", re.MULTILINE)
USES = re.compile(r"(uses: )([\w.-]+/[\w.-]+)(/[\w./-]+)?@([0-9a-f]{40}|[\w./-]+)(?: # ([\w./-]+))?")
_KINDS = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"

Ask = Callable[[str, dict[str, str]], tuple[dict[str, str], bytes]]
"""Asks an address with headers: the headers of the answer, names in lower case, and its body."""


def ask(url: str, headers: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """Ask a registry. Raises `OSError`."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  the addresses below are https
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def digest_of(image: str, ask: Ask) -> str:
    """`sha256:…` of an image of Docker Hub, for all platforms. Raises `OSError` or `ValueError`."""
    name, tag = image.split(":")
    path = name if "/" in name else f"library/{name}"
    scope = f"https://auth.docker.io/token?service=registry.docker.io&scope=repository:{path}:pull"
    token = json.loads(ask(scope, {})[1])["token"]
    url = f"https://registry-1.docker.io/v2/{path}/manifests/{tag}"
    digest = ask(url, {"Authorization": f"Bearer {token}", "Accept": _KINDS})[0].get("docker-content-digest", "")
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(f"{image}: the registry named no digest")
    return digest


def commit_of(action: str, version: str, ask: Ask) -> str:
    """The commit of a tag of an action on GitHub. Raises `OSError` or `ValueError`."""
    url = f"https://api.github.com/repos/{action}/commits/{version}"
    commit = ask(url, {"Accept": "application/vnd.github.sha"})[1].decode().strip()
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ValueError(f"{action}@{version}: GitHub named no commit")
    return commit


def pinned_images(text: str, ask: Ask) -> str:
    """A Dockerfile with each base image by digest."""
    return FROM.sub(lambda found: f"{found[1]}{found[2]}@{digest_of(found[2], ask)}", text)


def pinned_actions(text: str, ask: Ask) -> str:
    """A workflow with each action by commit, its version behind it."""

    def pinned(found: re.Match[str]) -> str:
        version = found[5] or found[4]
        return f"{found[1]}{found[2]}{found[3] or ''}@{commit_of(found[2], version, ask)} # {version}"

    return USES.sub(pinned, text)


def unpinned(path: Path) -> Iterator[str]:
    """What of a file is not pinned, as `file: name`."""
    text, place = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
    yield from (f"{place}: {found[2]}" for found in FROM.finditer(text) if not found[3])
    yield from (f"{place}: {found[2]}@{found[4]}" for found in USES.finditer(text) if len(found[4]) != len("0" * 40))


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say what is not pinned")
    given = parser.parse_args()
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    files = [ROOT / "Dockerfile", *workflows]
    if given.check:
        missing = [line for path in files for line in unpinned(path)]
        sys.stdout.writelines(f"{line}\n" for line in missing or ["all pinned"])
        return bool(missing)
    try:
        written = {
            path: (pinned_images if path.name == "Dockerfile" else pinned_actions)(path.read_text("utf-8"), ask)
            for path in files
        }
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"nothing was written: {error}; expected an answer of Docker Hub and GitHub\n")
        return 1
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: pinned\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
