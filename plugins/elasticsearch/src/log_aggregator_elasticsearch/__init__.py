"""Receives the bulk requests of Elasticsearch's clients."""

from log_aggregator_elasticsearch.plugin import ElasticsearchConfig, ElasticsearchReceiver

__all__ = ["ElasticsearchConfig", "ElasticsearchReceiver"]
