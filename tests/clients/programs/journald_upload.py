"""systemd-journal-upload: a journal that systemd-journal-remote has written, as often as the first argument says."""

import struct
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from story import EXTRA, SOURCE, TARGET, Event, events

PRIORITIES = {10: 7, 20: 6, 30: 4, 40: 3, 50: 2}
BOOT, MACHINE = uuid.uuid4().hex, uuid.uuid4().hex


def entry(event: Event) -> bytes:
    """One log in the format of `journalctl --output=export`."""
    at = int(event.at * 1_000_000)
    fields = {
        "__REALTIME_TIMESTAMP": at,
        "__MONOTONIC_TIMESTAMP": at - int(TARGET["at"] * 1_000_000) + 1,
        "_BOOT_ID": BOOT,
        "_MACHINE_ID": MACHINE,
        "PRIORITY": PRIORITIES[event.level],
        "SYSLOG_IDENTIFIER": SOURCE,
        **{name.upper(): value for name, value in EXTRA.items()},
    }
    text = "\n".join(filter(None, (event.message, event.trace))).encode()
    told = "".join(f"{name}={value}\n" for name, value in fields.items()).encode()
    return told + b"MESSAGE\n" + struct.pack("<Q", len(text)) + text + b"\n\n"


with tempfile.TemporaryDirectory() as directory:
    journal = str(Path(directory) / "shop.journal")
    write = ["/lib/systemd/systemd-journal-remote", f"--output={journal}", "-"]
    subprocess.run(write, input=b"".join(map(entry, events())), check=True, capture_output=True)
    upload = ["/lib/systemd/systemd-journal-upload", f"--url={TARGET['url']}", f"--file={journal}", "--follow=no"]
    for _ in range(int(sys.argv[2])):
        subprocess.run(upload, check=True, timeout=30, capture_output=True)
