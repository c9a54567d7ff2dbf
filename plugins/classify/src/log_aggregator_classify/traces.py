"""What a stack trace is in Python, Java, JavaScript and Go, and which exception and frames it is about."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 65_536
"""Characters of a message that are read."""


class Trace(NamedTuple):
    """A stack trace: its language, the exception, and the frames, the one that raised first."""

    language: str
    exception: str
    frames: tuple[str, ...]

    def pattern(self, most: int) -> str:
        """The pattern that groups it: `{TRACE} KeyError at shop.cart.add < shop.views.buy`."""
        frames = " < ".join(self.frames[:most])
        return f"{{TRACE}} {self.exception}" + (f" at {frames}" if frames else "")


def find_trace(message: str) -> Trace | None:
    """The stack trace in a message, or `None`. Line numbers, addresses and texts of exceptions are left out."""
    if "\n" not in message:
        return None
    text = message[:LONGEST]
    if "Traceback (most recent call last)" in text:
        return _python(text)
    if "goroutine " in text:
        return _go(text)
    if "\n" in text and "at " in text:
        return _java(text) or _javascript(text)
    return _javascript(text) if "@" in text else None


_NAME = r"[A-Za-z_$][\w$]{0,200}"
_DOTTED = rf"{_NAME}(?:\.{_NAME}){{0,20}}"
_GENERATED = re.compile(r"0x[0-9a-fA-F]+|\d+")


def _same(name: str) -> str:
    """A name without what is generated anew: `$$Lambda$14/0x3f` and `lambda$run$0` keep no numbers."""
    return _GENERATED.sub("0", name)


_PY_FRAME = re.compile(r'^ *File "([^"\n]{1,500})", line \d+, in ([^\n]{1,200})$', re.MULTILINE)
_PY_RAISED = re.compile(rf"^({_DOTTED})(?::[^\n]*)?$", re.MULTILINE)


def _python(text: str) -> Trace | None:
    last = text[text.rindex("Traceback (most recent call last)") :]
    frames = list(_PY_FRAME.finditer(last))
    if not frames:
        return None
    raised = _PY_RAISED.search(last, frames[-1].end())
    names = [f"{_module(frame[1])}.{frame[2].strip()}" for frame in reversed(frames)]
    return Trace("python", raised[1] if raised else "exception", tuple(map(_same, names)))


def _module(path: str) -> str:
    """`/srv/app/shop/cart.py` and `C:\\app\\shop\\cart.py` are `shop.cart`."""
    parts = re.split(r"[/\\]", re.sub(r"\.\w{1,4}$", "", path))
    return ".".join(part for part in parts[-2:] if part)


_JAVA_FRAME = re.compile(
    rf"^[ \t]+at ((?:[\w.$@-]{{1,100}}/)?{_DOTTED}\.(?:{_NAME}|<init>|<clinit>))\([^)\n]{{0,200}}\)", re.MULTILINE
)
_JAVA_THROWN = re.compile(rf"(?:^|[\s:])((?:{_NAME}\.){{1,20}}[A-Z][\w$]{{0,200}})(?=:|\s|$)")
_JAVA_CAUSE = re.compile(rf"^[ \t]*Caused by: ({_DOTTED})", re.MULTILINE)
_JAVA_GENERATED = re.compile(r"\$\$[\w$/.]+|\$Proxy\d+|GeneratedMethodAccessor\d+|/0x[0-9a-f]+")


def _java(text: str) -> Trace | None:
    first = _JAVA_FRAME.search(text)
    if first is None:
        return None
    thrown = _JAVA_THROWN.findall(text[: first.start()])
    if not thrown:
        return None
    causes = list(_JAVA_CAUSE.finditer(text))
    exception = thrown[-1] if not causes or causes[-1][1] == thrown[-1] else f"{thrown[-1]} caused by {causes[-1][1]}"
    frames = [
        _JAVA_GENERATED.sub("", f[1].split("/")[-1])
        for f in _JAVA_FRAME.finditer(text, causes[-1].end() if causes else 0)
    ]
    return Trace("java", exception, tuple(map(_same, frames)))


_JS_FRAME = re.compile(
    r"^[ \t]+at (?:async )?(?:(?:new )?([^\s(][^\n(]{0,200}?) (?:\[as [^\]\n]{1,100}\] )?\()?"
    r"([^\n()]{0,500}?):\d+:\d+\)?$"
    r"|^([^\s@\n]{0,200})@([^\n@]{1,500}?):\d+:\d+$",
    re.MULTILINE,
)
_JS_THROWN = re.compile(rf"(?:^|[\s(])(?:Uncaught )?({_NAME}(?:Error|Exception|Warning|Rejection)|Error)\b")


def _javascript(text: str) -> Trace | None:
    frames = list(_JS_FRAME.finditer(text))
    if not frames:
        return None
    thrown = _JS_THROWN.findall(text[: frames[0].start()])
    if not thrown and not text[: frames[0].start()].strip():
        return None
    names = [frame[1] or frame[3] or _module(frame[2] or frame[4] or "") for frame in frames]
    return Trace("javascript", thrown[-1] if thrown else "Error", tuple(map(_same, names)))


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
    return Trace("go", _same(said.strip()[:100]), tuple(map(_same, own)))
