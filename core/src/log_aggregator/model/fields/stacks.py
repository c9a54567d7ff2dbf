"""Stacks as loggers send them, text or lists of frames → the text that the language itself would print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_FRAMES = 200
"""Frames of a list that are written; longer ones are of recursions."""

_ALWAYS = frozenset({"@x", "stack", "stack_trace", "stacktrace", "backtrace"})
"""Names under which one line is a stack, too. Under others it may be any word on the error."""


def stack_text(name: str, value: Any, owner: Mapping[str, Any]) -> str:
    """The stack under this lower-case name of the object `owner`; empty where the value is none."""
    if type(value) is str:
        last = name.rpartition(".")[2]
        if value.startswith('  File "'):  # ECS of Python: the frames alone
            return "\n".join(filter(None, ("Traceback (most recent call last):", value.rstrip(), _head(owner))))
        return value.rstrip() if "\n" in value.strip() or (last in _ALWAYS and value.strip()) else ""
    if type(value) is list and value:
        return _of_list(value[:MOST_FRAMES], owner)
    if type(value) is dict:
        return _of_object(value)
    return ""


def _of_list(frames: Sequence[Any], owner: Mapping[str, Any]) -> str:
    if all(type(frame) is str for frame in frames):
        head = _head(owner)
        lines = [line.rstrip("\n") for line in frames]
        if head and not lines[0].startswith(head[:40]) and not lines[0].startswith("Traceback"):
            lines = [head, *(line if line[:1].isspace() else f"    at {line}" for line in lines)]
        return "\n".join(lines)
    if not all(type(frame) is dict for frame in frames):
        return ""
    if any("exc_type" in frame for frame in frames):
        return _of_python(frames)
    lines = [line for frame in frames if (line := _frame(frame))]
    return "\n".join([head, *lines] if lines and (head := _head(owner)) else lines)


def _of_object(error: Mapping[str, Any]) -> str:
    """An error object whose frames are a list, as Monolog, log4j and others write it."""
    for key in ("stack", "stacktrace", "stack_trace", "backtrace", "trace", "extendedStackTrace", "frames"):
        value = error.get(key)
        if type(value) is str and "\n" in value:
            return value.rstrip()
        if type(value) is list and value and (text := _of_list(value[:MOST_FRAMES], error)):
            return text
    return ""


def _head(error: Mapping[str, Any]) -> str:
    """`KeyError: 'sku'`, of the fields beside the frames."""
    kind = next((error[key] for key in ("type", "name", "class", "errorType", "exc_type") if _is_text(error, key)), "")
    text = next((error[key] for key in ("message", "errorMessage", "value", "exc_value") if _is_text(error, key)), "")
    if "class" in error and _is_text(error, "file"):  # Monolog
        text += f" at {error['file']}"
    return f"{kind}: {text}" if kind and text else kind or ""


def _is_text(error: Mapping[str, Any], key: str) -> bool:
    return type(error.get(key)) is str and error[key] != ""


def _frame(frame: Mapping[str, Any]) -> str:
    name = frame.get("func") or frame.get("function") or frame.get("method") or frame.get("name")
    owner = frame.get("class") or frame.get("module")
    file = frame.get("source") or frame.get("file") or frame.get("filename") or frame.get("fileName")
    line = frame.get("line") or frame.get("lineno") or frame.get("lineNumber")
    if not name:
        return ""
    called = f"{owner}.{name}" if owner and frame.get("class") else name
    return f"\tat {called}({file}:{line})" if file else f"\tat {called}(Unknown Source)"


def _of_python(chain: Sequence[Mapping[str, Any]]) -> str:
    """structlog's `dict_tracebacks`: the exceptions of a chain, the last raised first."""
    parts = []
    for error in reversed(chain):
        lines = ["Traceback (most recent call last):"]
        frames = error.get("frames")
        known = frames[:MOST_FRAMES] if type(frames) is list else []
        lines += [
            f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'
            for frame in known
            if type(frame) is dict
        ]
        lines.append(f"{error.get('exc_type')}: {error.get('exc_value')}".rstrip(": "))
        parts.append("\n".join(lines))
    return "\n\nDuring handling of the above exception, another exception occurred:\n\n".join(parts)
