"""Receives the journals of other machines from systemd-journal-upload."""

from log_aggregator_journald.plugin import JournaldConfig, JournaldReceiver

__all__ = ["JournaldConfig", "JournaldReceiver"]
