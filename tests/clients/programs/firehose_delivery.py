"""A delivery of Amazon Data Firehose as AWS documents it: JSON objects in base64, sent to an HTTP endpoint."""

import base64
import json
import urllib.request

from story import SOURCE, TARGET, events

logs = [json.dumps(event.as_object("timestamp")).encode() for event in events()]
records = [{"data": base64.b64encode(log).decode()} for log in logs]
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
