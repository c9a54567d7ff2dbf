"""Leading time, level, thread and logger of the usual text formats."""

from __future__ import annotations

import re

from log_aggregator_formats.found import Found
from log_aggregator_formats.loggers import logger_before
from log_aggregator_formats.words import WORDS, meaning

_ZONE = r"(?:\s?(?:Z|[+-]\d\d:?\d\d|(?:UTC|GMT|CES?T|MSK|[ECMP][SD]T|JST)\b))?"
_GO = re.compile(r" [A-Z]{3,4}(?: m=[+-]\d{1,12}\.\d{1,9})?(?= )")
"""What Go prints behind a zone: its name, and the monotonic clock."""
_DATE = r"(?:\d{4}([-/.])\d\d\1\d\d|\d\d?[-/ ][A-Z][a-z]{2}[-/ ]\d{4}|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d(?=[^\n]{8,18} \d{4}))"
TIME = re.compile(
    rf"{_DATE}[T :]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?{_ZONE}(?: \d{{4}}(?=[\]\s]))?|\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?=\s)|\d{8}[T-]\d\d:?\d\d:?\d\d(?:[.,]\d{1,9})?Z?"
)
"""A time that a line begins with."""

_UPPER = rf"(?:{WORDS})"
_ANY = rf"(?i:{WORDS})"
_LEVEL = (
    rf"(?:[\[(<|]\s*(?:\w{{1,20}}:)?(?P<boxed>{_ANY})\s*[\])>|]|(?P<bare>{_UPPER})(?=[\s:|\])>,-])|(?P<colon>{_ANY})(?=:\s)"
    r"|\[(?P<letter>[TDIWEFC])\])"
)
_LOGGER = r"(?:[A-Za-z_$][\w$-]{0,60}(?:(?:\.|::|/)[\w$\[\]@-]{1,80}){1,12}|(?<=\]\s)[\w$-]{1,60}(?=\s)|(?<=---\s)[\w$-]{1,60}(?=\s))"
_IN_BRACKETS = r"[\w.:#/$@-]{1,60}"
_AFTER_TIME = re.compile(
    r"\s*(?:[-|:]\s+)?"
    # ZooKeeper: the number of the server
    r"(?:\[myid:(?P<myid>\d{0,9})\]\s+-\s+)?"
    # PostgreSQL, MySQL: the process; then up to three boxes, the last of which is the thread
    r"(?:(?P<pid>\d{1,8})\s+(?=\[))?"
    rf"(?:[\[(](?!(?:{_ANY})\s*[\])])(?P<thread>[^\])\[\n]{{1,60}})[\])]:?\s*){{0,3}}"
    # Airflow: where the call stands
    r"(?:\{(?P<caller>[\w./-]{1,100}\.py:\d{1,7})\}\s+)?"
    # Python: the logger before the level; PostgreSQL: user and database, and lines that explain the one before
    r"(?:(?P<logger>[\w.$:/-]{1,80})\s+[-|]\s+)?"
    r"(?:(?P<user>\[unknown\]|[\w.-]{1,63})@(?P<database>\[unknown\]|[\w.-]{1,63})\s+)?"
    rf"(?:{_LEVEL}|(?=(?:DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION):\s))"
    r"[:,]?\s*(?:-\s+|\|(?!\s?[\w.$]{1,80}\s?\|)\s*|\|(?=\s?[\w.$]))?"
    # Home Assistant: the thread and the logger, each in brackets of its own
    rf"(?:\((?P<thread4>[\w.:#-]{{1,60}})\)\s+\[(?P<logger4>{_IN_BRACKETS})\]\s+)?"
    # Spring: the process, `---` and the thread
    r"(?:(?P<pid2>\d{1,8})(?:#\d+)?:?\s+(?=---|\[|\*\d))?"
    r"(?:--+\s*(?::\s+)?)?"
    rf"(?:\[(?P<thread2>{_IN_BRACKETS})(?<!\.go:\d)\s*\]\s*(?:-\s+)?)?(?:\[\s*(?P<thread3>{_IN_BRACKETS})\s*\]\s*)?"
    # log4j, logback, Spring: the logger behind the level; or between bars
    rf"(?:(?P<logger2>{_LOGGER})\s+(?::|--?)\s+|(?<=\|)\s?(?P<logger3>[\w.$]{{1,80}})\s?\|\s?)?"
)
"""What stands between a time and the sentence, in this order, with each part but the level optional."""

