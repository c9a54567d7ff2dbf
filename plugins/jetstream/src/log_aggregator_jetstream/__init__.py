"""The journal in NATS JetStream: an acknowledged log survives the loss of one machine of three."""

from log_aggregator_jetstream.config import JetstreamConfig
from log_aggregator_jetstream.plugin import JetstreamPlugin

__all__ = ["JetstreamConfig", "JetstreamPlugin"]
