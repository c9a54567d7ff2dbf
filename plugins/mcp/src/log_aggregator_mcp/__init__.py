"""Lets AI assistants ask the service, through the Model Context Protocol."""

from log_aggregator_mcp.plugin import McpConfig, McpPlugin

__all__ = ["McpConfig", "McpPlugin"]
