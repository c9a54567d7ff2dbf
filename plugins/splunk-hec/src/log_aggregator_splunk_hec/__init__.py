"""Receives events of Splunk's HTTP Event Collector."""

from log_aggregator_splunk_hec.plugin import SplunkHecConfig, SplunkHecReceiver

__all__ = ["SplunkHecConfig", "SplunkHecReceiver"]
