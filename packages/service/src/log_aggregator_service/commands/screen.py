"""What the terminal may be given: text without control characters, and a screen that comes back as it was."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
import termios
import tty
from collections.abc import Iterator


def plain(text: str) -> str:
    """Text that moves no cursor and changes no color: a log is written by strangers."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "·" for letter in text)


@contextlib.contextmanager
def full_screen() -> Iterator[None]:
    """Take the whole terminal and single keys, and give both back at the end."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        sys.stdout.write("\x1b[?1049h\x1b[?25l")
        yield
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def size() -> tuple[int, int]:
    """Columns and rows of the terminal; where there is none, those of `COLUMNS` and `LINES`, or 80 and 24."""
    return shutil.get_terminal_size()


def show(lines: list[str]) -> None:
    """Draw a screen: lines longer or more than the terminal has room for are cut."""
    width, height = size()
    rows = [f"{line[: width - 1]}\x1b[K" for line in lines[: height - 1]]
    sys.stdout.write("\x1b[H" + "\r\n".join(rows) + "\x1b[J")
    sys.stdout.flush()


def keys(seconds: float) -> str:
    """The keys that are pressed within so many seconds, or an empty string."""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return os.read(sys.stdin.fileno(), 256).decode("utf-8", "ignore") if ready else ""
