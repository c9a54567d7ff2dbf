"""The commands that a service needs, one module each: `EXAMPLES`, `add_arguments(parser)`, and `run(args)` → exit code.

The module's docstring is the description that `--help` prints.
"""

COMMANDS = {
    "serve": "run the service",
    "check": "validate plugins.toml and the environment, show the pipeline",
    "config": "print the built-in pipeline as a plugins.toml",
    "plugins": "list installed plugins: on, or why not",
    "keys": "make and list API keys",
}
"""Name → one line for the overview. A module is imported only when its command runs."""

GROUP = "log_aggregator.commands"
"""The entry-point group in which packages offer commands.

An entry point names a module of the same form, with `SUMMARY` for the overview, or a function `(argv) -> exit code`.
"""
