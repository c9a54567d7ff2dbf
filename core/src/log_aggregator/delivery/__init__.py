"""Sealed flushes → sinks."""
