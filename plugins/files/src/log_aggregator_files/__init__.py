"""Follows log files, the logs of containers and the systemd journal."""

from log_aggregator_files.plugin import FilesReceiver

__all__ = ["FilesReceiver"]
