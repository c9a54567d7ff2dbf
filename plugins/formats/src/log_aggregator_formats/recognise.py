"""Which format a text is in: by its first characters, then by one expression for each format that may begin so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo

from log_aggregator_formats import access, envelopes, errorlogs, prefixes
from log_aggregator_formats.config import FormatName
from log_aggregator_formats.found import Found
from log_aggregator_formats.layouts import Layout, layout_of
from log_aggregator_formats.structured import PairsLayout, Structured
from log_aggregator_formats.words import WORDS

Step = Callable[[Found], bool]
"""Takes what it recognises off the text; whether it did. One that only sets the level returns false."""

Way = tuple[Step, ...]
"""The steps that told what a message is, in order."""

_FIRST = "".join(sorted({sign for word in WORDS.split("|") for sign in word[0] + word[0].lower()})) + "ıİſK"
"""What words that are levels begin with; the last four are letters of which Python makes no difference to `i`, `s`, `k`."""

_LETTER_GATE = re.compile(
    r"[IWEFDV](?:\d{4}(?:\d{4})? |/|, \[|: )|[A-Z][a-z]{2} (?:[ \d]\d\b|[A-Z][a-z]{2} )|[\w.-]{1,70}-\d{1,4}\s+\| |[\w@.:/-]{1,80}=\S?"
    r"|[\w.:%-]{2,80} (?:(?:\S{1,80} \S{1,80} )?[\[-]|\d{4}-\d\d-\d\d[T ])|(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH) /"
    rf"|(?=[{_FIRST}])(?i:{WORDS})(?:[:\s]|$)"
)
"""What every format that begins with a letter looks like, roughly: one look spares a plain sentence all others."""

_DIGIT_GATE = re.compile(
    r":|\d{4}[-/.]\d\d|\d{8}(?:[T-]\d\d|\d\d(?:\.\d|\d{3}[:\s]|[:\s]))|\d\d?(?::\d\d:\d\d|[-/ ][A-Z][a-z]{2}[-/ ])|\d\d-\d\d \d\d:|\d+:[MCSX] |[\d.a-fA-F:]{3,45} (?:- |\S+ \S+ |)\["
    r"|[\d.a-fA-F:]{3,60} - \"|[\w.-]{1,70}-\d{1,4}\s+\| |[\d.]{7,15}:\d+ "
)
_BLIND = frozenset(
    {
        prefixes.timed, prefixes.named, prefixes.levelled, prefixes.ruby, prefixes.util_logging, envelopes.klog, envelopes.logcat,
        envelopes.logcat_brief, envelopes.process, envelopes.syslog, envelopes.cri, envelopes.redis, envelopes.compose, errorlogs.nginx,
    }
)  # fmt: skip
"""The steps to which any digit is as any other: see `layouts`."""

MOST_STEPS = 5
"""Formats inside of one another: Compose around syslog around JSON."""


def is_sentence(text: str) -> bool:
    """Whether a text is a plain sentence at first sight: it begins with a letter, and as no format does."""
    return text[:1].isalpha() and _LETTER_GATE.match(text) is None


def tells_of_sentences(outline: str) -> bool:
    """Whether `is_sentence` says of an outline what it says of each of its lines.

    It asks what the first word is, and of the next ones for a bracket, a hyphen or a bar, for which no sign stands;
    behind three letters also for a month or a day, behind a method for a path, which a sign may begin.
    """
    first = outline.partition(" ")[0]
    return first.isascii() and len(first) != len("Jan") and not first.isupper()


class Recogniser:
    """The formats that are in force, by the kind of a text's first character."""

    def __init__(self, outcomes: tuple[str, ...], off: frozenset[str], zone: tzinfo) -> None:
        structured = Structured(outcomes)
        self.zone = zone
        self._structured = structured

        def on(name: FormatName, *steps: Step) -> tuple[Step, ...]:
            return () if name in off else steps

        timed = on("prefix", prefixes.timed)
        self._brace = on("json", structured.json)
        self._digit = (
            *on("access", access.common, access.haproxy, access.iis, access.quoted),
            *on("container", envelopes.cri),
            *on("syslog", envelopes.syslog),
            *on("prefix", envelopes.redis, envelopes.logcat, prefixes.epoch),
            *timed,
            *on("container", envelopes.compose),
        )
        self._bracket = (
            *on(
                "prefix",
                envelopes.kernel,
                envelopes.chromium,
                envelopes.process,
                errorlogs.apache,
                errorlogs.samba,
                self._monolog,
            ),
            *timed,
            *on("prefix", prefixes.levelled),
        )
        self._angle = on("syslog", envelopes.priority)
        self._quote = (*on("access", access.quoted), *on("key-value", structured.quoted))
        self._letter = (
            *on("prefix", envelopes.klog, envelopes.logcat_brief, prefixes.ruby, prefixes.util_logging),
            *on("syslog", envelopes.syslog, envelopes.openwrt),
            *on("container", envelopes.compose),
            *on("key-value", structured.logfmt),
            *on("access", access.common, access.quoted, access.plain),
            *on("prefix", prefixes.named, prefixes.timed, prefixes.levelled),
        )
        may_quote = (access.common, access.quoted)
        timed_only = _without(
            self._digit, *may_quote, access.haproxy, envelopes.redis, envelopes.logcat, prefixes.epoch
        )
        self._iso = _without(timed_only, access.iis)
        self._dated = _without(timed_only, envelopes.cri, envelopes.syslog)
        coded = (envelopes.klog, envelopes.logcat_brief, prefixes.ruby, prefixes.util_logging)
        self._pairs = _without(self._letter, *coded, envelopes.syslog, envelopes.compose, prefixes.timed)
        self._word = _without(self._pairs, structured.logfmt)
        self._others = {
            "[": self._bracket, "{": self._brace, "<": self._angle, '"': self._quote,
        }  # fmt: skip
        self._after_level = (*on("prefix", errorlogs.nginx),)

    def recognise(self, message: str, now: int) -> tuple[Found, Way] | None:
        """What a message is, with the steps that told; `None` for a plain sentence. `now` is the time of receipt."""
        found = Found(message, now, self.zone)
        way: list[Step] = []
        for _ in range(MOST_STEPS):
            if not self._step(found, way):
                break
        return (found, tuple(way)) if way and found.text and not found.text.isspace() else None

    def follow(self, way: Way, message: str, now: int) -> Found | None:
        """The same by the steps that told for a message of the same shape; `None` where they do not fit."""
        found = Found(message, now, self.zone)
        for step in way:
            level = found.level
            if not step(found) and found.level == level:
                return None
        return found if found.text and not found.text.isspace() else None

    def layout(self, way: Way, message: str) -> Layout | PairsLayout | None:
        """Where messages of the shape of this one, which went this way, hold their parts; `None` where digits decide."""
        if way == (self._structured.logfmt,):
            layout: Layout | PairsLayout | None = self._structured.layout(message)
        elif _BLIND.issuperset(way):
            layout = layout_of(way, message, self.zone)
        else:
            return None
        return layout

    def _step(self, found: Found, way: list[Step]) -> bool:
        """Take one step; whether there may be another."""
        first = found.text[:1]
        steps: tuple[Step, ...] = ()
        if first.isalpha():
            if _LETTER_GATE.match(found.text):
                steps = self._of_letter(found.text)
        elif first.isdigit() or first == ":":
            if _DIGIT_GATE.match(found.text):
                steps = self._of_digit(found.text)
        else:
            steps = self._others.get(first, ())
        if way and found.level:
            steps += self._after_level
        for step in steps:
            level = found.level
            if step(found):
                way.append(step)
                return True
            if found.level != level:
                way.append(step)
        return False

    def _of_digit(self, text: str) -> tuple[Step, ...]:
        """The steps for a text, without those that its first characters and what it lacks rule out."""
        if text[4:5] != "-" or '"' in text:
            return self._digit
        return self._iso if text[10:11] == "T" else self._dated

    def _of_letter(self, text: str) -> tuple[Step, ...]:
        if not text[1:2].isalpha() or text[3:4] == " " or "|" in text:
            return self._letter
        return self._pairs if "=" in text else self._word

    def _monolog(self, found: Found) -> bool:
        if not prefixes.monolog(found):
            return False
        self._structured.context(found)
        return True


def _without(steps: tuple[Step, ...], *others: Step) -> tuple[Step, ...]:
    return tuple(step for step in steps if step not in others)
