"""The detector of one series."""

from log_aggregator_trends.detector.detector import Detector, NotifyTier
from log_aggregator_trends.detector.explanation import Explanation, explain, seen_and_expected
from log_aggregator_trends.detector.serialization import pack, unpack
from log_aggregator_trends.detector.state import MISSED_JOB

__all__ = ["MISSED_JOB", "Detector", "Explanation", "NotifyTier", "explain", "pack", "seen_and_expected", "unpack"]
