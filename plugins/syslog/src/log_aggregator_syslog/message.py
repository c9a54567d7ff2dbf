"""One syslog message → its parts: RFC 5424, and RFC 3164 as devices and programs really write it."""

from __future__ import annotations

import re
from typing import NamedTuple

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip

_PRIORITY = re.compile(r"<(\d{1,3})>")
_HEADER = re.compile(r"1 +(\S+) +(\S+) +(\S+) +(\S+) +(\S+) ?")
_ELEMENT = re.compile(r'\[([^ \]="]+)((?: +[^ =\]"]+="(?:\\.|[^"\\])*")*) *\]')
_PARAMETER = re.compile(r'([^ =\]"]+)="((?:\\.|[^"\\])*)"')
_ESCAPE = re.compile(r'\\(["\\\]])')
_OLD_TIME = re.compile(
    r"\*?\.?(?:(?P<traditional>[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?: [A-Z]{3,4}(?=:))?"
    r"|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)):? "
)
_TAG = re.compile(r"([^\s:\[\]<>]{1,128})(?:\[([^\]\s]*)\])?: ?|([^\s:\[\]<>]{1,128})\[(\d{1,10})\] ")
_HOST = re.compile(r"(\S+) +")
_LEVEL_WORDS = frozenset(
    {"emerg", "alert", "crit", "critical", "err", "error", "warn", "warning", "notice", "info", "debug", "trace"}
)
_CONTROL = re.compile(r"#(0[0-3][0-7]|177)")


class Message(NamedTuple):
    """The parts of a message; what was not sent is empty, or -1."""

    text: str
    priority: int = -1
    time: str = ""
    host: str = ""
    program: str = ""
    process: str = ""
    message_id: str = ""
    parameters: dict[str, str] = {}  # noqa: RUF012  read only

    @property
    def facility(self) -> str:
        """The name of the facility; empty without a priority."""
        return FACILITIES[self.priority >> 3] if self.priority >= 0 else ""


def parse(data: bytes, *, unescape: bool = True, structured: bool = True) -> Message:
    """The parts of a message. Never fails: what is not understood is text.

    With `unescape`, control characters that rsyslog wrote as `#012` are what they were. Without `structured`, the text
    follows the message id of RFC 5424: a text that begins with `[error]` is no structured data then.
    """
    text = data.decode("utf-8", "replace").rstrip("\r\n\0")
    priority, start = -1, 0
    match = _PRIORITY.match(text)
    if match is not None and int(match[1]) <= 191:
        priority, start = int(match[1]), match.end()
    header = _HEADER.match(text, start)
    message = _old(text, priority, start) if header is None else _modern(text, priority, header, structured=structured)
    if unescape and "#" in message.text:
        message = message._replace(text=_CONTROL.sub(lambda one: chr(int(one[1], 8)), message.text))
    return message


def _modern(text: str, priority: int, header: re.Match[str], *, structured: bool) -> Message:
    time, host, program, process, message_id = ["" if part == "-" else part for part in header.groups()]
    parameters, at = _structured(text, header.end()) if structured else ({}, header.end())
    body = text[at:].removeprefix(" ").removeprefix("\ufeff")
    return Message(body, priority, time, host, program, process, message_id, parameters)


def _structured(text: str, at: int) -> tuple[dict[str, str], int]:
    """The parameters of the structured data, and where it ends. Some senders leave it out altogether."""
    if text.startswith("-", at) and text[at + 1 : at + 2] in ("", " "):
        return {}, at + 1
    parameters: dict[str, str] = {}
    while (element := _ELEMENT.match(text, at)) is not None:
        at = element.end()
        if element[1] in ("timeQuality", "origin"):
            continue
        found = _PARAMETER.findall(element[2])
        if "\\" in element[2]:
            found = [(name, _ESCAPE.sub(r"\1", value)) for name, value in found]
        parameters.update(found)
    return parameters, at


def _old(text: str, priority: int, start: int) -> Message:
    """RFC 3164: a time, a host and a tag, of which each may be missing."""
    dated = _OLD_TIME.match(text, start)
    time = ""
    if dated is not None:
        time, start = dated["traditional"] or dated["iso"], dated.end()
    tag = _tag(text, start, has_header=dated is not None)
    host = ""
    if tag is None and dated is not None:
        named = _HOST.match(text, start)
        if named is not None:
            host, start = named[1], named.end()
            tag = _tag(text, start, has_header=True)
    if tag is None:
        return Message(text[start:], priority, time, host)
    return Message(text[tag.end() :], priority, time, host, tag[1] or tag[3], tag[2] or tag[4] or "")


def _tag(text: str, at: int, *, has_header: bool) -> re.Match[str] | None:
    tag = _TAG.match(text, at)
    if tag is None or text.startswith("%", at):  # Cisco's %FACILITY-LEVEL-NAME is part of the message
        return None
    if not has_header and tag[1] and (tag[1].lower() in _LEVEL_WORDS or tag[1].isdigit()):
        return None
    return tag
