"""A drain of Heroku's Logplex as Heroku documents it: syslog frames with counted octets in one request."""

import json
import urllib.request
from datetime import UTC, datetime

from story import SOURCE, TARGET, events

LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARN", 40: "ERROR", 50: "CRITICAL"}

frames = []
for event in events():
    at = datetime.fromtimestamp(event.at, UTC).isoformat()
    log = {"level": LEVELS[event.level], "message": event.message}
    if event.error:
        log["stack_trace"] = event.trace
    frame = f"<190>1 {at} host app web.1 - {json.dumps(log)}".encode()
    frames.append(b"%d %s" % (len(frame), frame))
headers = {
    "Content-Type": "application/logplex-1",
    "Logplex-Msg-Count": str(len(frames)),
    "Logplex-Frame-Id": f"frame-of-{TARGET['word']}",
    "Logplex-Drain-Token": "d.drain",
    "User-Agent": "Logplex/v73",
}
for _ in range(2):  # it sends a frame again whose answer was lost
    request = urllib.request.Request(f"{TARGET['url']}/logplex?source={SOURCE}", b"".join(frames), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 204
