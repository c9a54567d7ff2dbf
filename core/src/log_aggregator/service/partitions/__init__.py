"""What this process does for each partition of the journal: aggregates, seals and delivers."""
