"""The lines of docs/how-to/install.md on a fresh Debian 12, as root and as an ordinary user, from an index of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.packages.clean import ROOT
from tests.e2e.packages.debian import NEEDED, debian, inside
from tests.support.blocks import blocks

__all__ = ["debian"]

pytestmark = [NEEDED, pytest.mark.slow, pytest.mark.timeout(1800)]

PAGE = ROOT / "docs/how-to/install.md"
ENVIRON = {
    "PATH": "/opt/tools/bin:/usr/local/bin:/usr/bin:/bin",
    "PIP_FIND_LINKS": "/wheels",
    "UV_FIND_LINKS": "/wheels",
    "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "PIP_CONSTRAINT": "",
}


@pytest.mark.parametrize(("user", "home"), [("root", "/root"), ("ann", "/home/ann")])
def test_each_line_gives_a_service_with_a_pattern(user: str, home: str, debian: Path, wheels: Path) -> None:
    (pipx,) = [one.code for one in blocks(PAGE) if one.marker == "other" and ROOT / one.expected == Path(__file__)]
    install, serve = pipx.splitlines()
    assert serve == "log-aggregator serve"
    assert "`uvx --from log-aggregator-service log-aggregator serve`" in PAGE.read_text(encoding="utf-8")
    shutil.copytree(wheels, debian / "wheels", dirs_exist_ok=True)
    shutil.copy(ROOT / "tools/first_pattern.py", debian / "first_pattern.py")
    environ = {**ENVIRON, "HOME": home}
    if not (debian / "opt/tools/bin/pipx").exists():
        # Programs of the reader's own; Debian's package pipx does the same.
        tools = "python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet 'pipx>=1.7' 'uv>=0.5'"
        inside(debian, "root", tools, **environ)
    script = f"cd; {install} && python3 /first_pattern.py $HOME/.local/bin/log-aggregator"
    assert "the first pattern after" in inside(debian, user, script, **environ)
    script = "cd; uvx --from log-aggregator-service log-aggregator --version"
    assert inside(debian, user, script, **environ).startswith("log-aggregator 0.")
