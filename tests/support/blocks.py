"""The blocks of the pages: which there are, and what the tests do with each."""

from __future__ import annotations

import gzip
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.certificates import Authority
from tests.support.snippet import SCRIPT, kind_of
from tools import docs_links

ROOT = Path(__file__).parents[2]
PAGES = docs_links.pages()

BLOCK = re.compile(
    r"^(?:<!-- (?P<marker>\w+)(?:: (?P<expected>.*?))? -->\n)?```(?P<language>\w+)\n(?P<code>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
"""A block; with `<!-- run -->` before it, it is run, and with `<!-- run: text -->` its output holds that text. With
`try` it is run where the service's `data` and `plugins.toml` are, beside a few log files; with `alone` where nothing
is. `goes: text` stands before a block whose last command goes on until it is ended: it is, once its output holds the
text. `other: FILE` names the test that runs the block."""

SHELL = {"bash", "console", "sh", "shell"}
RUN_BY_OTHERS = {
    "docs/how-to/mcp.md": "plugins/mcp/tests/test_docs.py",
    "docs/how-to/postgres.md": "plugins/postgres/tests/test_privileges.py",
    "docs/how-to/ten-tasks.md": "tests/e2e/test_ten_tasks.py",
}
"""Pages whose other blocks are tried by a test of their own."""

FILES = {
    "app.log": "User 7 logged in\nQuery took 0.05s\n",
    "today.log": "User 8 logged in\n",
    "yesterday.log": "User 9 logged in\n",
}
"""The log files that the pages speak of."""


def lay_out(here: Path) -> dict[str, str]:
    """Write log files and a certificate into a directory; which paths of the pages stand for which here."""
    for name, content in FILES.items():
        (here / name).write_text(content)
    (here / "app.log.2.gz").write_bytes(gzip.compress(b"2026-11-30T08:10:00Z INFO User 7 logged in\n"))
    for directory in ("shop", "tls", "backups"):
        (here / directory).mkdir()
    (here / "shop/app.log").write_text(FILES["app.log"])
    cert, key = Authority(here / "tls").issue("fullchain")
    return {
        "/etc/tls/fullchain.pem": str(cert),
        "/etc/tls/key.pem": str(key),
        "/etc/log-aggregator/": f"{here}/",
        "/mnt/backups/": f"{here}/backups/",
        "/var/lib/private/log-aggregator": f"{here}/data",
        "/var/lib/log-aggregator": f"{here}/data",
        "/var/log/shop/": f"{here}/shop/",
    }


def script_of(code: str, paths: Mapping[str, str], url: str = "") -> str:
    """The block as it is run here: other paths, the address of the service, and a `curl` that can fail."""
    for path, real in paths.items():
        code = code.replace(path, real)
    code = re.sub(r"(http://)?(localhost|127\.0\.0\.1):8004", url, code) if url else code
    code = re.sub(r"\bla\.([\w-]+)\.…", r"la.\1.a-key-of-a-test", code)
    code = code.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    return re.sub(r"\bcurl ", "curl --fail-with-body --silent --show-error ", code)


def environment() -> dict[str, str]:
    """What the blocks are run with: the programs of this environment first, and nothing of the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": ""}


class Block(NamedTuple):
    page: Path
    heading: str
    language: str
    marker: str
    expected: str
    code: str

    @property
    def is_run(self) -> bool:
        """Whether the reader of the page runs it, in the order of the page."""
        if self.language == "python":
            return self.marker != "file" and kind_of(self.code) == SCRIPT
        return self.marker in {"run", "try", "alone"}

    @property
    def is_tried(self) -> bool:
        """Whether some test runs it, or runs what is made of it."""
        by_others = self.marker in {"shell", "file", "other"} or str(self.page.relative_to(ROOT)) in RUN_BY_OTHERS
        return self.is_run or self.marker == "goes" or by_others or self.language == "python"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        headings = re.findall(r"^#+ `?(\w+)", text[: found.start()], re.MULTILINE)
        more = found.group("language", "marker", "expected", "code")
        yield Block(page, headings[-1] if headings else "", *(part or "" for part in more))


def name_of(value: Path | Block) -> str:
    if isinstance(value, Block):
        first = value.code.replace("@hookimpl\n", "").replace("@asynccontextmanager\n", "").splitlines()[0]
        return f"{value.page.relative_to(ROOT)}: {value.heading}: {first.strip()[:40]}"
    return str(value.relative_to(ROOT))
