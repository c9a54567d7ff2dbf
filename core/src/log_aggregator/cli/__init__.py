"""The commands, one module each: `EXAMPLES`, `add_arguments(parser)`, and `run(args)`, which returns the exit code."""

COMMANDS = {
    "serve": "run the service",
    "check": "validate plugins.toml and the environment, show the pipeline",
    "plugins": "list installed plugins: on, or why not",
    "new": "write a new plugin package: rules, a stage, a sink or a source",
    "send": "send a file or a pipe of logs to a service",
    "demo": "send a made-up stream of several services",
    "patterns": "show the patterns of a file, without a service",
    "keys": "make and list API keys",
    "top": "watch a service in the terminal",
}
"""Name → one line for the overview. A module is imported only when its command runs."""
