"""Send files, a pipe or the systemd journal to a service."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from log_aggregator_client import Delivery, DeliveryError
from log_aggregator_reader import Input, matches, without_rotations
from log_aggregator_service.commands.arguments import positive, positive_int
from log_aggregator_service.commands.target import add_patience, add_target, delivery
from log_aggregator_service.sending.batches import batches
from log_aggregator_service.sending.follow import Files, JournalEntries, finish_pending, follow
from log_aggregator_service.sending.form import Form, names_of
from log_aggregator_service.sending.place import PlaceFile, default_path
from log_aggregator_service.sending.progress import Progress
from log_aggregator_service.sending.source import Log, read_logs
from log_aggregator_service.sending.tally import Tally

SUMMARY = "send files, a pipe or the journal to a service"

EXAMPLES = """\
examples:
  log-aggregator send app.log --source shop
  log-aggregator send /var/log/shop/*.log* --source shop
  log-aggregator send --follow '/var/log/shop/*.log'        goes on where it stopped, through rotations
  log-aggregator send --from journald --follow
  log-aggregator send events.ndjson --map message=text,level=sev
  kubectl logs -f shop | log-aggregator send - --source shop

Text, NDJSON, JSON, Docker's and Kubernetes' log files are told apart by their beginning; files may be compressed
(.gz, .zst, .bz2, .xz). Lines that belong together, such as a stack trace, are one log; --lines sends each by itself.
An API key is read from LOG_AGGREGATOR_API_KEY. The exit code is 0 when every log was accepted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="files or patterns; - is standard input")
    add_target(parser)
    parser.add_argument("--from", dest="origin", choices=["journald"], help="send the systemd journal instead of files")
    parser.add_argument("--follow", action="store_true", help="send what is written to the files, until Ctrl-C")
    parser.add_argument("--place", type=Path, metavar="FILE", help="where --follow keeps its place (default: shown)")
    parser.add_argument("--source", default="", help="source of logs that name none")
    parser.add_argument("--level", default="", help="level of logs that name none")
    parser.add_argument("--format", choices=["auto", "raw", "json", "ndjson"], default="auto", help="default: auto")
    parser.add_argument("--lines", action="store_true", help="every line is a log: do not join those of a stack trace")
    parser.add_argument(
        "--map", type=_names, default=(), metavar="FIELD=NAME,…", help="names of message, level, source or timestamp"
    )
    parser.add_argument("--batch", type=positive_int, default=1000, metavar="N", help="logs together (default: 1000)")
    parser.add_argument("--rate", type=positive, metavar="N", help="at most so many logs a second (default: no limit)")
    add_patience(parser)


def _names(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return names_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Send everything and say what became of it."""
    form = Form(args.format, args.source, args.level, args.map, not args.lines)
    is_endless = args.follow or args.origin is not None
    try:
        _check(args)
        target = delivery(args, "send", is_endless=args.follow)
        names = [str(Path(name).absolute()) for name in args.files] if is_endless else _found(args.files)
        place = PlaceFile(args.place or default_path(args.url, names or ["journald"])) if is_endless else None
    except (ValueError, OSError) as error:
        sys.stderr.write(f"log-aggregator send: {_text(error)}\n")
        return 2
    tally = Tally()
    progress = Progress(sys.stderr, None if is_endless else _size(names))
    problem, code = "", 0
    try:
        if place is not None:
            _follow(args, target, place, names, form, tally, progress)
        else:
            _send_all(names, target, form, tally, progress, args)
    except (DeliveryError, ValueError, OSError) as error:
        problem, code = f"log-aggregator send: stopped: {_text(error)}; what came after was not sent\n", 1
    except KeyboardInterrupt:
        problem, code = "log-aggregator send: interrupted; a batch under way may have been accepted\n", 130
    tally.retries = target.retries
    progress.close()
    target.close()
    if place is not None:
        problem = problem if code == 1 else ""  # the same range goes under the same key next time
        place.close()
    sys.stderr.write(f"{tally.report()}\n{problem}")
    return code or (1 if tally.refused else 0)


def _check(args: argparse.Namespace) -> None:
    if not args.files and args.origin is None:
        raise ValueError("expected files, - for standard input, or --from journald")
    if args.files and args.origin is not None:
        raise ValueError(f"--from {args.origin}: expected no files beside it")
    if args.follow and "-" in args.files:
        raise ValueError("--follow: expected files; standard input is read to its end anyway")
    if args.place and not (args.follow or args.origin):
        raise ValueError("--place: expected --follow or --from beside it")


def _follow(
    args: argparse.Namespace,
    target: Delivery,
    place: PlaceFile,
    names: list[str],
    form: Form,
    tally: Tally,
    progress: Progress,
) -> None:
    def say(text: str) -> None:
        sys.stderr.write(f"log-aggregator send: {text}\n")
        sys.stderr.flush()

    say(f"the place is kept in {place.path}")
    size = _batch_size(args)
    if args.origin is not None:
        followed: Files | JournalEntries = JournalEntries(place, form, size, follow=args.follow)
    else:
        followed = Files(names, place, form, size, say)
    try:
        finish_pending(target, place, followed, tally, say)
        follow(target, place, followed, tally, lambda: progress.show(0, tally.sent), args.rate)
    finally:
        followed.close()


def _send_all(
    names: list[str], target: Delivery, form: Form, tally: Tally, progress: Progress, args: argparse.Namespace
) -> None:
    done = 0
    for name in names:
        source = Input(0) if name == "-" else Input.of(Path(name))
        try:
            for batch in batches(
                _named(read_logs(source, form, name if len(names) > 1 else ""), name), _batch_size(args)
            ):
                _send(target, batch, tally, args.rate)
                progress.show(done + batch[-1].read, tally.sent)
        finally:
            done += source.read
            if name != "-":
                source.close()


def _named(logs: Iterator[Log | None], name: str) -> Iterator[Log | None]:
    """The logs; what is wrong with the file is told with its name."""
    try:
        yield from logs
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _send(target: Delivery, batch: list[Log], tally: Tally, rate: float | None) -> None:
    if rate is not None:
        time.sleep(max(0.0, tally.sent / rate - tally.seconds))
    tally.add(target.send([log.body for log in batch]), [log.place for log in batch])


def _found(patterns: list[str]) -> list[str]:
    """The files that are named, the older parts of each before it. Raises `OSError` for one that is not there."""
    if "-" in patterns:
        return ["-"]
    found: list[str] = []
    for path, older in without_rotations(path for pattern in patterns for path in _matches(pattern)).items():
        older.sort(key=lambda one: one.stat().st_mtime_ns)
        found += [str(one) for one in [*older, path] if one not in older or one.exists()]
    for name in found:
        if Path(name).is_dir():
            raise IsADirectoryError(
                errno.EISDIR, "a directory; name its files, such as " + str(Path(name) / "*.log"), name
            )
        os.close(os.open(name, os.O_RDONLY))
    return found


def _matches(pattern: str) -> list[Path]:
    found = matches(pattern)
    if not found:
        raise FileNotFoundError(errno.ENOENT, "no file matches", pattern)
    return found


def _size(names: list[str]) -> int | None:
    return None if names == ["-"] else sum(Path(name).stat().st_size for name in names)


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _batch_size(args: argparse.Namespace) -> int:
    """At a low rate small batches, so that logs come evenly: about five a second."""
    size: int = args.batch
    return size if args.rate is None else max(1, min(size, int(args.rate / 5)))
