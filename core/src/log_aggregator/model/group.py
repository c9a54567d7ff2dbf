"""A group: records of one batch with equal shape, level, source and annotations."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from typing import Any, TypeVar, cast

import msgspec

from log_aggregator.model.outlines import Key
from log_aggregator.model.record import Record
from log_aggregator.model.shapes import shapes_of

K = TypeVar("K", bound=Hashable)

_Annotations = tuple[str, str, str, str, tuple[str, ...], bool]

_FIELDS = ("pattern", "level", "source", "category", "tags", "pattern_is_final")
"""What `annotations_of` returns, in order."""


class Group(msgspec.Struct, gc=False):
    """Records of one batch with equal shape, level, source, weight and annotations. Messages differ in digits at most.

    What is assigned to `pattern`, `category`, `tags`, `pattern_is_final`, `level` or `source` counts for all records.
    `messages` and `metadata` are columns with one entry per record, to be read; `metadata` may be assigned as a whole.
    """

    _records: list[Record]
    _shape: str
    level: str
    source: str
    _level_is_explicit: bool
    pattern: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    pattern_is_final: bool = False
    _weight: int = 1
    _metadata: Sequence[dict[str, Any]] | None = None
    _metadata_assigned: bool = False
    _base: _Annotations | None = None
    _parts: list[Group] | None = None
    _is_outlined: bool = False
    _first: Record | None = None

    @property
    def shape(self) -> str:
        """The messages with every ASCII digit as `0`."""
        return self._shape

    @property
    def level_is_explicit(self) -> bool:
        """Whether the clients sent the level."""
        return self._level_is_explicit

    @property
    def messages(self) -> Sequence[str]:
        """The message of each record."""
        return [record.message for record in self._records]

    @property
    def metadata(self) -> Sequence[Mapping[str, Any]]:
        """The metadata of each record. Records may share one object: never change it in place."""
        if self._metadata is None:
            self._metadata = [record.metadata for record in self._records]
        return self._metadata

    @metadata.setter
    def metadata(self, column: Sequence[Mapping[str, Any]]) -> None:
        """Assign the metadata of each record, in order. Raises `ValueError` when the column has another length."""
        if len(column) != len(self._records):
            raise ValueError(f"metadata of {len(column)} records, expected {len(self._records)}")
        self._metadata = column  # type: ignore[assignment]  # the inspector finds what is no dict
        self._metadata_assigned = True

    def split(self, keys: Sequence[K]) -> list[tuple[K, Group]]:
        """Split the group by one key per record, to annotate records differently: each key with its part.

        The batch keeps the parts in place of the group. When all keys are equal, the part is the group itself.
        Raises `ValueError` when there are not as many keys as records.
        """
        if len(keys) != len(self._records):
            raise ValueError(f"{len(keys)} keys, expected one for each of {len(self._records)} records")
        if len(keys) == 1:
            return [(keys[0], self)]
        places: dict[K, list[int]] = {}
        for place, key in enumerate(keys):
            if (known := places.get(key)) is not None:
                known.append(place)
            else:
                places[key] = [place]
        if len(places) == 1:
            return [(keys[0], self)]
        parts = [(key, _part(self, some)) for key, some in places.items()]
        self._parts = [part for _, part in parts]
        retire(self)
        return parts


class _Retired(Group, gc=False):
    """A group whose records have moved to other groups: an assignment would be lost, so it raises."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: this group was split or its batch regrouped; assign to the parts instead")


def retire(group: Group) -> None:
    """Let every further assignment to a group raise `AttributeError`."""
    if type(group) is Group:
        group.__class__ = _Retired


def _part(group: Group, places: list[int]) -> Group:
    part = copy(group)
    part._records = [group._records[place] for place in places]
    if part._metadata is not None:
        part._metadata = [part._metadata[place] for place in places]
    if not part._is_outlined:
        part._first = first_of(group)
    return part


def first_of(group: Group) -> Record:
    """The record by whose place a group is put in order: of a part its own, or that of the shape that was split."""
    return group._first or group._records[0]


def outline_of_group(group: Group) -> str:
    """The outline that all messages have in common where their shapes differ; empty where they have one shape."""
    return group._shape if group._is_outlined else ""


def by_shape(group: Group) -> None:
    """Split a group of an outline into the groups of the shapes."""
    for shape, part in group.split(shapes_of(group.messages)):
        part._shape = shape
        part._is_outlined = False


def flattened(groups: list[Group]) -> list[Group]:
    """The groups with those that were split replaced by their parts."""
    found: list[Group] = []
    for group in groups:
        if group._parts is None:
            found.append(group)
        else:
            found += flattened(group._parts)
    return found


def annotations_of(group: Group | Record) -> _Annotations:
    """What a stage may assign to all records of a group."""
    return group.pattern, group.level, group.source, group.category, group.tags, group.pattern_is_final


