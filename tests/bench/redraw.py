"""Requests without end in which no line comes again: the digits of their messages are drawn anew each time."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

_MESSAGE = re.compile(rb'"message":"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}")


class Redraw:
    """Endless requests: those given, in turn, each time with other digits. Their length never changes.

    The digits of a message are replaced, not those of an escape sequence and not those outside of messages.
    Each of these iterations draws by itself, so that what two processes send differs, too.
    """

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = [(np.frombuffer(request, np.uint8).copy(), digits(request)) for request in requests]

    def __iter__(self) -> Iterator[bytes]:
        draw = np.random.default_rng()
        while True:
            for text, places in self._requests:
                text[places] = draw.integers(ord("0"), ord("9") + 1, len(places), np.uint8)
                yield text.tobytes()


def digits(request: bytes) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where in a request the digits of its messages are."""
    inside = np.zeros(len(request), bool)
    for message in _MESSAGE.finditer(request):
        inside[message.start(1) : message.end(1)] = True
    for escape in _ESCAPE.finditer(request):
        inside[escape.start() : escape.end()] = False
    text = np.frombuffer(request, np.uint8)
    return np.flatnonzero(inside & (text >= ord("0")) & (text <= ord("9")))
