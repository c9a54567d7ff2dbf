"""The stage that says what kind of event a record is."""

from log_aggregator_classify.plugin import ClassifyPlugin
from log_aggregator_classify.rule import Rule
from log_aggregator_classify.trace import Trace
from log_aggregator_classify.traces import find_trace

__all__ = ["ClassifyPlugin", "Rule", "Trace", "find_trace"]
