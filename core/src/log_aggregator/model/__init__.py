"""What a log is and becomes: records, groups, aggregates, flushes. Imports nothing but errors."""
