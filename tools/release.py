"""Prepares a release: sets the version everywhere, sets the addresses, and says what is not ready.

`python tools/release.py set 0.2.0` writes the version into every distribution, and the range of it into what they need
of each other. `python tools/release.py urls https://HOST/OWNER/NAME` writes `[project.urls]`: the repository's address
is known where the release is made, so no address stands in the sources. `python tools/release.py check` says what is
not ready; exit code 1 when something is not.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("core", "packages/*", "plugins/*")
EXAMPLES = ("examples/*",)
OURS = re.compile(r'"(log-aggregator-[a-z-]+)([<>=~!][^";]*)?(;[^"]*)?"')
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def projects(root: Path = ROOT, places: tuple[str, ...] = PLACES) -> list[Path]:
    """The pyproject.toml of each distribution."""
    return sorted(path for place in places for path in root.glob(f"{place}/pyproject.toml"))


def range_of(version: Version) -> str:
    """What a distribution of this version needs of another: the same minor version."""
    return f">={version.major}.{version.minor},<{version.major}.{version.minor + 1}"


def with_version(text: str, version: Version) -> str:
    """The text of a pyproject.toml with the version, and with the range of it behind each of our distributions."""
    text = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', text, count=1)
    return with_ranges(text, range_of(version))


def with_ranges(text: str, wanted: str) -> str:
    """The same with a range behind each of our distributions in lists of dependencies; its own name stays."""
    head, found, rest = text.partition("\ndependencies = [")
    end = rest.index("]\n")
    return head + found + OURS.sub(rf'"\g<1>{wanted}\g<3>"', rest[:end]) + rest[end:]


def with_urls(text: str, repository: str) -> str:
    """The text of a pyproject.toml with addresses in the repository, in place of those that are there."""
    text = re.sub(r"(?m)^\[project\.urls\]\n(?:\w+ = .*\n)+\n?", "", text)
    pages = {
        "Homepage": "",
        "Documentation": "/blob/main/docs/README.md",
        "Changelog": "/blob/main/CHANGELOG.md",
        "Source": "",
        "Issues": "/issues",
    }
    lines = "".join(f'{name} = "{repository}{path}"\n' for name, path in pages.items())
    place = re.search(r"(?m)^\[(?:project\.|tool\.)", text)
    at = place.start() if place else len(text)
    return f"{text[:at]}[project.urls]\n{lines}\n{text[at:]}"


def problems(root: Path = ROOT) -> Iterator[str]:
    """What is not ready: file · what · expected."""
    documents = {path: tomllib.loads(path.read_text(encoding="utf-8"))["project"] for path in projects(root)}
    version = documents[root / "core/pyproject.toml"]["version"]
    ours = {document["name"] for document in documents.values()}
    for path, document in documents.items():
        name = f"{path.parent.relative_to(root)}/pyproject.toml"
        if document["version"] != version:
            yield f"{name}: version {document['version']}; expected {version}, as in core/pyproject.toml"
        for needed in map(Requirement, document.get("dependencies", [])):
            if needed.name in ours and sorted(map(str, needed.specifier)) != sorted(
                range_of(Version(version)).split(",")
            ):
                yield f"{name}: {needed}; expected {needed.name}{range_of(Version(version))}"
        for word, url in document.get("urls", {}).items():
            if re.search(r"\bexample\.(?:org|com|net)\b", url):
                yield f"{name}: [project.urls] {word}: {url} is no address; expected the repository's"
    yield from open_changes((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def open_changes(text: str, version: str) -> Iterator[str]:
    """What is not ready in the changelog: its first section is that of the version, with a date and with lines."""
    sections = SECTION.split(text)[1:]
    title, body = (sections[0], sections[1]) if sections else ("", "")
    if not re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", title):
        yield f"CHANGELOG.md: the first section is '{title}'; expected '{version} - YEAR-MONTH-DAY'"
    elif not re.search(r"(?m)^- ", body):
        yield f"CHANGELOG.md: {title}: no change in it; expected a line for each"


def set_version(text: str) -> None:
    """Write the version into all distributions, and its range into the examples. Raises `InvalidVersion`."""
    version = Version(text)
    for path in projects():
        path.write_text(with_version(path.read_text(encoding="utf-8"), version), encoding="utf-8")
    lowest = f">={version.major}.{version.minor}"
    for path in projects(places=EXAMPLES):
        path.write_text(with_ranges(path.read_text(encoding="utf-8"), lowest), encoding="utf-8")


def set_urls(repository: str) -> None:
    """Write the addresses into all distributions. Raises `ValueError` for what is no https address."""
    if not re.fullmatch(r"https://[\w.-]+(?:/[\w.-]+)+", repository):
        raise ValueError(f"{repository}: not an address; expected https://HOST/OWNER/NAME")
    for path in projects():
        path.write_text(with_urls(path.read_text(encoding="utf-8"), repository), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run one of the commands; the exit code."""
    parser = argparse.ArgumentParser(description="Prepares a release.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="set|urls|check")
    commands.add_parser("set", help="write a version into all distributions").add_argument("version")
    commands.add_parser("urls", help="write [project.urls] of all distributions").add_argument("repository")
    commands.add_parser("check", help="say what is not ready")
    given = parser.parse_args(arguments)
    try:
        if given.command == "set":
            set_version(given.version)
        elif given.command == "urls":
            set_urls(given.repository)
    except (InvalidVersion, ValueError) as error:
        sys.stderr.write(f"release.py {given.command}: {error}\n")
        return 2
    found = list(problems()) if given.command == "check" else []
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
