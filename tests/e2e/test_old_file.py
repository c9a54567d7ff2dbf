"""A year of a log file, sent today: every log is stored under the time that its line carries."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.service import COMMAND, ServiceProcess

ROOT = Path(__file__).parents[2]
DAYS = 365


def test_a_year_is_stored_under_its_own_times(tmp_path: Path) -> None:
    first = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    times = [first + timedelta(days=day) for day in range(DAYS)]
    (tmp_path / "app.log").write_text(
        "".join(f"{at:%Y-%m-%d %H:%M:%S} ERROR backup {n} failed\n" for n, at in enumerate(times))
    )
    service = ServiceProcess(tmp_path, (ROOT / "plugins.toml").read_text()).start()
    try:
        command = [COMMAND, "send", str(tmp_path / "app.log"), "--source", "nas", "--url", service.url]
        sent = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert sent.returncode == 0, sent.stdout + sent.stderr
        service.post("/flush")
        (row,) = service.get("/patterns")["patterns"]
        assert (row["count"], row["levels"]) == (DAYS, {"ERROR": DAYS})
        assert row["first_seen"] == f"{times[0]:%Y-%m-%dT%H:%M:%S}.000000Z"
        assert row["last_seen"] == f"{times[-1]:%Y-%m-%dT%H:%M:%S}.000000Z"
        since, until = times[100], times[200]
        part = service.get(f"/patterns?since={since:%Y-%m-%dT%H:%M:%SZ}&until={until:%Y-%m-%dT%H:%M:%SZ}")["patterns"]
        assert [one["count"] for one in part] == [100]
    finally:
        service.stop()
