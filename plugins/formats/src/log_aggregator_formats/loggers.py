"""Which name before a sentence is a logger, and not a host, a file or an exception."""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?P<logger>[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){1,8}): +(?=\S)")
_CALLED = re.compile(r"(?P<logger>[\w.]{1,80}):[\w<>]{1,60}:\d{1,7} - ")
_RAISED = ("Error", "Exception", "Warning", "Failure", "Fault", "Exit", "Interrupt")
_HOSTS = "com net org info dev app cloud local lan home internal intra svc cluster localdomain example test"
_FILES = (
    "log txt csv tsv xml json yaml yml toml ini cfg conf html css java kt php cpp hpp cc py rb rs go js ts mjs cjs sql "
    "jar war zip tar tgz deb rpm iso img jpg jpeg png gif svg pdf pem crt key csr pid sock lock tmp bak db sqlite "
    "service socket timer mount target slice scope path"
)
_ENDS = frozenset(f"{_HOSTS} {_FILES}".split())
_COUNTRY = 2


def logger_before(text: str, start: int) -> str | None:
    """The logger in front of the sentence at `start`: that of `shop.orders: …`, or of loguru's `shop.orders:pay:7 - …`.

    It stays there: to a person on call, the sentence often says too little without it.
    """
    if match := _CALLED.match(text, start):
        return match["logger"]
    match = _NAMED.match(text, start)
    if match is None:
        return None
    end = match["logger"].rpartition(".")[2]
    if len(end) <= _COUNTRY or end.lower() in _ENDS or end.endswith(_RAISED):
        return None
    return match["logger"]
