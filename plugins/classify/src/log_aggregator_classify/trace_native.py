"""Stack traces of Rust, of C and C++ (glibc, sanitizers, gdb), and of Go's errors without a goroutine."""

from __future__ import annotations

import re

from log_aggregator_classify.trace import Trace, same

_RUST_PANIC = re.compile(r"thread '[^'\n]{0,80}' (?:\(\d+\) )?panicked at ([^\n]{1,300})", re.MULTILINE)
_RUST_FRAME = re.compile(r"^\s*\d+: (?:0x[0-9a-f]+ - )?([^\n]{1,300}?)(?:::h[0-9a-f]{16})?$", re.MULTILINE)
_RUST_OWN = ("std::", "core::", "alloc::", "rust_begin_unwind", "__rust", "_start", "__libc", "<alloc", "<core", "<std")
_GDB_FRAME = re.compile(
    r"^\s*#\d+\s+(?:0x[0-9a-f]+ in )?([\w:~<>,*& ]{1,200}?)(?: ?\([^\n]{0,400}?\))?(?: (?:at|from|in) [^\n]{1,400}| [^\s\n]{1,300}:\d+(?::\d+)?| \([^\n]{1,300}\))?$",
    re.MULTILINE,
)
_SYMBOL_FRAME = re.compile(
    r"^\s*(?:\[[^\]\n]{1,40}\] )?[^\s(\n]{1,300}\(([\w~:<>]{0,200})\+0x[0-9a-f]+\)\s?\[0x[0-9a-f]+\]", re.MULTILINE
)
_CPP_WHAT = re.compile(
    r"terminate called after throwing an instance of '([^'\n]{1,200})'|\*\*\* Error in [^\n:]{1,300}: ([a-z][^\n:(]{1,80})"
    r"|ERROR: (\w+Sanitizer: [\w-]{1,80})|(Segmentation fault|Aborted|Bus error|stack smashing detected|SIG[A-Z]{3,5})"
)
_GO_FRAME = re.compile(r"^([\w./*()\-\[\]]{1,300}?)(?:\([^()\n]{0,500}\))?\n\t[^\n]{1,500}\.go:\d+", re.MULTILINE)


def find(text: str) -> Trace | None:
    """A trace of one of these, or `None`."""
    if "panicked at" in text:
        return _rust(text)
    if ".go:" in text and (found := _go_errors(text)) is not None:
        return found
    if "#0" in text or "[0x" in text or "terminate called" in text:
        return _cpp(text)
    return None


def _rust(text: str) -> Trace | None:
    panic = _RUST_PANIC.search(text)
    if panic is None:
        return None
    place, _, said = panic[1].partition(": ") if not panic[1].endswith(":") else (panic[1].rstrip(":"), "", "")
    if panic[1].startswith("'"):  # before Rust 1.73: panicked at 'text', src/main.rs:4:5
        said, _, place = panic[1].strip("'").rpartition("', ")
    said = said or text[panic.end() :].lstrip("\n").partition("\n")[0]
    frames = [frame[1] for frame in _RUST_FRAME.finditer(text, panic.end())]
    own = [frame for frame in frames if not frame.startswith(_RUST_OWN)]
    names = own or [re.sub(r":\d+(?::\d+)?$", "", place)]
    kind = said.strip().partition(": ")[0].replace("`", "")[:100] or "panic"
    return Trace("rust", same(kind), tuple(map(same, names)), text[: panic.start()])


def _cpp(text: str) -> Trace | None:
    frames = list(_GDB_FRAME.finditer(text)) or [frame for frame in _SYMBOL_FRAME.finditer(text) if frame[1]]
    what = _CPP_WHAT.search(text)
    if what is None and (not frames or frames[0].start() == 0):
        return None
    if what is None and not text[: frames[0].start()].strip():
        return None
    if not frames and (what is None or what[1] is None):
        return None
    kind = next((part for part in what.groups() if part), "crash") if what else "crash"
    before = text[: what.start() if what else frames[0].start()]
    return Trace("c++", same(kind.strip()), tuple(same(frame[1].strip()) for frame in frames), before)


def _go_errors(text: str) -> Trace | None:
    """The stack of an error: zap, pkg/errors."""
    frames = list(_GO_FRAME.finditer(text))
    if not frames or not text[: frames[0].start()].strip():
        return None
    return Trace("go", "error", tuple(same(frame[1]) for frame in frames), text[: frames[0].start()])
