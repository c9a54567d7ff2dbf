"""Shows the service to people, in a browser."""

from log_aggregator_dashboard.plugin import Dashboard, DashboardConfig

__all__ = ["Dashboard", "DashboardConfig"]