_EPOCH = re.compile(r"(\d{10}(?:\.\d{1,9})?|\d{13}):?\s+(?=\S)")
_NAMED_TIME = re.compile(
    rf"(?P<name>[A-Za-z][\w.-]{{1,40}}) (?P<time>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?{_ZONE}):\s+(?=\S)"
)
_CALLER = re.compile(r"\s*([\w./-]{1,100}\.(?:go|py|rs|js|ts|rb|c|cc|cpp|java):\d+):?\s+")
_BOXED = re.compile(rf"\[(?P<level>{_ANY})\s*\][:\s]\s*")
_NAMED = re.compile(rf"(?P<level>{_ANY}):(?P<logger>[\w.-]{{1,80}}):(?=\S)")
_DOTNET = re.compile(r"(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.]{1,120})\[(?P<event>\d+)\]\s+")
_APT = re.compile(r"(?P<level>[EWN]): (?=[A-Z])")
_UTIL = re.compile(
    rf"(?P<time>[A-Z][a-z]{{2}} \d\d?, \d{{4}} \d\d?:\d\d:\d\d [AP]M) (?P<logger>[\w.$]{{1,120}})(?: (?P<method>\S{{1,80}}))?\n(?P<level>{_UPPER}): "
)
_COLON = re.compile(rf"(?P<level>{_UPPER}):\s+")
_BARE = re.compile(rf"(?P<level>{_UPPER})(?=\s+[\[\w('\"])")
_RUBY = re.compile(
    r"[DIWEFAU], \[(?P<time>[^\]#\n]{19,32}?)\s*#(?P<pid>\d+)\]\s+(?P<level>[A-Z]{3,7}) -- (?P<logger>[^:\n]{0,60}): "
)
_MONOLOG = re.compile(rf"\[(?P<time>[^\]\n]{{19,32}})\] (?=(?P<logger>[\w-]{{1,40}})\.(?P<level>{_UPPER}): )")
_IN_BOX = re.compile(
    rf"\s*(?:[\]|:]?\s*\[?\s*)(?P<level>{_ANY})\s*(?:[\s/](?P<logger>[\w:.$-]{{1,80}}))?\s*\](?:\s*\[(?P<logger2>[\w.$ -]{{1,80}}?)\s*\])?"
    r"(?:\s+(?P<logger3>[A-Za-z_$][\w.$-]{0,79})(?=\s-\s))?:?\s*(?:-\s+)?"
)
_LETTERS = {"T": "TRACE", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL", "C": "CRITICAL"}


def timed(found: Found) -> bool:
    """`2026-03-01 10:00:00 INFO [main] c.e.App : …`: a time, and what stands before the sentence behind it."""
    text = found.text
    box = text[:1] == "["
    match = TIME.match(text, 1 if box else 0)
    if match is None or not found.take_time(match[0]):
        return False
    end = match.end()
    if not box and match[0][-5:-4] in ("+", "-") and (go := _GO.match(text, end)) is not None:
        end = go.end()
    if box:
        inside = _IN_BOX.match(text, end)
        closes = text[end : end + 1] == "]"
        if inside is not None and (not closes or text[end : end + 2] in ("][", "] ")):
            _take(found, inside, "level", "logger", "logger2", "logger3")
            found.text = text[inside.end() :]
            return True
        if not closes:
            return False
        end += 1
    after = _AFTER_TIME.match(text, end)
    if after is not None:
        _take_after(found, after)
        end = after.end()
    elif text[end : end + 1] not in ("", " ", "\t", ":", "|", "-", ","):
        return False
    caller = _CALLER.match(text, end)
    if caller is not None:
        found.take_field("caller", caller[1])
        end = caller.end()
    rest = text[end:].lstrip(" \t")
    found.text = rest if after is not None else rest.removeprefix(": ").removeprefix("- ").removeprefix("| ")
    return True


_GROUPS = (
    "boxed", "bare", "colon", "letter", "thread", "thread2", "thread3", "thread4", "pid", "pid2",
    "logger", "logger2", "logger3", "logger4", "caller", "myid", "user", "database",
)  # fmt: skip
"""The groups of `_AFTER_TIME`, in the order in which `_take_after` takes them."""


def _take_after(found: Found, after: re.Match[str]) -> None:
    boxed, bare, colon, letter, *threads, pid, pid2, logger, logger2, logger3, logger4, caller, myid, user, database = (
        after.group(*_GROUPS)
    )
    word = boxed or bare or colon
    found.level = meaning(word) if word else _LETTERS.get(letter, "")
    fields = found.fields
    if colon and colon.islower() and threads[0]:  # winston's label
        logger, threads[0] = threads[0].strip(), None
    for value in threads:
        if value and (text := value.strip()):
            fields.setdefault("pid" if text.isdecimal() else "caller" if ":" in text else "thread", text)
    if pid or pid2:
        fields.setdefault("pid", pid or pid2)
    found.take_field("caller", caller)
    found.take_field("myid", myid)
    if database and user != "[unknown]":
        found.take_field("user", user)
        found.take_field("database", database)
    if name := logger or logger2 or logger3 or logger4:
        fields.setdefault("logger", name)
    else:
        found.take_field("logger", logger_before(found.text, after.end()))


def _take(found: Found, match: re.Match[str], level: str, *loggers: str) -> None:
    found.level = meaning(match[level]) or found.level
    for name in loggers:
        if match[name]:
            found.take_field("logger", match[name].strip())


def epoch(found: Found) -> bool:
    """`1772359200: New connection …`, `1772359200.123  17 10.0.0.1 …`: seconds or milliseconds since 1970.

    A number that is no time of the last years stays: it may be one of a telephone.
    """
    match = _EPOCH.match(found.text)
    if match is None or not found.take_epoch(match[1]):
        return False
    found.text = found.text[match.end() :]
    return True


def named(found: Found) -> bool:
    """`update-alternatives 2026-03-01 10:00:00: …`: the program before the time."""
    match = _NAMED_TIME.match(found.text)
    if match is None or meaning(match["name"]) or not found.take_time(match["time"]):
        return False
    found.source = found.source or match["name"]
    found.text = found.text[match.end() :]
    return True


def levelled(found: Found) -> bool:
    """`[info] …`, `WARNING:root:…`, `crit: App[0] …`, `ERROR: …`; a bare word stays: it may belong to the sentence."""
    text = found.text
    for form in (_BOXED, _NAMED, _DOTNET, _COLON):
        if match := form.match(text):
            _take(found, match, "level", *(name for name in ("logger",) if name in form.groupindex))
            if "event" in form.groupindex:
                found.take_field("event_id", match["event"])
            found.text = text[match.end() :]
            return True
    if match := _APT.match(text):
        found.level = {"E": "ERROR", "W": "WARN", "N": "NOTICE"}[match["level"]]
        found.text = text[match.end() :]
        return True
    if match := _BARE.match(text):
        found.level = found.level or meaning(match["level"])
    return False


def util_logging(found: Found) -> bool:
    """The two lines of `java.util.logging`."""
    match = _UTIL.match(found.text)
    if match is None:
        return False
    found.take_time(match["time"])
    _take(found, match, "level", "logger")
    found.take_field("method", match["method"])
    found.text = found.text[match.end() :]
    return True


def ruby(found: Found) -> bool:
    """`I, [2026-03-01T10:00:00.123456 #1234]  INFO -- : …`: Ruby's Logger, Rails."""
    match = _RUBY.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    _take(found, match, "level", "logger")
    found.take_field("pid", match["pid"])
    found.text = found.text[match.end() :]
    return True


def monolog(found: Found) -> bool:
    """`[2026-03-01 10:00:00] production.ERROR: … {context} []`: the channel with its level stays."""
    match = _MONOLOG.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    found.level = meaning(match["level"])
    found.text = found.text[match.end() :].removesuffix(" []").removesuffix(" []")
    return True
