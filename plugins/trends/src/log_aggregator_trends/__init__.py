"""Watches how often each pattern comes, and tells what is new, spiking or silent."""

from log_aggregator_trends.config import Target, TrendsConfig
from log_aggregator_trends.detector import Detector, NotifyTier
from log_aggregator_trends.plugin import Trends

__all__ = ["Detector", "NotifyTier", "Target", "Trends", "TrendsConfig"]
