"""Sends aggregates to another log aggregator, and takes in those that others send."""

from log_aggregator_upstream.config import EdgesConfig, UpstreamConfig
from log_aggregator_upstream.edges import EdgesReceiver
from log_aggregator_upstream.sink import UpstreamSink

__all__ = ["EdgesConfig", "EdgesReceiver", "UpstreamConfig", "UpstreamSink"]
