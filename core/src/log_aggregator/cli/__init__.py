"""The commands that a service needs, one module each: `EXAMPLES`, `add_arguments(parser)`, and `run(args)` → exit code.

The module's docstring is the description that `--help` prints.
"""

COMMANDS = {
    "serve": "run the service",
    "check": "validate plugins.toml and the environment, show the pipeline",
    "config": "print the built-in pipeline as a plugins.toml",
    "plugins": "list installed plugins: on, or why not",
    "health": "ask the service of this machine whether it takes logs",
    "db": "what takes room in the store, and what a setting would save",
    "keys": "make and list API keys",
    "verify": "read all that is kept on the disk, say what is damaged",
    "backup": "copy the data directory of a running service",
    "restore": "put such a copy into a data directory",
}
"""Name → one line for the overview. A module is imported only when its command runs."""

ELSEWHERE = {
    "new": "log-aggregator-dev",
    **dict.fromkeys(
        (
            "anomalies",
            "compare",
            "completion",
            "demo",
            "mark",
            "notify-test",
            "patterns",
            "receivers",
            "reload",
            "search",
            "send",
            "show",
            "tail",
            "test",
            "top",
            "triage",
            "try",
            "values",
        ),
        "log-aggregator-service",
    ),
}
"""The commands of our other distributions: where one is not installed, its name is told."""

GROUP = "log_aggregator.commands"
"""The entry-point group in which packages offer commands.

An entry point names a module of the same form, with `SUMMARY` for the overview, or a function `(argv) -> exit code`.
"""
