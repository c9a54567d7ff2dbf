"""Serves the documentation to people who have no internet."""

from log_aggregator_help.plugin import Help, HelpConfig

__all__ = ["Help", "HelpConfig"]
