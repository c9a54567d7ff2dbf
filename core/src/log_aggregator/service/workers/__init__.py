"""Several processes on one port: each the whole pipeline with a journal of its own, and one answer for all."""
