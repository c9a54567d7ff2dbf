"""The running service: this process, all workers, and what it says of itself."""
