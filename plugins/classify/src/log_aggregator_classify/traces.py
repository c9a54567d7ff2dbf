"""What a stack trace is in each language, and which exception and frames it is about."""

from __future__ import annotations

import re

from log_aggregator_classify import trace_native as native
from log_aggregator_classify import trace_scripts as scripts
from log_aggregator_classify.trace import Trace, chain, same

LONGEST = 65_536
"""Characters of a message that are read."""


def find_trace(message: str) -> Trace | None:
    """The stack trace in a message, or `None`. Line numbers, addresses and texts of exceptions are left out."""
    if "\n" not in message:
        return None
    text = message[:LONGEST]
    if "Traceback (most recent call last)" in text:
        return _python(text)
    if "goroutine " in text:
        return _go(text)
    if (found := scripts.find(text) or native.find(text)) is not None:
        return found
    if "at " in text and (found := _java(text) or _javascript(text)) is not None:
        return found
    return _javascript(text) if "@" in text else None


_NAME = r"[A-Za-z_$][\w$]{0,200}"
_DOTTED = rf"{_NAME}(?:\.{_NAME}){{0,20}}"
_PY_FRAME = re.compile(r'^ *File "([^"\n]{1,500})", line \d+, in ([^\n]{1,200})$', re.MULTILINE)
_PY_RAISED = re.compile(rf"^({_DOTTED})(?::[^\n]*)?$", re.MULTILINE)


def _python(text: str) -> Trace | None:
    tracebacks = text.split("Traceback (most recent call last)")
    frames = list(_PY_FRAME.finditer(tracebacks[-1]))
    if not frames:
        return None
    raised = [_python_raised(part) for part in tracebacks[:0:-1]]
    names = [f"{_module(frame[1])}.{frame[2].strip()}" for frame in reversed(frames)]
    return Trace("python", chain(raised) or "exception", tuple(map(same, names)), tracebacks[0])


def _python_raised(text: str) -> str:
    frames = list(_PY_FRAME.finditer(text))
    raised = _PY_RAISED.search(text, frames[-1].end()) if frames else None
    return raised[1] if raised else ""


def _module(path: str) -> str:
    """`/srv/app/shop/cart.py` and `C:\\app\\shop\\cart.py` are `shop.cart`."""
    parts = re.split(r"[/\\]", re.sub(r"\.\w{1,4}$", "", path))
    return ".".join(part for part in parts[-2:] if part)


_JAVA_FRAME = re.compile(
    rf"^[ \t]+at ((?:[\w.$@-]{{1,100}}/)?{_DOTTED}\.(?:{_NAME}|<init>|<clinit>))\([^)\n]{{0,200}}\)", re.MULTILINE
)
_JAVA_THROWN = re.compile(rf"(?:^|[\s:])((?:{_NAME}\.){{1,20}}[A-Z][\w$]{{0,200}})(?=:|\s|$)")
_JAVA_SIMPLE = re.compile(r"(?:^|[\s:])([A-Z]\w{0,100}(?:Exception|Error))(?=:|\s|$)")
_JAVA_CAUSE = re.compile(rf"^[ \t]*Caused by: ({_DOTTED})", re.MULTILINE)
_NET_CAUSE = re.compile(rf" ---> ({_DOTTED})")
_JAVA_GENERATED = re.compile(r"\$\$[\w$/.]+|\$Proxy\d+|GeneratedMethodAccessor\d+|/0x[0-9a-f]+")


def _java(text: str) -> Trace | None:
    first = _JAVA_FRAME.search(text)
    if first is None:
        return None
    before = text[: first.start()]
    thrown = list(_JAVA_THROWN.finditer(before)) or list(_JAVA_SIMPLE.finditer(before))
    if not thrown:
        return None
    causes = list(_JAVA_CAUSE.finditer(text))
    inner = _NET_CAUSE.findall(before)
    head = thrown[0] if inner else thrown[-1]
    exception = chain([head[1], *inner, *(cause[1] for cause in causes)])
    frames = [
        _JAVA_GENERATED.sub("", f[1].split("/")[-1])
        for f in _JAVA_FRAME.finditer(text, causes[-1].end() if causes else 0)
    ]
    return Trace("java", exception, tuple(map(same, frames)), text[: head.start(1)])


_JS_FRAME = re.compile(
    r"^[ \t]+at (?:async )?(?:(?:new )?([^\s(][^\n(]{0,200}?) (?:\[as [^\]\n]{1,100}\] )?\()?"
    r"([^\n()]{0,500}?):\d+:\d+\)?(?: \{)?$"
    r"|^([^\s@\n]{0,200})@([^\n@]{1,500}?):\d+:\d+$",
    re.MULTILINE,
)
_JS_THROWN = re.compile(rf"(?:^|[\s(])(?:Uncaught )?({_NAME}(?:Error|Exception|Warning|Rejection)|Error)\b")

_JS_CAUSE = re.compile(rf"(?:\[cause\]:|^Caused by:) ({_NAME})", re.MULTILINE)


def _javascript(text: str) -> Trace | None:
    frames = list(_JS_FRAME.finditer(text))
    if not frames:
        return None
    thrown = list(_JS_THROWN.finditer(text[: frames[0].start()]))
    if not thrown and not text[: frames[0].start()].strip():
        return None
    names = [frame[1] or frame[3] or _module(frame[2] or frame[4] or "") for frame in frames]
    causes = _JS_CAUSE.findall(text, frames[0].end())
    head = text[: thrown[-1].start(1)] if thrown else text[: frames[0].start()]
    exception = chain([thrown[-1][1] if thrown else "Error", *causes])
    return Trace("javascript", exception, tuple(map(same, names)), head)


_GO_FRAME = re.compile(
    r"^(?:created by )?([\w./*()\-]{1,300}?)(?:\([^()\n]{0,500}\)| in goroutine \d+)?\n\t[^\n]{1,500}:\d+", re.MULTILINE
)
_GO_PANIC = re.compile(r"^(?:panic|fatal error): ([^\n]{1,300})", re.MULTILINE)
_GO_RUNTIME = ("panic", "runtime.", "runtime/", "testing.", "log.")


def _go(text: str) -> Trace | None:
    start = text.index("goroutine ")
    end = text.find("\n\n", start)
    frames = [match[1] for match in _GO_FRAME.finditer(text, start, end if end > 0 else len(text))]
    if not frames:
        return None
    panic = _GO_PANIC.search(text)
    said = re.split(r":(?! )| \[recovered|\[signal", panic[1])[0] if panic else "panic"
    own = [frame for frame in frames if not frame.startswith(_GO_RUNTIME)] or frames
    head = text[: panic.start() if panic else start]
    return Trace("go", same(said.strip()[:100]), tuple(map(same, own)), head)
