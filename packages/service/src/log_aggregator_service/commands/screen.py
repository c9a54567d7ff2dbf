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


def show(lines: list[str]) -> None:
    """Draw a screen: lines longer or more than the terminal has room for are cut."""
    width, height = shutil.get_terminal_size()
    rows = [f"{line[: width - 1]}\x1b[K" for line in lines[: height - 1]]
    sys.stdout.write("\x1b[H" + "\r\n".join(rows) + "\x1b[J")
    sys.stdout.flush()


def key(seconds: float) -> str:
    """The key that is pressed within so many seconds, or an empty string."""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return os.read(sys.stdin.fileno(), 1).decode("latin-1") if ready else ""
