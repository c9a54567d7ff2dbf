"""The commands, one module each: `SUMMARY`, `EXAMPLES`, `add_arguments(parser)`, and `run(args)` → exit code."""