def records_of(group: Group) -> list[Record]:
    """The records of a group, in order."""
    return group._records


def metadata_of(group: Group) -> Sequence[dict[str, Any]]:
    """The metadata of each record."""
    return group.metadata  # type: ignore[return-value]  # the inspector finds what is no dict


def weight_of(group: Group) -> int:
    """How many logs each record of a group stands for."""
    return group._weight


def is_metadata_assigned(group: Group) -> bool:
    """Whether metadata was assigned that the records do not hold yet."""
    return group._metadata_assigned


def handed_out(group: Group) -> None:
    """Note that a plugin holds the records, which say now what the group says: it may assign to either."""
    group._base = annotations_of(group)
    group._metadata = None


def taken_back(group: Group) -> None:
    """Note that nobody holds the records any more."""
    group._base = None


def write(group: Group) -> bool:
    """Write a group's metadata and annotations to its records, where they differ; whether an annotation was written.

    A field that a plugin assigned to a record since `handed_out` keeps what was assigned.
    """
    if group._metadata_assigned:
        for record, metadata in zip(group._records, group._metadata or (), strict=True):
            record.metadata = metadata
        group._metadata_assigned = False
    base = group._base
    if base is None:
        record = group._records[0]
        if (
            record.pattern == group.pattern
            and record.level == group.level
            and record.source == group.source
            and record.category == group.category
            and record.tags == group.tags
            and record.pattern_is_final is group.pattern_is_final
        ):
            return False
        _annotate(group)
        return True
    now = annotations_of(group)
    for field, before, after in zip(_FIELDS, base, now, strict=True):
        if before != after:
            for record in group._records:
                if getattr(record, field) == before:
                    setattr(record, field, after)
    group._base = now
    return now != base


def is_annotated(record: Record) -> bool:
    """Whether a stage annotated or weighted a record, with invalid values too; its level and source apart."""
    return (
        record.pattern != ""
        or record.category != ""
        or record.tags != ()
        or record.pattern_is_final is not False
        or record.weight != 1
    )


def is_uniform(group: Group) -> bool:
    """Whether all records say what the group says."""
    now, weight = annotations_of(group), group._weight
    return all(annotations_of(record) == now and record.weight == weight for record in group._records)


def _annotate(group: Group) -> None:
    """Write a group's annotations to its records."""
    level, source, pattern, category = group.level, group.source, group.pattern, group.category
    tags, is_final = group.tags, group.pattern_is_final
    for record in group._records:
        record.level, record.source, record.pattern, record.category = level, source, pattern, category
        record.tags, record.pattern_is_final = tags, is_final


def grouped(records: list[Record], shapes: Sequence[Key], *, annotated: bool) -> list[Group]:
    """The groups of some records with these shapes or outlines, in the order of the first record of each.

    `annotated`: stages have assigned fields of the records. Raises `TypeError` when a field has a wrong type.
    """
    groups = _by_annotations(records, shapes) if annotated else _by_shape(records, shapes)
    for group in groups:
        key = cast("Key", group._shape)
        if not isinstance(key, str):
            (group._shape,) = key
            group._is_outlined = True
    return groups


def _by_shape(records: list[Record], shapes: Sequence[Key]) -> list[Group]:
    found: dict[Any, Group] = {}
    get = found.get
    for record, shape in zip(records, shapes, strict=True):
        group = get(shape)
        if group is None:
            found[shape] = Group([record], cast("str", shape), record.level, record.source, record.level_is_explicit)
            continue
        # Most shapes have one level and source, and decoders share their texts: cheaper than a key of all.
        if (
            group.level is not record.level
            or group.source is not record.source
            or group._level_is_explicit is not record.level_is_explicit
        ):
            group = _other_level_or_source(record, shape, group, found)
        group._records.append(record)
    return list(found.values())


def _other_level_or_source(record: Record, shape: Key, first: Group, found: dict[Any, Group]) -> Group:
    """The group of a record that is not identical with the first of its shape."""
    level, source, explicit = record.level, record.source, record.level_is_explicit
    if first.level == level and first.source == source and first._level_is_explicit is explicit:
        return first
    key = (shape, level, source, explicit)
    return found.get(key) or found.setdefault(key, Group([], cast("str", shape), level, source, explicit))


def _by_annotations(records: list[Record], shapes: Sequence[Key]) -> list[Group]:
    found: dict[tuple[Any, ...], list[Record]] = {}
    for record, shape in zip(records, shapes, strict=True):
        sent = (shape, record.level, record.source, record.level_is_explicit)
        key = (*sent, record.pattern, record.category, record.tags, record.pattern_is_final, record.weight)
        found.setdefault(key, []).append(record)
    return [Group(some, *key) for key, some in found.items()]
