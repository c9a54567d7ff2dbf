"""Receives lines of text or JSON by TCP."""

from log_aggregator_lines.plugin import LinesReceiver

__all__ = ["LinesReceiver"]
