"""Receives the Fluent Forward protocol."""

from log_aggregator_forward.plugin import ForwardReceiver

__all__ = ["ForwardReceiver"]
