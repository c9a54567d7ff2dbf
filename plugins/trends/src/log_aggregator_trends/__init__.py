"""Detects anomalies in log counts: new patterns, spikes, drops, silence and level shifts."""

from log_aggregator_trends.config import Target, TrendsConfig
from log_aggregator_trends.detector import Detector, NotifyTier
from log_aggregator_trends.plugin import Trends

__all__ = ["Detector", "NotifyTier", "Target", "Trends", "TrendsConfig"]
