"""paho-mqtt: JSON objects with QoS 1 to a broker."""

import json
import logging
from datetime import UTC, datetime

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from story import EXTRA, SOURCE, TARGET, events, retry

client = Client(CallbackAPIVersion.VERSION2)
retry(lambda: client.connect("127.0.0.1", TARGET["mqtt"]))
client.loop_start()
for event in events():
    log = {
        "time": datetime.fromtimestamp(event.at, UTC).isoformat(),
        "level": logging.getLevelName(event.level),
        "message": event.message,
        **EXTRA,
    }
    if event.error:
        log["stack_trace"] = event.trace
    client.publish(f"logs/{SOURCE}", json.dumps(log), qos=1).wait_for_publish(20)
client.loop_stop()
client.disconnect()
