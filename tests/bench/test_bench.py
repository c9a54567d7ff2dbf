"""`make bench`: one table and one file from all parts, whichever fail; and what the ratios in it are."""

from __future__ import annotations

import json
import sys

import pytest

from tests.bench import __main__ as bench
from tests.bench.ingest.measure import SHAPES, Runs
from tests.bench.ingest.table import lines, table
from tests.bench.targets import parts
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Row

FIGURES = {
    "logs_per_second": 50_000.0, "logs_per_cpu_second": 100_000.0, "cpu_seconds_per_100k": 1.0,
    "database_cpu_seconds_per_100k": 0.25, "p50_ms": 3.0, "p99_ms": 9.0, "resident_bytes": 80e6, "failed": 0,
}  # fmt: skip


def runs(refused: int = 0) -> Runs:
    """Three rounds of two: the machine was half as fast in the second, for both."""
    speeds = (1.0, 0.5, 1.0)
    ours = [FIGURES | {"logs_per_cpu_second": 100_000.0 * speed} for speed in speeds]
    costs = (10_000.0, 10_000.0, 8_000.0)
    theirs = [
        FIGURES | {"logs_per_cpu_second": cost * speed, "failed": refused}
        for speed, cost in zip(speeds, costs, strict=True)
    ]
    return {"ours, durable": ours, "obvious": theirs}


def test_a_ratio_is_the_median_of_the_pairs_not_of_the_sides():
    ours, theirs = lines("sqlite", SHAPES[1], runs())
    assert tuple(ours.ratio) == (1.0, 1.0, 1.0)
    assert tuple(theirs.ratio) == (10.0, 10.0, 12.5)
    assert (theirs.store, theirs.requests, theirs.connections) == ("sqlite", "batches of 100", 16)
    assert (theirs.logs_per_second, theirs.cpu, theirs.database_cpu, theirs.megabytes) == (50_000, 1.0, 0.25, 80)


def test_the_table_compares_others_with_ours_and_names_what_was_refused():
    head, empty, ours, theirs = table(lines("postgres", SHAPES[0], runs(refused=2))).splitlines()
    assert "ours over it" in head
    assert empty == ""
    assert ours.split()[-1] == "80"
    assert "10.00 (10.00 to 12.50)" in theirs
    assert theirs.endswith("6 requests REFUSED")


def test_every_store_and_shape_is_measured():
    assert bench.STORES == ("sqlite", "postgres")
    assert {(shape.size, shape.lines) for shape in SHAPES} == {
        (1, False), (100, False), (100, True), (1000, False), (1000, True),
    }  # fmt: skip


def test_one_table_and_one_file_whichever_part_fails(tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("no such disk")

    def skipping(*_):
        pytest.skip("no PostgreSQL wheel here")

    good = Row("start", "<= 1.5 s", "0.4 s", True, {"seconds": [0.4]})
    monkeypatch.setitem(parts.PARTS, "start", lambda *_: [good])
    monkeypatch.setitem(parts.PARTS, "memory", broken)
    monkeypatch.setitem(parts.PARTS, "outage", skipping)
    monkeypatch.setattr(bench, "measure_store", lambda *_: (lines("sqlite", SHAPES[0], runs()), {"single": runs()}))
    file = tmp_path / "new" / "bench.json"
    arguments = ["bench", "--quick", "--only", "memory", "start", "outage", "sqlite", "--json", str(file)]
    monkeypatch.setattr(sys, "argv", arguments)
    try:
        code = bench.main()
    except pytest.skip.Exception:  # it would skip this test, too
        pytest.fail("a part that has no PostgreSQL ended all others")
    assert code == 1
    told = json.loads(file.read_text())
    assert [row["what"] for row in told["rows"]] == ["start"]
    assert told["failed"] == {"memory": "RuntimeError: no such disk", "outage": "Skipped: no PostgreSQL wheel here"}
    assert told["table"][1]["ratio"] == {"median": 10.0, "lowest": 10.0, "highest": 12.5}
    assert told["runs"]["sqlite"]["single"]["obvious"][0]["failed"] == 0
    out = capsys.readouterr().out
    assert out.count("ours over it") == out.count("reached      start") == 1
    assert "memory COULD NOT BE MEASURED: RuntimeError: no such disk" in out


def test_progress_is_clean_where_nobody_watches_a_terminal(capsys):
    progress = Progress()
    progress.of = "part 1 of 2: "
    progress.step("warming up")
    progress.bar("sending", 1, 2)
    progress.show("a line that stays")
    progress.clear()
    assert capsys.readouterr().err == "  part 1 of 2: warming up\na line that stays\n"
