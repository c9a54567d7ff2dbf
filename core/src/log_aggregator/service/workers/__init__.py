"""Runs several processes on one port. Each has a pipeline and a journal; together they answer as one service."""
