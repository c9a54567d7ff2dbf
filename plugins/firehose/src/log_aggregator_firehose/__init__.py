"""Receives logs of Amazon Data Firehose, and of CloudWatch through it."""

from log_aggregator_firehose.plugin import FirehoseConfig, FirehoseReceiver

__all__ = ["FirehoseConfig", "FirehoseReceiver"]
