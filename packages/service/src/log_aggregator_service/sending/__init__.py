"""From a file or a pipe to batches of logs, and what became of them."""
