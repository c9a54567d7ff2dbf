"""A delivery of Amazon Data Firehose as AWS documents it: JSON objects in base64, sent to an HTTP endpoint."""

import base64
import json
import logging
import urllib.request
from datetime import UTC, datetime

from story import EXTRA, SOURCE, TARGET, events

records = []
for event in events():
    log = {
        "timestamp": datetime.fromtimestamp(event.at, UTC).isoformat(),
        "level": logging.getLevelName(event.level),
        "message": event.message,
        **EXTRA,
    }
    if event.error:
        log["stack_trace"] = event.trace
    records.append({"data": base64.b64encode(json.dumps(log).encode()).decode()})
identity = f"request-of-{TARGET['word']}"
body = json.dumps({"requestId": identity, "timestamp": int(TARGET["at"] * 1000), "records": records}).encode()
headers = {
    "Content-Type": "application/json",
    "X-Amz-Firehose-Protocol-Version": "1.0",
    "X-Amz-Firehose-Request-Id": identity,
    "X-Amz-Firehose-Source-Arn": f"arn:aws:firehose:eu-central-1:123456789012:deliverystream/{SOURCE}",
}
for _ in range(2):  # it sends a delivery again whose answer was lost
    request = urllib.request.Request(f"{TARGET['url']}/firehose?source={SOURCE}", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["requestId"] == identity
