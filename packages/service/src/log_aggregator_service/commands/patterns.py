"""Show the patterns of a file, one message a line, without a service: the stages of plugins.toml are run here.

Prints `pattern-id<TAB>pattern` for every line, in order, as known after the last line.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from log_aggregator.config.settings import load_settings
from log_aggregator.errors import LogAggregatorError
from log_aggregator.http.time_params import moment
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.model.record import Record
from log_aggregator.plugins.configured import load_registry
from log_aggregator_service.commands.arguments import positive_int
from log_aggregator_service.commands.comparing import Counts, compared, known_patterns, unknown
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.offline import Explained, Fields, Final, explain, find_patterns
from log_aggregator_service.reading import batches_of

SUMMARY = "show the patterns of a file, without a service"

EXAMPLES = """examples:
  log-aggregator patterns app.log --top
  log-aggregator patterns app.log --top 20
  log-aggregator patterns app.log --json | jq -r .pattern
  log-aggregator patterns app.log.2.gz --since 2026-11-30T08:00:00Z --top
  log-aggregator patterns today.log --diff yesterday.log           exit code 1: there are new patterns
  log-aggregator patterns app.log | sort -u > known.tsv            saves the patterns
  log-aggregator patterns app.log --check known.tsv                exit code 1: there are others
  journalctl -o cat | log-aggregator patterns - | sort | uniq -c
  echo 'User 123 logged in' | log-aggregator patterns - --explain
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", metavar="FILE|-", help="a log file, also compressed; - is standard input, line by line")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )
    parser.add_argument(
        "--lines", action="store_true", help="join no lines: each line is a message (the default for -)"
    )
    parser.add_argument("--since", type=_moment, metavar="TIME", help="only messages from this time on, such as -1h")
    parser.add_argument("--until", type=_moment, metavar="TIME", help="only messages before this time")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--top",
        nargs="?",
        type=positive_int,
        const=50,
        metavar="N",
        help="a table of the N most frequent (default: 50)",
    )
    form.add_argument("--json", action="store_true", help="a JSON object for each line: pattern_id, pattern, level, …")
    form.add_argument("--diff", metavar="OTHER", help="compare with another file; exit code 1 when a pattern is new")
    form.add_argument("--check", metavar="SAVED", type=Path, help="patterns that are not saved; exit code 1 if any")
    form.add_argument(
        "--explain", action="store_true", help="under each line which rule took which part of it, and what was learned"
    )


def _moment(text: str) -> int:
    try:
        return moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def run(args: argparse.Namespace) -> int:
    """Read, run the stages, print; 1 when a comparison found something, or something failed."""
    # What is made here lives until the end: looking for garbage would find none.
    gc.disable()
    settings = load_settings(os.environ)
    registry = load_registry(settings, os.environ, args.plugins, is_stored=False)
    now = time.time_ns() // 1000
    code = 0
    try:
        batches = batches_of(args.file, now, is_joined=not args.lines)
        if args.explain:
            output = _explained(explain(registry, settings, batches))
        else:
            both = [args.file, args.diff] if args.diff else [args.file]
            sizes: list[int] = []
            fields: list[Fields] = []
            is_asked = args.json or args.since is not None or args.until is not None
            found, final = find_patterns(
                registry, settings, _counted(both, sizes, now, is_joined=not args.lines), fields if is_asked else None
            )
            rows = Rows(found, final, fields, args, now)
            if rows.is_cut and found and not any(time != now for _, _, time in fields):
                raise ValueError("--since, --until: no time was found in any message; does the pipeline read them?")
            output, code = _answer(args, rows, sizes)
        for text in output:
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError, LogAggregatorError) as error:
        text = f"{error.filename or args.file}: {error.strerror}" if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"log-aggregator patterns: {text}\n")
        return 2 if args.diff or args.check else 1
    return code


