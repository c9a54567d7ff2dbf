"""`logger` of util-linux, a call for each log: RFC 5424 with structured data, or RFC 3164, by UDP or TCP."""

import subprocess
import sys

from story import EXTRA, SOURCE, TARGET, events

SEVERITIES = {10: "debug", 20: "info", 30: "warning", 40: "err", 50: "crit"}
transport, form = sys.argv[2:4]
common = ["logger", "--server", "127.0.0.1", "--port", str(TARGET["syslog"]), f"--{transport}", "--tag", SOURCE]
if form == "rfc5424":
    common += ["--rfc5424", "--sd-id", "order@32473"]
    for name, value in EXTRA.items():
        common += ["--sd-param", f'{name}="{value}"']
else:
    common += ["--rfc3164"]
if transport == "tcp":
    common += ["--octet-count"]
for event in events():
    text = "\n".join(filter(None, (event.message, event.trace)))
    subprocess.run([*common, "--priority", f"local3.{SEVERITIES[event.level]}", "--", text], check=True)
