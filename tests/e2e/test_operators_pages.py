"""Blocks of pages that need more than one running service: docs/how-to/back-up.md, docs/how-to/operations.md,
docs/reference/analytics.md and docs/explanation/patterns.md."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.blocks import ROOT, blocks, environment, lay_out, script_of
from tests.support.postgres import free_port, postgres_dsn, postgres_server
from tests.support.service import PIPELINE, START_DEADLINE, STOP_DEADLINE, StartService

__all__ = ["postgres_dsn", "postgres_server"]

SYSTEMCTL = """
pid() { python3 -c 'import json, os; print(json.load(open(os.environ["DATA_DIR"] + "/service.json"))["pid"])'; }
systemctl() {
    case $1 in
        stop) pid=$(pid); kill -TERM $pid; while grep -q '^State:.[RSD]' /proc/$pid/status 2>/dev/null; do :; done ;;
        start) nohup log-aggregator serve >serve.txt 2>&1 & ;;
    esac
}
"""
"""What systemd does for the unit, with the same program: SIGTERM and waiting for the end; a start."""

NAMES = [
    "ann",
    "bob",
    "cid",
    "dora",
    "eve",
    "fred",
    "gina",
    "hank",
    "iris",
    "jon",
    "kim",
    "leo",
    "mia",
    "ned",
    "olga",
    "pia",
]


def others(page: str) -> list[str]:
    """The blocks of a page that this module runs."""
    return [
        block.code
        for block in blocks(ROOT / page)
        if block.marker == "other" and ROOT / block.expected == Path(__file__)
    ]


def run(script: str, here: Path, **environ: str) -> str:
    """Run a script as a reader would; its output. Fails with it."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=here,
        env={**environment(), "HOME": str(here), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def wait_until(is_so: Callable[[], bool], output: Path) -> None:
    """Fails with the output when it takes too long."""
    deadline = time.monotonic() + START_DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.02)


def test_a_backup_is_made_and_restored_as_the_page_says(start_service: StartService) -> None:
    service = start_service()
    here = service.data_dir.parent
    paths = lay_out(here)
    backup, restore = (script_of(code, paths) for code in others("docs/how-to/back-up.md"))
    assert service.post("/ingest", {"message": "User 123 logged in", "source": "auth"})[0] == 202
    run(backup, here)
    run(SYSTEMCTL + restore, here, PORT="0")
    assert service.running.wait(STOP_DEADLINE) == 0
    told = here / "data/service.json"
    wait_until(told.exists, here / "serve.txt")
    found = json.loads(told.read_text())
    try:
        service.url = found["url"].rstrip("/")
        service.post("/flush")
        assert [row["pattern"] for row in service.get("/patterns")["patterns"]] == ["User {ID} logged in"]
    finally:
        os.kill(found["pid"], signal.SIGTERM)


def test_a_person_adopts_and_looks_at_the_quarantine_as_the_page_says(
    start_service: StartService, postgres_dsn: str
) -> None:
    service = start_service(f"[plugins.patterns]\n[plugins.postgres]\ndsn = '{postgres_dsn}'\n")
    here = service.data_dir.parent
    assert service.post("/ingest", {"message": "User 123 logged in", "source": "auth"})[0] == 202
    assert service.post("/flush")[0] == 200
    adopt, quarantine = (script_of(code, {}, service.url) for code in others("docs/how-to/operations.md"))
    instance = service.get("/stats")["instance"]
    shown = run(adopt.replace("INSTANCE", instance), here, PLUGINS_FILE=str(service.plugins_file))
    assert instance in shown
    assert "lanes" in shown or "sinks" in shown
    run(quarantine, here, PLUGINS_FILE=str(service.plugins_file))


def test_the_service_that_prints_batches_prints_one(start_service: StartService, tmp_path: Path) -> None:
    (printer,) = others("docs/reference/analytics.md")
    port, output = free_port(), tmp_path / "printed.txt"
    with output.open("wb") as target:
        printing = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", printer.replace("8002", str(port))],
            env={**environment(), "PYTHONUNBUFFERED": "1"},
            stdout=target,
            stderr=subprocess.STDOUT,
        )
    try:
        service = start_service(
            f"{PIPELINE}\n[plugins.analytics]\n", {"ANALYTICS_NODE_URL": f"http://127.0.0.1:{port}"}
        )
        assert service.post("/ingest", {"message": "User 123 logged in", "source": "auth"})[0] == 202
        assert service.post("/flush")[0] == 200
        wait_until(lambda: "User {ID} logged in" in output.read_text(), output)
    finally:
        printing.terminate()
        printing.wait(STOP_DEADLINE)


def test_a_person_corrects_a_pattern_as_the_page_says(start_service: StartService) -> None:
    service = start_service("[plugins.patterns]\n[plugins.templates]\n[plugins.sqlite]\n")
    pairs = [(one, other) for number, one in enumerate(NAMES) for other in NAMES[number % 4 :: 3]]
    logs = [{"message": f"session opened for {one} by {other} in the hall", "source": "pam"} for one, other in pairs]
    logs.append({"message": "all is well", "source": "pam"})
    assert service.post("/ingest/batch", {"logs": logs})[0] == 202
    assert service.post("/flush")[0] == 200
    ids = {row["pattern"]: row["pattern_id"] for row in service.get("/patterns?limit=200")["patterns"]}
    correction = service.post(f"/patterns/{ids['all is well']}/keep")[1]["id"]
    (code,) = others("docs/explanation/patterns.md")
    known = {
        "ID": ids["session opened for {VAR} by {VAR} in the hall"],
        "OTHER": ids["all is well"],
        "CORRECTION": correction,
    }
    shown = run(script_of(code, {}, service.url), service.data_dir, **known)
    assert '"by":"ann"' in shown
    kinds = [one["kind"] for one in service.get("/corrections")["corrections"] if not one.get("withdrawn")]
    assert {"keep", "split", "merge"} <= set(kinds)
