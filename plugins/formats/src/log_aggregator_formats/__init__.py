"""What a message is: JSON, logfmt, a prefixed line, an access log. See docs/reference/formats.md."""

from log_aggregator_formats.plugin import FormatsPlugin

__all__ = ["FormatsPlugin"]
