"""What `formats` costs a log, format by format: CPU of its hook over batches of lines with fresh ids.

Ids of digits have shapes that were seen; ids of letters have shapes that no line had before."""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import Record
from log_aggregator.model.shapes import shape_of
from log_aggregator_formats import FormatsPlugin

LOGS = 1000
ROUNDS = 9

_clock = "{:02}:{:02}:{:02}".format


_ticks = itertools.count(0, 10)


def _times(_: random.Random) -> str:
    """Times of day, a hundred lines a second."""
    second = next(_ticks) // 1000
    return _clock(8 + second // 3600, second // 60 % 60, second % 60)


def _id(draw: random.Random) -> str:
    """Digits, or with `names` letters, so that no shape comes twice."""
    if _id_is_word[0]:
        return "".join(draw.choices("ghijklmnopqrstuvwxyz", k=10))
    return str(draw.randrange(10**5, 10**6))


_id_is_word = [False]


FORMATS: dict[str, Callable[[random.Random], str]] = {
    "nothing lifted": lambda draw: f"order {_id(draw)} paid by customer {draw.randrange(1000, 9999)}",
    "Python": lambda draw: (
        f"2026-11-30 {_times(draw)},{draw.randrange(1000):03} - app.orders - WARNING - order {_id(draw)} is late"
    ),
    "Spring": lambda draw: (
        f"2026-11-30 {_times(draw)}.{draw.randrange(1000):03}  INFO 12345 --- [exec-{draw.randrange(10)}] "
        f"c.e.shop.App : order {_id(draw)} paid"
    ),
    "JSON": lambda draw: (
        f'{{"time":"2026-11-30T{_times(draw)}.{draw.randrange(1000):03}Z","level":"info","msg":"request handled",'
        f'"request_id":"{_id(draw)}","user":{draw.randrange(10**4)},"status":200}}'
    ),
    "logfmt": lambda draw: (
        f'time=2026-11-30T{_times(draw)}Z level=info msg="request handled" request_id={_id(draw)} '
        f"user={draw.randrange(10**4)} status=200 duration={draw.randrange(100)}ms"
    ),
    "klog": lambda draw: (
        f"E1130 {_times(draw)}.{draw.randrange(10**6):06}  118528 kubelet.go:1875] pod {_id(draw)} is not ready"
    ),
    "syslog": lambda draw: f"Nov 30 {_times(draw)} web1 app[{draw.randrange(10**5)}]: job {_id(draw)} done",
    "combined": lambda draw: (
        f'10.0.0.{draw.randrange(99)} - - [30/Nov/2026:{_times(draw)} +0000] "GET /orders/{_id(draw)} HTTP/1.1" '
        f'200 {draw.randrange(10**5)} "-" "curl/8.5.0"'
    ),
}


def batch_of(line: Callable[[random.Random], str], draw: random.Random, now: int) -> WorkingBatch:
    """Fresh records in groups, as the host hands them on."""
    records = [Record(line(draw), "INFO", "unknown", now, {}, level_is_explicit=False) for _ in range(LOGS)]
    batch = WorkingBatch(records)
    batch.all_groups()
    return batch


def seconds(plugin: FormatsPlugin, batch: WorkingBatch) -> float:
    """CPU of one batch, in microseconds a log, without the host's own grouping."""
    batch._hook = "on_ingest"
    start = time.process_time()
    plugin.on_ingest(batch=batch)
    return (time.process_time() - start) / LOGS * 1e6


def main() -> None:
    """Print the best of several alternating rounds for each format."""
    draw = random.Random(7)
    names = sys.argv[1:] or list(FORMATS)
    plugins = {name: FormatsPlugin(FormatsPlugin.Config()) for name in names}
    known: dict[str, set[str]] = {name: set() for name in names}
    spent: dict[tuple[str, bool], list[float]] = {(name, is_word): [] for name in names for is_word in (False, True)}
    share: dict[tuple[str, bool], float] = {}
    for _ in range(ROUNDS):
        for case, measured in spent.items():
            name, _id_is_word[0] = case
            batch = batch_of(FORMATS[name], draw, time.time_ns() // 1000)
            shapes = [shape_of(record.message) for record in batch.records()]
            share[case] = sum(shape in known[name] for shape in shapes) / LOGS
            known[name].update(shapes)
            measured.append(seconds(plugins[name], batch))
    print(f"{'µs a log':16}{'ids of digits':>16}{'ids of letters':>20}")
    for name in names:
        figures = (f"{min(spent[name, case]):.2f} ({share[name, case]:.0%} seen)" for case in (False, True))
        print("{:16}{:>18}{:>18}".format(name, *figures))


if __name__ == "__main__":
    main()
