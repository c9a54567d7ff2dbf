"""The running service: the parts of one process, the process, and all workers."""
