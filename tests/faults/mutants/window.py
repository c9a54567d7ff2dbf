"""The moment in which a kill shows the bug of a mutant: luck would hit it often, and not always."""

from __future__ import annotations

import os
import time
from pathlib import Path

LONGEST = 250
"""Seconds until a test that forgot to kill goes on, and fails."""


def wait_to_be_killed() -> None:
    """Say that the moment is there, by the file `WINDOW`, and stay in it; only once for all processes of a test."""
    try:
        Path(os.environ["WINDOW"]).touch(exist_ok=False)
    except FileExistsError:
        return
    time.sleep(LONGEST)
