"""Logs through the stages as configured, without a service: what became of each, and whether that was expected."""
