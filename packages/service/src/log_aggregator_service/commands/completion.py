"""Write a completion of the command for a shell, or its manual page. Both name all commands that are installed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

from log_aggregator.cli.main import commands

SUMMARY = "complete commands in a shell, or write the manual page"

EXAMPLES = """examples:
  log-aggregator completion bash > ~/.local/share/bash-completion/completions/log-aggregator
  log-aggregator completion zsh > ~/.zfunc/_log-aggregator
  log-aggregator completion fish > ~/.config/fish/completions/log-aggregator.fish
  log-aggregator completion man > ~/.local/share/man/man1/log-aggregator.1
"""


class Described(NamedTuple):
    """A command: its line of the overview, what its help begins with, and its options with their help."""

    name: str
    summary: str
    text: str
    options: list[tuple[str, str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("form", choices=("bash", "zsh", "fish", "man"))


def run(args: argparse.Namespace) -> int:
    """Print it."""
    described = [_described(name, summary, module) for name, summary, module in commands()]
    writer = {"bash": bash, "zsh": zsh, "fish": fish, "man": manual}[args.form]
    sys.stdout.write("".join(f"{line}\n" for line in writer(described)))
    return 0


def _described(name: str, summary: str, module: ModuleType | None) -> Described:
    """A command; one that is a function says nothing of its options."""
    parser = argparse.ArgumentParser(prog=f"log-aggregator {name}", add_help=False)
    if module is not None:
        module.add_arguments(parser)
    options = [
        (option, (action.help or "").replace("%(default)s", str(action.default)))
        for action in parser._actions  # argparse tells its options nowhere else
        for option in action.option_strings
        if option.startswith("--")
    ]
    text = (module.__doc__ or summary) if module is not None else summary
    return Described(name, summary, " ".join(text.split()), [*options, ("--help", "show the options and examples")])


def bash(described: list[Described]) -> Iterator[str]:
    """A completion for bash: commands, options, and files for the rest."""
    yield "_log_aggregator() {"
    yield '    local current="${COMP_WORDS[COMP_CWORD]}" words='
    yield '    if [ "$COMP_CWORD" = 1 ]; then'
    yield f'        words="{" ".join(one.name for one in described)} --help --version"'
    yield '    else case "${COMP_WORDS[1]}" in'
    for one in described:
        yield f'        {one.name}) words="{" ".join(option for option, _ in one.options)}" ;;'
    yield "    esac; fi"
    yield '    if [ "$COMP_CWORD" = 1 ] || [ "${current:0:1}" = - ]; then'
    yield '        COMPREPLY=($(compgen -W "$words" -- "$current"))'
    yield "    fi"
    yield "}"
    yield "complete -o default -F _log_aggregator log-aggregator"


def zsh(described: list[Described]) -> Iterator[str]:
    """A completion for zsh."""
    yield "#compdef log-aggregator"
    yield "_log_aggregator() {"
    yield "    local -a known"
    yield "    if (( CURRENT == 2 )); then"
    yield "        known=("
    yield from (f"            {_quoted(f'{one.name}:{one.summary}')}" for one in described)
    yield "        )"
    yield "        _describe command known"
    yield '    elif [[ "$words[CURRENT]" = -* ]]; then'
    yield '        case "$words[2]" in'
    for one in described:
        yield f"            {one.name}) known=({' '.join(_quoted(f'{o}:{text}') for o, text in one.options)}) ;;"
    yield "        esac"
    yield "        _describe option known"
    yield "    else"
    yield "        _files"
    yield "    fi"
    yield "}"
    yield '_log_aggregator "$@"'


def fish(described: list[Described]) -> Iterator[str]:
    """A completion for fish."""
    for one in described:
        yield f"complete -c log-aggregator -n __fish_use_subcommand -f -a {one.name} -d {_quoted(one.summary)}"
        for option, text in one.options:
            condition = _quoted(f"__fish_seen_subcommand_from {one.name}")
            yield f"complete -c log-aggregator -n {condition} -l {option[2:]} -d {_quoted(text)}"


def manual(described: list[Described]) -> Iterator[str]:
    """The manual page in the language of man."""
    yield '.TH LOG-AGGREGATOR 1 "" "log-aggregator" "User commands"'
    yield ".SH NAME"
    yield "log-aggregator \\- turn logs into patterns and keep count of them"
    yield ".SH SYNOPSIS"
    yield ".B log-aggregator"
    yield "\\fICOMMAND\\fR [...]"
    yield ".SH COMMANDS"
    for one in described:
        yield f".SS {_roff(one.name)}"
        yield _roff(one.text)
        for option, text in one.options:
            yield ".TP"
            yield f"\\fB{_roff(option)}\\fR"
            yield _roff(text) or "\\&"


def _quoted(text: str) -> str:
    """A text in single quotes, on one line."""
    line = " ".join(text.split()).replace("\\", "")
    return "'" + line.replace("'", "’") + "'"


def _roff(text: str) -> str:
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{line}" if line.startswith((".", "'")) else line
