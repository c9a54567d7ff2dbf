"""Plugins that were written for an earlier day of the plugin API go on working, as they stand."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

from log_aggregator_dev import harness
from tests.e2e.recorded import api_1

RECORDED = {"api_1.py": "d15eda10807a4ed2f777a24ff3bbbb92d56839a24f6fa57e6750974934ed3b29"}
"""File → the digest of what was written then. Whoever must change a file breaks plugins of others."""

PIPELINE = """
[plugins.guard]
secret = "hunter2"
[plugins.labels]
[plugins.pack]
[plugins.patterns]
[plugins.counts]
path = "{directory}/counts.json"
[plugins.memory]
[plugins.reader]
path = "{directory}/app.log"
[plugins.greeter]
[plugins.polite]
"""
CLASSES = {
    "guard": api_1.Guard,
    "labels": api_1.Labels,
    "pack": api_1.Pack,
    "counts": api_1.Counts,
    "memory": api_1.Memory,
    "reader": api_1.Reader,
    "greeter": api_1.Greeter,
    "polite": api_1.Polite,
}


def test_what_was_recorded_is_never_changed() -> None:
    for name, digest in RECORDED.items():
        file = Path(__file__).with_name("recorded") / name
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest, f"{name} was changed"


async def test_plugins_of_api_1_work(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text('{"msg": "from a file", "level": "warning"}\n')
    pipeline = PIPELINE.replace("{directory}", str(tmp_path))
    async with asyncio.timeout(60), harness(pipeline, given=CLASSES, data_dir=tmp_path / "data") as h:
        orders = ("order 123 came", "order 900 came")
        answer = await h.post(*orders, "noise", "bad", "login with hunter2", "paid at till-abc")
        assert answer.status == 202
        assert answer.body["accepted"] == 4
        assert [one["error"] for one in answer.body["rejected"]] == ["bad"]
        assert (await h.post("poison")).status == 422
        reader, writer = await asyncio.open_connection("127.0.0.1", h.plugin("reader").listener.port)
        writer.write(b"by tcp\n")
        assert await reader.readline() == b"1\n"
        writer.close()
        while "from a file" not in await h.counts():
            await asyncio.sleep(0.01)
        rows = {row.pattern: row for row in await h.aggregates()}
        assert {text: row.count for text, row in rows.items()} == {
            "order {N}": 2, "login with ***": 1, "paid at {TILL}": 1, "by tcp": 1, "from a file": 1,
        }  # fmt: skip
        assert rows["order {N}"].tags == {"small": 1, "big": 1}
        assert (rows["order {N}"].category, rows["from a file"].level) == ("orders", "WARN")
        assert rows["by tcp"].metadata["seen"].count == 1
        assert json.loads((tmp_path / "counts.json").read_text())["counts"]["order {N}"] == 2
        assert {row["pattern"] for row in (await h.get("/patterns"))["patterns"]} == set(rows)
        assert await h.get("/reader") == {"path": "app.log"}
        assert (await h.get("/health"))["checks"]["reader"]["ok"]
        assert h.plugin("greeter").known == ["hello"]
