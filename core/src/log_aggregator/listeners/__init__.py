"""Sockets of receivers: TCP and UDP with the limits that HTTP has, TLS, and ports that workers share."""

from log_aggregator.listeners.connection import Connection, Frame, FrameTooLargeError, SlowSenderError
from log_aggregator.listeners.limits import Limits, Memory
from log_aggregator.listeners.listener import Listener
from log_aggregator.listeners.options import TlsOptions
from log_aggregator.listeners.tcp import TcpListener
from log_aggregator.listeners.tls import Tls
from log_aggregator.listeners.udp import Datagram, UdpListener

__all__ = [
    "Connection",
    "Datagram",
    "Frame",
    "FrameTooLargeError",
    "Limits",
    "Listener",
    "Memory",
    "SlowSenderError",
    "TcpListener",
    "Tls",
    "TlsOptions",
    "UdpListener",
]
