"""The detector of one series."""

from log_aggregator_trends.detector.detector import Detector, NotifyTier
from log_aggregator_trends.detector.packing import pack, unpack
from log_aggregator_trends.detector.state import MISSED_JOB
from log_aggregator_trends.detector.why import Why, seen_and_expected, why

__all__ = ["MISSED_JOB", "Detector", "NotifyTier", "Why", "pack", "seen_and_expected", "unpack", "why"]
