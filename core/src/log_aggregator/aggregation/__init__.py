"""Partial aggregates → sealed flushes."""
