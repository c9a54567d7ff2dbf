"""Stack traces of Ruby and PHP."""

from __future__ import annotations

import re

from log_aggregator_classify.trace import Trace, chain, same

_RUBY_FRAME = re.compile(
    r"^\s*(?:from |\d{1,4}: from |at )?([^\s:\n][^:\n]{0,300}\.(?:rb|ru|erb|rake)):\d+:in [`'\"]([^'\"\n]{1,200})['\"]",
    re.MULTILINE,
)
_RUBY_RAISED = re.compile(r"\(([A-Z]\w*(?:::[A-Z]\w*)*)\)\s*$|^([A-Z]\w*(?:::[A-Z]\w*)*)(?: \(|:)", re.MULTILINE)
_PHP_FRAME = re.compile(
    r"^\s*#\d+ (?:[^\n(]{0,400}\(\d+\): |\[internal function\]: )([\w\\\\$:>{}-]{1,200})\(", re.MULTILINE
)
_PHP_RAISED = re.compile(
    r"(?:^|[\s:])([A-Z]\w*(?:\\\\\w+)*)(?=:? )(?:: [^\n]*)? in [^\n]{1,400}?(?::\d+|\(\d+\))", re.MULTILINE
)
_MONOLOG_RAISED = re.compile(r"^([A-Z]\w*(?:\\\\\w+)*): [^\n]* at ([^\s\n]{1,300}\.php):\d+$", re.MULTILINE)
_MONOLOG_FRAME = re.compile(r"^\s+at ([^\s\n]{1,300}\.php):\d+$", re.MULTILINE)
_PHP_NEXT = re.compile(r"^Next ([A-Z]\w*(?:\\\\\w+)*)", re.MULTILINE)


def find(text: str) -> Trace | None:
    """A trace of Ruby or PHP, or `None`."""
    if "Stack trace:\n#0" in text:
        return _php(text)
    if ".php:" in text and (found := _monolog(text)) is not None:
        return found
    return _ruby(text) if ":in " in text else None


def _monolog(text: str) -> Trace | None:
    """An exception in Monolog's context, whose frames are files."""
    raised = _MONOLOG_RAISED.search(text)
    frames = _MONOLOG_FRAME.findall(text, raised.end()) if raised else []
    if raised is None or not frames:
        return None
    return Trace("php", raised[1], tuple(map(same, map(_module, [raised[2], *frames]))), text[: raised.start()])


def _ruby(text: str) -> Trace | None:
    frames = list(_RUBY_FRAME.finditer(text))
    if not frames or "\n" not in text:
        return None
    first_line = text.find("\n", frames[0].start())
    raised = _RUBY_RAISED.search(text[: first_line if first_line > 0 else len(text)])
    kind = (raised[1] or raised[2]) if raised else "exception"
    before = text[: min(raised.start(), frames[0].start()) if raised else frames[0].start()]
    names = [f"{_module(frame[1])}.{frame[2].rpartition('#')[2]}" for frame in frames]
    return Trace("ruby", kind, tuple(map(same, names)), before)


def _php(text: str) -> Trace | None:
    start = text.index("Stack trace:\n#0")
    raised = _PHP_RAISED.search(text[:start])
    if raised is None:
        return None
    names = [frame[1].replace("->", ".").replace("::", ".") for frame in _PHP_FRAME.finditer(text, start)]
    # PHP prints the innermost first and each that was thrown because of it as `Next`.
    exception = chain([*reversed(_PHP_NEXT.findall(text)), raised[1]])
    return Trace("php", exception, tuple(map(same, names)), text[: raised.start(1)])


def _module(path: str) -> str:
    parts = re.split(r"[/\\\\]", re.sub(r"\.\w{1,4}$", "", path))
    return ".".join(part for part in parts[-2:] if part)
