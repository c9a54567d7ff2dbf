"""Receives logs of Heroku drains."""

from log_aggregator_logplex.plugin import LogplexConfig, LogplexReceiver

__all__ = ["LogplexConfig", "LogplexReceiver"]
