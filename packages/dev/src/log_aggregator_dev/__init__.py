"""The kit for plugin authors: a harness from HTTP to sink, factories, and a contract suite for every kind of plugin.

`log_aggregator_dev.strategies` has the Hypothesis strategies. pytest finds the fixtures by itself.
"""

from log_aggregator_dev.factories import NOW, Flushes, make_aggregate, make_flush, make_record
from log_aggregator_dev.harness import Answer, Harness, harness
from log_aggregator_dev.host import Host, living
from log_aggregator_dev.journal_contract import JournalContract
from log_aggregator_dev.receiver_contract import ReceiverContract
from log_aggregator_dev.receiver_suite import OpenReceiver
from log_aggregator_dev.rules_contract import RulePackContract
from log_aggregator_dev.sink_contract import SinkContract
from log_aggregator_dev.sink_suite import OpenSink
from log_aggregator_dev.stage_contract import StageContract
from log_aggregator_dev.stage_suite import run_stage
from log_aggregator_dev.store_contract import StoreContract

__all__ = [
    "NOW",
    "Answer",
    "Flushes",
    "Harness",
    "Host",
    "JournalContract",
    "OpenReceiver",
    "OpenSink",
    "ReceiverContract",
    "RulePackContract",
    "SinkContract",
    "StageContract",
    "StoreContract",
    "harness",
    "living",
    "make_aggregate",
    "make_flush",
    "make_record",
    "run_stage",
]
