"""Receives logs from NATS subjects and JetStream."""

from log_aggregator_nats.plugin import NatsConfig, NatsReceiver

__all__ = ["NatsConfig", "NatsReceiver"]
