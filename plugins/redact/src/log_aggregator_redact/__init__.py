"""The doorkeeper that takes secrets out of records before anything is written down."""

from log_aggregator_redact.plugin import RedactPlugin
from log_aggregator_redact.rule import Rule

__all__ = ["RedactPlugin", "Rule"]
