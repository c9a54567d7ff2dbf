"""The kit for plugin authors: a harness from HTTP to sink, factories, and a contract suite for every kind of plugin.

`log_aggregator.testing.strategies` has the Hypothesis strategies. pytest finds the fixtures by itself.
"""

from log_aggregator.testing.factories import NOW, Flushes, make_aggregate, make_flush, make_record
from log_aggregator.testing.harness import Answer, Harness, harness
from log_aggregator.testing.host import Host, living
from log_aggregator.testing.rules_contract import RulePackContract
from log_aggregator.testing.sink_contract import SinkContract
from log_aggregator.testing.sink_suite import OpenSink
from log_aggregator.testing.stage_contract import StageContract
from log_aggregator.testing.stage_suite import run_stage

__all__ = [
    "NOW",
    "Answer",
    "Flushes",
    "Harness",
    "Host",
    "OpenSink",
    "RulePackContract",
    "SinkContract",
    "StageContract",
    "harness",
    "living",
    "make_aggregate",
    "make_flush",
    "make_record",
    "run_stage",
]
