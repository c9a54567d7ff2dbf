"""Receives GELF by UDP and TCP."""

from log_aggregator_gelf.plugin import GelfReceiver

__all__ = ["GelfReceiver"]
