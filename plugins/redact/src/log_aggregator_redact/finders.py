"""The built-in rules, ready to use: each finds spans in a text, and says cheaply where it finds none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from log_aggregator.model.masks import mask
from log_aggregator_redact import assigned as names
from log_aggregator_redact import cookies, manifests, paired, sentences, sql, tables
from log_aggregator_redact.assigned import Found
from log_aggregator_redact.automata import compiled
from log_aggregator_redact.rule import Rule
from log_aggregator_redact.values import is_nothing


class TokenForm(BaseModel):
    """The tokens of one service, as `tokens.toml` has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    forms: tuple[str, ...]
    near: str
    source: str
    joined: bool = False
    """Whether the form is unmistakable, so that it counts behind a hyphen or `_`, too: `ci-glpat-…`."""


class Finder(NamedTuple):
    """A rule. `near` searches the lower-case shape of a text, as bytes; where it finds nothing, `find` finds nothing.

    `own`: a rule of the user, which may tell digits apart. `near` is `None` for one without a gate.
    """

    name: str
    expression: str
    near: Callable[[bytes], object] | None
    find: Callable[[str], Iterable[Found]]
    own: bool = False


@lru_cache(maxsize=256)
def in_bytes(regex: str) -> Any:
    """An RE2 expression over bytes: linear, and a hundred alternatives cost no more than one."""
    return compiled(regex.encode())


_OPTIONS = re.compile(r"\[\^\\r\\n\|;&\]\{0,\d{1,3}\}\?")
"""In an expression: the arguments of a command before the one that is a secret."""


def _of_further(rule: Rule) -> re.Pattern[str] | None:
    """What finds the next secret of the same command: `-passin pass:a -passout pass:b`."""
    options = None if rule.name != "command-line" else _OPTIONS.search(rule.regex)
    if options is None or rule.regex[options.end()] not in "-/(":
        return None
    flags = "(?i)" if rule.regex.startswith("(?i)") else ""
    try:
        return re.compile(rf"{flags}(?=[\s\"',]){rule.regex[options.start() :]}", re.ASCII)
    except re.error:  # the arguments stand in a group
        return None


def of_rule(rule: Rule, *, own: bool) -> Finder:
    """The finder of a rule that is one expression."""
    expression = "|".join([*map(re.escape, rule.gate), *([rule.near] if rule.near else [])])
    near = in_bytes(expression).search if expression else None
    further = None if own else _of_further(rule)
    return Finder(rule.name, expression, near, _searcher(rule.name, re.compile(rule.regex, re.ASCII), further), own)


_PORT = re.compile(r"\d{1,5}(?!\w)")


def _searcher(
    name: str, regex: re.Pattern[str], further: re.Pattern[str] | None = None
) -> Callable[[str], Iterator[Found]]:
    group: str | int = "secret" if "secret" in regex.groupindex else 0

    def find(text: str) -> Iterator[Found]:
        looked: set[int] = set()  # many commands in one line have the same arguments behind them
        for match in regex.finditer(text):
            start, stop = match.span(group)
            if start >= 0 and start < stop and not (group and is_nothing(text, start)):
                yield start, stop, name
            at = match.end()
            while further is not None and at not in looked and (again := further.match(text, at)) is not None:
                looked.add(at)
                start, stop = again.span(group)
                if not is_nothing(text, start) and _PORT.match(text, start) is None:
                    yield start, stop, name
                at = again.end()

    return find


def _scanner(name: str, near: str, find: Callable[[str], Iterable[Found]]) -> Finder:
    return Finder(name, near, in_bytes(near).search, find)


@cache
def token_forms() -> tuple[TokenForm, ...]:
    """The table of tokens that are known by their form."""
    text = files("log_aggregator_redact").joinpath("tokens.toml").read_text("utf-8")
    return tuple(TokenForm.model_validate(entry) for entry in tomllib.loads(text)["tokens"])


@cache
def rules() -> tuple[Rule, ...]:
    """The rules that are one expression each."""
    folder = files("log_aggregator_redact")
    tables = [
        tomllib.loads(folder.joinpath(name).read_text("utf-8"))
        for name in ("credentials.toml", "rules.toml", "programs.toml", "phrases.toml")
    ]
    return tuple(Rule.model_validate(rule) for table in tables for rule in table["rules"])


@cache
def built_in() -> tuple[Finder, ...]:
    """All built-in rules in their order: those that know a secret by its form, then those that know it by its name."""
    forms = "|".join(form for token in token_forms() for form in token.forms)
    joined = "|".join(form for token in token_forms() if token.joined for form in token.forms)
    tokens = re.compile(rf"(?<![A-Za-z\d_-])(?:{forms})|(?<=[A-Za-z\d][_-])(?:{joined})", re.ASCII)
    near = "|".join(token.near for token in token_forms())
    by_form = [of_rule(rule, own=False) for rule in rules()]
    first = [finder for finder in by_form if finder.name != "command-line"]
    return (
        _scanner("cookie", cookies.NEAR_COOKIE, cookies.cookies),
        _scanner("secret", manifests.NEAR_MANIFEST, manifests.manifests),
        *first,
        _scanner("service-token", near, _searcher("service-token", tokens)),
        *(finder for finder in by_form if finder.name == "command-line"),
        _scanner("flag", names.NEAR_FLAG, names.flags),
        _scanner("password", sql.NEAR_SQL, sql.statements),
        _scanner("password", tables.NEAR_TABLE, tables.tables),
        _scanner("password", paired.NEAR_ELEMENT, paired.elements),
        _scanner("password", rf"{paired.NEAR_PAIR}|{paired.NEAR_NAMED}", paired.pairs),
        _scanner("password", names.NEAR_ASSIGNED, names.assigned),
        _scanner("password", sentences.NEAR_SENTENCE, sentences.sentences),
    )


@cache
def mask_names() -> tuple[str, ...]:
    """What masks of built-in rules say."""
    return tuple(sorted({finder.name for finder in built_in()} | set(names.MASKS.values())))


def spliced(text: str, spans: Sequence[Found]) -> tuple[str, list[str]]:
    """The text with the spans masked, and the names of the masks set. Of spans that overlap, the first one counts."""
    pieces: list[str] = []
    set_: list[str] = []
    at = 0
    for start, stop, name in sorted(spans):
        if start < at:
            continue
        pieces += (text[at:start], mask(name))
        set_.append(name)
        at = stop
    return "".join([*pieces, text[at:]]), set_