def _counted(names: list[str], sizes: list[int], now: int, *, is_joined: bool) -> Iterator[list[Record]]:
    """The records of the files, one after another; how many each has is added to `sizes`."""
    for name in names:
        sizes.append(0)
        for batch in batches_of(name, now, is_joined=is_joined):
            sizes[-1] += len(batch)
            yield batch


def _answer(args: argparse.Namespace, rows: Rows, sizes: list[int]) -> tuple[Iterator[str], int]:
    """What is printed, and the exit code."""
    if args.diff:
        new, old = rows.counts(0, sizes[0]), rows.counts(sizes[0], sum(sizes))
        return compared(new, old), int(bool(new.keys() - old.keys()))
    if args.check:
        counts, known = rows.counts(0, sizes[0]), known_patterns(args.check)
        return unknown(counts, known), int(any(pattern_id not in known for pattern_id, _ in counts))
    if args.json:
        return _objects(rows), 0
    return (_table(rows.counts(0, sizes[0]), args.top) if args.top else _lines(rows)), 0


class Rows:
    """The messages that were asked for, each with its pattern and its fields."""

    def __init__(
        self, found: list[str | None], final: Final, fields: list[Fields], args: argparse.Namespace, now: int
    ) -> None:
        self.found, self.final, self.fields = found, final, fields
        self._since, self._until, self._now = args.since, args.until, now
        self.is_cut = args.since is not None or args.until is not None

    def places(self, start: int, end: int) -> Iterable[int]:
        """The places of the messages in a range that were asked for. One without a time is in no span."""
        if not self.is_cut:
            return range(start, end)
        since, until = self._since or 0, self._until or sys.maxsize
        times = self.fields
        return [
            place for place in range(start, end) if since <= times[place][2] < until and times[place][2] != self._now
        ]

    def counts(self, start: int, end: int) -> Counts:
        """How many messages have each pattern; blank lines are none."""
        counts: Counts = Counter()
        for text, count in Counter(self.found[place] for place in self.places(start, end)).items():
            if text is None or text.strip():
                counts[self.final[text]] += count
        return counts


def _lines(rows: Rows) -> Iterator[str]:
    """A row for each message. A blank line of standard input keeps its place; a pattern of several lines is one row."""
    texts = {text: f"{one}\t{_one_line(pattern)}\n" for text, (one, pattern) in rows.final.items()}
    texts |= {text: "-\t\n" for text in rows.final if text is not None and not text.strip()}
    yield "".join([texts[rows.found[place]] for place in rows.places(0, len(rows.found))])


def _one_line(pattern: str) -> str:
    return pattern.replace("\n", "\\n")


def _objects(rows: Rows) -> Iterator[str]:
    encode = msgspec.json.encode
    for place in rows.places(0, len(rows.found)):
        text, (level, source, timestamp) = rows.found[place], rows.fields[place]
        pattern_id, pattern = rows.final[text]
        row = {
            "pattern_id": pattern_id,
            "pattern": pattern,
            "level": level,
            "source": source,
            "timestamp": to_iso(timestamp),
        }
        yield encode(row).decode() + "\n"


def _table(counts: Counts, most: int) -> Iterator[str]:
    yield f"{'count':>10}  {'share':>6}  {'pattern id':<16}  pattern\n"
    for (pattern_id, pattern), count in counts.most_common(most):
        yield f"{count:>10,}  {count / counts.total():>6.1%}  {pattern_id:<16}  {plain(pattern)}\n"
    yield f"{counts.total():,} lines, {len(counts):,} patterns"
    yield f"; the {most} most frequent are shown\n" if len(counts) > most else "\n"


def _explained(explained: list[Explained]) -> Iterator[str]:
    for message, spans, pattern, why in explained:
        if message is None:
            yield "- (refused by a stage)\n"
            continue
        yield f"{message}\n"
        for (start, end), (rule, placeholder) in sorted(spans.items()):
            yield f"{' ' * start}{'^' * (end - start)} {rule}: {placeholder}\n"
        for sentence in why and [pattern, *why]:
            yield f"  = {plain(sentence)}\n"
