"""Forwards every flush to an analytics service over HTTP."""

from log_aggregator_analytics.config import AnalyticsConfig
from log_aggregator_analytics.sink import AnalyticsSink

__all__ = ["AnalyticsConfig", "AnalyticsSink"]
