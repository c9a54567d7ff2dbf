"""Detects anomalies in log counts: new patterns, spikes, drops, silence and level shifts."""

from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.detector import Detector, NotifyTier
from log_aggregator_trends.plugin import Trends
from log_aggregator_trends.target import Target

__all__ = ["Detector", "NotifyTier", "Target", "Trends", "TrendsConfig"]
