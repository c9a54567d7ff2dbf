"""Receives syslog by UDP, TCP and TLS. Its framing and its parser are for other receivers, too."""

from log_aggregator_syslog.framing import FrameError, Framer
from log_aggregator_syslog.message import Message, parse
from log_aggregator_syslog.plugin import SyslogReceiver

__all__ = ["FrameError", "Framer", "Message", "SyslogReceiver", "parse"]
