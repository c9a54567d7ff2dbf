"""`_bulk` requests → records, and the answer with one item for each action."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator import Record
from log_aggregator.http.decoding.document import NotJsonError, read_json
from log_aggregator.http.receiving import Kept, Problem, SentBody, Taken
from log_aggregator.receivers import BadLogError
from log_aggregator_elasticsearch.answers import failure, json_response
from log_aggregator_elasticsearch.documents import record_of
from log_aggregator_elasticsearch.ids import StoredIds, content_hash, document_hash, request_hash

ACTIONS = ("create", "index", "update", "delete")
DEFAULT_INDEX = "logs"
NEW = 400
KNOWN = 200
"""The status of an `index` or `update` whose document was stored before under its id."""

AT_ONCE = 1024 * 1024
"""Bytes of a body whose lines are decoded together, which takes half the time."""

MOST_ACTIONS = 16
"""Different actions of a body that is looked at in pairs of lines."""

_ONLY_INDEX = frozenset({"_index"})
_END = object()
_encode = msgspec.json.encode
_decode_lines = msgspec.json.Decoder().decode_lines


@dataclass(slots=True)
class Item:
    """One action of a request; `status` is what it is answered when its document was not taken."""

    action: str
    index: str
    id: str | None
    status: int = NEW
    key: int = 0
    content: int = 0
    request: int = 0
    """Hashes of a document that has an id: of the id, the content, and the request that it came with; else 0."""


def read_bulk(sent: SentBody, stored: StoredIds) -> Iterator[Record | BadLogError]:
    """The records of a bulk request, with an `Item` in the notes for each. Raises `Problem` 400.

    What `stored` knows was sent before, perhaps by a client that put its next attempt together anew.
    """
    default = sent.request.match_info.get("index", DEFAULT_INDEX)
    created: set[int] = set()
    sent.check_values()
    if (pairs := _plain(sent, default)) is not None:
        for action, document in pairs:
            sent.notes.append(action)
            try:
                yield record_of(sent, document, action.index, has_id=False)
            except BadLogError as error:
                yield error
        return
    values = _values(sent)
    line = next(values, _END)
    while line is not _END:
        item = _item_of(line, default)
        if item is None:
            if not sent.notes:
                raise Problem(400, 'Malformed action/metadata line [1], expected an action such as {"create": {}}')
            yield _noted(sent, Item("index", default, None), BadLogError("a line that is no action"))
            line = next(values, _END)
            if line is not _END and _item_of(line, default) is None:  # its document is passed over
                line = next(values, _END)
            continue
        if item.action == "delete":
            yield _noted(sent, item, BadLogError("delete: logs are counted, not kept"))
        else:
            yield _noted(sent, item, _document(sent, item, next(values, _END), created, stored))
        line = next(values, _END)


def _plain(sent: SentBody, default: str) -> Iterator[tuple[Item, Any]] | None:
    """The documents of a body whose actions are all `create` or `index` without ids, as most are: a few texts that
    come again and again. `None` for every other body."""
    lines = sent.body.split(b"\n")
    if lines and not lines[-1]:
        del lines[-1]
    actions = set(lines[::2])
    if len(lines) % 2 or len(actions) > MOST_ACTIONS or len(sent.body) > AT_ONCE:
        return None
    items = {}
    for line in actions:
        item = _item_of(_read(line), default)
        if item is None or item.id is not None or item.action not in ("create", "index"):
            return None
        items[line] = item
    try:
        documents = _decode_lines(b"\n".join(lines[1::2]))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if len(documents) != len(lines) // 2:
        return None
    return zip(map(items.__getitem__, lines[::2]), documents, strict=True)


def _values(sent: SentBody) -> Iterator[Any]:
    """What each line holds; a line that is not JSON is its `NotJsonError`."""
    if len(sent.body) <= AT_ONCE:
        try:
            yield from _decode_lines(sent.body)
            return
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass
    for line in sent.lines():
        yield _read(line)


def _read(line: bytes) -> Any:
    try:
        return read_json(line)
    except NotJsonError as error:
        return error


def read_one(sent: SentBody, stored: StoredIds) -> Iterator[Record | BadLogError]:
    """The record of a request that holds one document."""
    path = sent.request.match_info
    item = Item("create", path["index"], path.get("id"))
    yield _noted(sent, item, _document(sent, item, _read(sent.body), set(), stored))


def kept(sent: SentBody, stored: StoredIds) -> Kept | None:
    """What is kept with a request whose documents have ids: which they are, so that no restart forgets them."""
    documents = {item.key: item for item in sent.notes if item.key and item.status == NEW}
    if not documents:
        return None
    request = next(iter(documents.values())).request
    page, block = stored.keep(request, [(item.key, item.content) for item in documents.values()])

    def settle(taken: Taken | None) -> None:
        if taken is None:
            stored.settle(page, None)
            return
        refused = {sent.notes[place].key for place, _ in taken.rejected if sent.notes[place].status == NEW}
        stored.settle(page, block._replace(documents=tuple(one for one in block.documents if one[0] not in refused)))

    return Kept((page.name, page.written), settle)


def answer_bulk(sent: SentBody, taken: Taken) -> web.Response:
    """200, with an item for each action: 201, 400 with a reason, 409 for a `create` whose id came before, or 200."""
    reasons = _reasons(sent, taken)
    filtered = "items" in sent.request.query.get("filter_path", "")
    items: list[Any]
    if filtered:
        items = [_item(sent, place, item, reasons.get(place), filtered) for place, item in enumerate(sent.notes)]
        return json_response(sent.request, {"errors": bool(reasons), "items": items})
    items = [
        _stored_json(sent, place, item) if place not in reasons else _item(sent, place, item, reasons[place], False)
        for place, item in enumerate(sent.notes)
    ]
    return json_response(sent.request, {"took": 0, "errors": bool(reasons), "items": items})


def answer_one(sent: SentBody, taken: Taken) -> web.Response:
    """201, or the error of the document."""
    item = sent.notes[0]
    if reasons := _reasons(sent, taken):
        return failure(sent.request, item.status, reasons[0])
    return json_response(sent.request, _stored(sent, 0, item), 201)


def _reasons(sent: SentBody, taken: Taken) -> dict[int, str]:
    """Why documents were not taken, by their place."""
    return {place: why for place, why in taken.rejected if sent.notes[place].status != KNOWN}


def _noted(sent: SentBody, item: Item, log: Record | BadLogError) -> Record | BadLogError:
    sent.notes.append(item)
    return log


def _document(sent: SentBody, item: Item, document: Any, created: set[int], stored: StoredIds) -> Record | BadLogError:
    if document is _END:
        return BadLogError("the document is missing")
    if isinstance(document, NotJsonError):
        return BadLogError(f"the document is not JSON: {document}")
    if item.id is not None:
        item.request = sent.notes[-1].request if sent.notes and sent.notes[-1].request else request_hash(sent)
        item.key = document_hash(sent.sender, item.index, item.id)
        item.content = content_hash(_encode(document))
        if item.action == "create" and (item.key in created or stored.has(item.key, item.request)):
            item.status = 409
            return BadLogError(f"[{item.id[:100]}]: version conflict, document already exists")
        if stored.has(item.key, item.request, item.content):
            item.status = KNOWN
            return BadLogError(f"[{item.id[:100]}]: stored already, not counted again")
        created.add(item.key)
    try:
        if item.action == "update":
            document = document.get("doc", document.get("upsert")) if isinstance(document, dict) else None
        return record_of(sent, document, item.index, has_id=item.id is not None)
    except BadLogError as error:
        created.discard(item.key)
        item.key = 0
        return error


def _item_of(sent: Any, default: str) -> Item | None:
    """The item of an action line; `None` for anything else."""
    if not isinstance(sent, dict):
        return None
    if len(sent) == 1:  # as everybody writes it
        ((action, about),) = sent.items()
        if action in ACTIONS and isinstance(about, dict) and about.keys() <= _ONLY_INDEX:
            index = about.get("_index")
            return _item_without_id(action, index if isinstance(index, str) and index else default)
    action = next((name for name in ACTIONS if name in sent), "")
    about = sent[action] if action else None
    if not action or "message" in sent or "@timestamp" in sent or not (about is None or isinstance(about, dict)):
        return None
    if not about:
        return Item(action, default, None)
    index, named = about.get("_index"), about.get("_id")
    return Item(
        action,
        index if isinstance(index, str) and index else default,
        str(named) if isinstance(named, str | int) and named != "" else None,
    )


@lru_cache(maxsize=1000)
def _item_without_id(action: str, index: str) -> Item:
    """The item of documents without an id, one for all: nothing of it changes."""
    return Item(action, index, None)


def _item(sent: SentBody, place: int, item: Item, reason: str | None, filtered: bool) -> dict[str, Any]:
    if reason is None:
        return {item.action: {"status": _stored_status(item)} if filtered else _stored(sent, place, item)}
    kind = "version_conflict_engine_exception" if item.status == 409 else "mapper_parsing_exception"
    about: dict[str, Any] = {} if filtered else {"_index": item.index, "_id": item.id}
    return {item.action: {**about, "status": item.status, "error": {"type": kind, "reason": reason}}}


def _stored_json(sent: SentBody, place: int, item: Item) -> msgspec.Raw:
    """The item of a stored document as JSON: a text with holes is written five times as fast as an object."""
    if item.id is not None:
        return msgspec.Raw(_encode(_item(sent, place, item, None, False)))
    begin, end = _around_id(item.action, item.index)
    return msgspec.Raw(f"{begin}{sent.received:x}{place:06x}{end}".encode())


@lru_cache(maxsize=1000)
def _around_id(action: str, index: str) -> tuple[str, str]:
    """What stands before the id of a stored document, and behind it."""
    named = _encode(index).decode()
    return f'{{"{action}":{{"_index":{named},"_id":"', '","_version":1,"result":"created","status":201}}'


def _stored(sent: SentBody, place: int, item: Item) -> dict[str, Any]:
    return {
        "_index": item.index,
        "_id": item.id if item.id is not None else f"{sent.received:x}{place:06x}",
        "_version": 1,
        "result": "noop" if item.status == KNOWN else "created",
        "status": _stored_status(item),
    }


def _stored_status(item: Item) -> int:
    return item.status if item.status == KNOWN else 201
