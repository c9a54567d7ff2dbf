"""A limit on processor time that ends even a regular expression that would run for ever."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class TooLong(AssertionError):  # noqa: N818  reads as what it says
    """The limit was reached."""


@contextlib.contextmanager
def processor_time(seconds: float, what: str) -> Iterator[None]:
    """Raise `TooLong` inside the block once it has used so much processor time. Waiting does not count.

    Only the main thread can be interrupted; elsewhere there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLong(f"{what} takes more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
