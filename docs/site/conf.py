"""The documentation as a site: `make docs` builds it with Sphinx into build/docs. Why Sphinx: docs/decisions/0007."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

project = "Log aggregator"
release = version = tomllib.loads((ROOT / "core/pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
copyright = "the authors of Log aggregator; Apache License 2.0"  # noqa: A001  Sphinx reads this name

extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "docs/site/index"
source_suffix = {".md": "markdown"}
include_patterns = [
    "docs/**", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    "core/README.md", "packages/*/README.md", "plugins/*/README.md", "examples/*/README.md",
]  # fmt: skip
exclude_patterns = []
nitpicky = True
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]
suppress_warnings = ["myst.header"]  # a generated page begins a section without its own heading
highlight_language = "none"
copybutton_prompt_text = "$ "

html_theme = "furo"
html_title = f"Log aggregator {release}"
html_favicon = "../../plugins/dashboard/src/log_aggregator_dashboard/assets/icon.svg"
html_copy_source = False
html_show_sourcelink = False

_FIRST = re.compile(r"^# (.+)$", re.MULTILINE)


def _write_llms_txt(app: Any, exception: Exception | None) -> None:
    """A list of all pages for language models, as https://llmstxt.org describes it."""
    if exception is not None:
        return
    lines = [f"# {project}", "", "> Logs in, patterns out: counted exactly once, stored by pattern, level and source."]
    for part in ("tutorials", "how-to", "reference", "explanation", "decisions"):
        lines += ["", f"## {part}", ""]
        for page in sorted((ROOT / "docs" / part).glob("*.md")):
            title = _FIRST.search(page.read_text(encoding="utf-8"))
            lines.append(f"- [{title[1] if title else page.stem}](docs/{part}/{page.stem}.html)")
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", _write_llms_txt)
