"""The commands of docs/how-to/ten-tasks.md, run one after another on a simulated shop; each task has its result."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.cli.main import main
from log_aggregator_service.commands.phone import Phone
from tests.support.service import ServiceProcess

PAGE = (Path(__file__).parents[2] / "docs/how-to/ten-tasks.md").read_text(encoding="utf-8")
MOST_STEPS = 5
QUIET = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}

RESULTS = {
    1: "Checkout {ID} failed: provider timeout",
    2: "Checkout {ID} failed: provider timeout",
    3: "shipping       Shipping of ",
    4: "muted",
    5: "sent",
    6: "`Checkout {ID} failed: provider timeout`",
    7: "Cache miss for key {ID} on node {ID}",
    8: "the backup runs",
    9: "acknowledged",
    10: "Checkout {ID} failed: provider timeout",
}
"""What the last command of each task must say."""


def tasks() -> list[tuple[str, list[str], list[str]]]:
    """Each task of the page: its title, the steps on the page, and its commands."""
    found = []
    for title, text in re.findall(r"^## \d+\. (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        (block,) = re.findall(r"```(?:text|bash)\n(.*?)```", text, re.DOTALL)
        steps = re.search(r"On the\s+page: ([^.]*(?:\.\.\.|…)?[^.]*)\.", " ".join(text.split()))
        assert steps is not None, title
        found.append((title, steps[1].split("; "), block.replace("\\\n", " ").splitlines()))
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[ServiceProcess, Phone]]:
    with running_shop(tmp_path) as running:
        yield running


@contextlib.contextmanager
def running_shop(data: Path, plugins: str = "") -> Iterator[tuple[ServiceProcess, Phone]]:
    """A shop whose checkout fails since a deployment, and a phone that is a target."""
    phone = Phone(lambda _: None)
    target = f'[[plugins.trends.targets]]\nkind = "ntfy"\nurl = "{phone.url}"\n'
    pipeline = f"[plugins.patterns]\n[plugins.sqlite]\n{plugins}[plugins.trends]\n{target}"
    service = ServiceProcess(data, pipeline, QUIET).start()
    now = time.time()
    logs: list[dict[str, Any]] = []
    for n in range(200):
        logs += [
            {"message": f"Checkout {n} done", "source": "shop", "timestamp": now - 3600 + n * 15},
            {
                "message": f"Cache miss for key {n} on node {n % 9}",
                "level": "WARN",
                "source": "cache",
                "timestamp": now - 3600 + n * 15,
            },
        ]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/marks", {"title": "deploy 1.4", "at": str(int(now) - 600)})[0] == 201
    failed = {"level": "ERROR", "source": "shop", "metadata": {"request_id": "req-7f3a9c"}}
    logs = [
        {"message": f"Checkout {n} failed: provider timeout", "timestamp": now - 500 + n, **failed} for n in range(100)
    ]
    logs.append({"message": "Shipping of req-7f3a9c is late", "source": "shipping", "level": "WARN"})
    assert service.post("/ingest/batch", logs)[0] == 202
    for _ in range(2):  # the second flush stores the anomaly
        assert service.post("/flush")[1]["sealed"]
    yield service, phone
    service.stop()
    phone.close()


def run(words: list[str], service: ServiceProcess) -> tuple[int, str]:
    """Run a command of the page: ours in this process, where fifteen of them cost no start of Python."""
    if words[0] != "log-aggregator":
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main([words[1], "--url", service.url, *words[2:]])
    return code, printed.getvalue()


def test_every_task_has_few_steps() -> None:
    assert len(tasks()) == 10
    for title, steps, commands in tasks():
        assert 1 <= len(steps) <= MOST_STEPS, (title, steps)
        assert 1 <= len(commands) <= MOST_STEPS, title


def test_the_commands_do_what_they_say(shop: tuple[ServiceProcess, Phone]) -> None:
    service, phone = shop
    for number, (title, _, commands) in enumerate(tasks(), 1):
        started = time.perf_counter()
        said = known = ""
        for line in commands:
            words = [word.replace("ID", known) if word == "ID" else word for word in shlex.split(line)]
            words = [word.replace("http://localhost:8004", service.url) for word in words]
            code, said = run(words, service)
            assert code == 0, (title, line, said)
            known = said[:16] if re.match(r"[0-9a-f]{16} ", said) else known
        assert RESULTS[number] in said, (title, said)
        print(f"{number}. {title}: {len(commands)} commands, {time.perf_counter() - started:.1f} s")
    assert phone.rang.is_set()
    assert service.get("/rules")["rules"][0]["none_for"] == "24h"
