"""Records → partial aggregates: synchronous, without a queue."""
