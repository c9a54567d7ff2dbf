"""Templates → the files of a new plugin package."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import NamedTuple

from log_aggregator.errors import ConfigError

KINDS = {
    "rules": "a rule pack: what is masked in messages, without Python",
    "stage": "a stage: looks at records on their way and says more about them",
    "sink": "a sink: stores or forwards aggregates",
    "store": "a store: keeps aggregates and answers the queries of the service",
    "receiver": "a receiver: takes logs in from a protocol or a file",
    "command": "a command: `log-aggregator NAME`",
    "page": "a page: a place in the dashboard",
}
"""Kind → what it is."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX = "log-aggregator-"
_COMMON = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "plugins.toml": "plugins_{kind}.toml.tmpl",
    "README.md": "readme_{kind}.md.tmpl",
    ".gitignore": "gitignore.tmpl",
    "LICENSE": "license.tmpl",
    ".github/workflows/tests.yml": "workflow.yml.tmpl",
    "src/{package}/__init__.py": "{kind}.py.tmpl",
    "src/{package}/py.typed": "",
    "tests/test_{module}.py": "test_{kind}.py.tmpl",
}
_CORE = "log-aggregator-core"
_DEV = "log-aggregator-dev"
_REQUIRED = {kind: [_CORE] for kind in KINDS} | {
    "rules": [_CORE, "log-aggregator-patterns"],
    "receiver": [_CORE, "log-aggregator-reader"],
}
_TESTED_WITH = {kind: [_DEV] for kind in KINDS} | {
    "store": [_DEV, "log-aggregator-patterns"],
    "command": [_DEV, "log-aggregator-sqlite"],
    "page": [_DEV, "log-aggregator-dashboard", "log-aggregator-sqlite"],
}
_MORE = {
    "rules": {"src/{package}/rules.toml": "rules.toml.tmpl"},
    "page": {"src/{package}/page/map.js": "map.js.tmpl", "src/{package}/page/share.js": "share.js.tmpl"},
}


class Names(NamedTuple):
    """How one plugin is called everywhere: `name` in plugins.toml, and what follows from it."""

    name: str

    @classmethod
    def of(cls, name: str) -> Names:
        """Raises `ConfigError` when this cannot be a plugin's name."""
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"NAME {name!r}: expected lower-case letters and digits, words joined by '-', such as nginx or my-shop"
            )
        if name.startswith(_PREFIX):
            raise ConfigError(f"NAME {name!r}: expected the name alone, such as {name.removeprefix(_PREFIX)}")
        names = cls(name)
        if keyword.iskeyword(names.cls):
            raise ConfigError(f"NAME {name!r}: a word of the language Python; choose another")
        return names

    @property
    def cls(self) -> str:
        """The name of the plugin's class."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    def values(self, kind: str) -> dict[str, str]:
        """What the templates call `$$name`, `$$package` and so on."""
        module = self.name.replace("-", "_")
        package = f"log_aggregator_{module}"
        is_command = kind == "command"
        return {
            "name": self.name,
            "module": module,
            "package": package,
            "distribution": f"{_PREFIX}{self.name}",
            "cls": self.cls,
            "kind": kind,
            "requires": _written(_REQUIRED[kind]),
            "tested_with": f'{_written(_TESTED_WITH[kind])}, "pytest>=8.4"',
            "group": "commands" if is_command else "plugins",
            "target": package if is_command else f"{package}:{self.cls}",
            "finder": "`log-aggregator` finds the command" if is_command else "the service finds the plugin",
            "found_as": f"log-aggregator {self.name}" if is_command else f"[plugins.{self.name}] names it",
        }


def _written(distributions: list[str]) -> str:
    return ", ".join(f'"{distribution}>=0.1"' for distribution in distributions)


def files_of(kind: str, names: Names) -> dict[str, str]:
    """The package's files: path → text."""
    values = names.values(kind)
    templates = resources.files(__package__)
    files = {}
    for path, template in {**_COMMON, **_MORE.get(kind, {})}.items():
        text = templates.joinpath(template.format(kind=kind)).read_text(encoding="utf-8") if template else ""
        files[path.format(**values)] = Template(text).substitute(values)
    return files


def write_package(kind: str, names: Names, directory: Path) -> list[Path]:
    """Write the package into a new directory; the files. Raises `ConfigError` when it cannot."""
    written = []
    try:
        directory.mkdir(parents=True)
        for name, text in files_of(kind, names).items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except FileExistsError:
        raise ConfigError(f"{directory}: exists already; choose another NAME or --directory") from None
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be written: {error.strerror}") from None
    return written
