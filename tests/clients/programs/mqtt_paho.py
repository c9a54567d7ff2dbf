"""paho-mqtt: JSON objects with QoS 1 to a broker."""

import json

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from story import SOURCE, TARGET, events, retry

client = Client(CallbackAPIVersion.VERSION2)
retry(lambda: client.connect("127.0.0.1", TARGET["mqtt"]))
client.loop_start()
for event in events():
    client.publish(f"logs/{SOURCE}", json.dumps(event.as_object()), qos=1).wait_for_publish(20)
client.loop_stop()
client.disconnect()
