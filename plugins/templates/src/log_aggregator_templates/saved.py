"""How templates are kept in a file between two runs."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from log_aggregator_templates.evidence import Evidence
from log_aggregator_templates.miner import TemplateMiner
from log_aggregator_templates.template import Template

_VERSION = 1


class _Saved(msgspec.Struct, array_like=True):
    separators: tuple[str, ...]
    words: tuple[str, ...]
    texts: tuple[str, ...]
    learned: frozenset[int]
    root: int
    published: tuple[str, ...]
    evidence: dict[int, Evidence] | None = None


class Snapshot(msgspec.Struct):
    """All templates at one moment. Nothing in it changes later, so another thread may write it."""

    version: int
    ended: bool
    sources: dict[str, int]
    templates: list[_Saved]


class UnreadableError(Exception):
    """The file is not what `save` wrote. The text says what is wrong with it."""


def snapshot(miner: TemplateMiner, ended: bool = False) -> Snapshot:
    """All templates. `ended`: the service ended in good order, so all aliases are durable."""
    places: dict[int, int] = {}
    templates: list[Template] = []
    for template in miner.book:
        for one in (template.find(), template):
            if id(one) not in places:
                places[id(one)] = len(templates)
                templates.append(one)
    saved = [
        _Saved(
            one.separators,
            one.words,
            one.texts,
            one.learned,
            places[id(one.find())],
            tuple(one.published),
            one.evidence,
        )
        for one in templates
    ]
    return Snapshot(_VERSION, ended, dict(miner.by_source), saved)


def encode(what: Snapshot) -> bytes:
    """The snapshot as JSON."""
    return msgspec.json.encode(what)


def write(path: Path, what: Snapshot) -> None:
    """Replace the file as a whole: after a crash it is the old one or the new one. Raises `OSError`."""
    replace_file(path, encode(what))


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file durably. Raises `OSError`."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def load(miner: TemplateMiner, data: bytes) -> bool:
    """Fill an empty miner with what `encode` gave; returns its `ended`. Raises `UnreadableError`."""
    try:
        file = msgspec.json.decode(data, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"not a file of templates: {error}") from None
    if file.version != _VERSION:
        raise UnreadableError(f"version {file.version}; expected {_VERSION}")
    templates = []
    for saved in file.templates:
        if not len(saved.separators) - 1 == len(saved.words) == len(saved.texts) or saved.root >= len(file.templates):
            raise UnreadableError("a template whose parts do not fit together")
        template = Template(saved.separators, saved.words, saved.texts)
        template.learned = saved.learned
        template.evidence = saved.evidence
        template.published = list(saved.published)
        templates.append(template)
    for saved, template in zip(file.templates, templates, strict=True):
        root = templates[saved.root]
        root.text = root.text or root.render()
        template.text = root.text
        if root is not template:
            template.root = root
            root.followers.append(template)
    miner.by_source = dict(file.sources)
    for template in templates:
        miner.adopt(template)
    return file.ended
