"""Receives logs from MQTT topics."""

from log_aggregator_mqtt.plugin import MqttReceiver

__all__ = ["MqttReceiver"]
