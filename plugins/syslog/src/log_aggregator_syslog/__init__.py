"""Receives syslog by UDP, TCP and TLS."""

from log_aggregator_syslog.plugin import SyslogReceiver

__all__ = ["SyslogReceiver"]
