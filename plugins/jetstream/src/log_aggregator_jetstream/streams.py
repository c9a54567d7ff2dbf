"""The streams of a log: how they are named, made, and checked."""

from __future__ import annotations

from nats.js.api import DiscardPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError

from log_aggregator import ConfigError
from log_aggregator.journals import JournalError
from log_aggregator_jetstream.config import JetstreamConfig
from log_aggregator_jetstream.connection import Connection

NO_ROOM = (10005, 10023, 10047)
"""Error codes: the servers have not the room that a stream reserves."""

MEMBER_TTL = 3.0
"""Seconds after which a member that says nothing counts as gone."""


class Names:
    """Streams and subjects of a log. `la` keeps them apart from those of other programs."""

    def __init__(self, name: str) -> None:
        self.log = name
        self.kept = f"la-{name}-kept"
        self.members = f"la-{name}-members"
        self.probes = f"la.{name}.kept.probe"

    def intake(self, partition: int) -> str:
        """The stream of acknowledged records."""
        return f"la-{self.log}-in-{partition}"

    def outbox(self, partition: int) -> str:
        """The stream of sealed flushes."""
        return f"la-{self.log}-out-{partition}"

    def rows(self, partition: int) -> str:
        """The subject of rows without a reader's position."""
        return f"la.{self.log}.in.{partition}.rows"

    def reader(self, partition: int, reader: str) -> str:
        """The subject of the rows of one reader: its newest message holds its position."""
        return f"la.{self.log}.in.{partition}.reader.{reader}"

    def flushes(self, partition: int) -> str:
        """The subject of flushes."""
        return f"la.{self.log}.out.{partition}"

    def keep(self, *parts: str) -> str:
        """The subject of something that is kept, its newest value only."""
        return ".".join((f"la.{self.log}.kept", *parts))

    def member(self, kind: str, member: str) -> str:
        """The subject on which a member shows that it lives; `kind` says whether it takes partitions."""
        return f"la.{self.log}.members.{kind}.{member}"

    def ask(self, member: str) -> str:
        """The subject on which a member is asked; no stream keeps it."""
        return f"la.{self.log}.ask.{member}"


def wanted_streams(config: JetstreamConfig) -> list[StreamConfig]:
    """Every stream that a log needs.

    Nothing has a `max_age` but the members: what nobody has stored is never deleted for its age.
    """
    names, window = Names(config.name), float(config.window)
    found = []
    for partition in range(config.partitions):
        subjects = [f"la.{config.name}.in.{partition}.>"]
        found.append(_stream(config, names.intake(partition), subjects, window, max_bytes=config.max_bytes))
        found.append(_stream(config, names.outbox(partition), [names.flushes(partition)], window))
    found.append(_stream(config, names.kept, [names.keep(">")], min(window, 120.0), per_subject=1))
    members = _stream(config, names.members, [names.member("*", "*")], 1.0, per_subject=1)
    members.storage, members.max_age, members.discard = StorageType.MEMORY, MEMBER_TTL, DiscardPolicy.OLD
    return [*found, members]


def _stream(
    config: JetstreamConfig, name: str, subjects: list[str], window: float, max_bytes: int = -1, per_subject: int = -1
) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=subjects,
        storage=StorageType.FILE,
        num_replicas=config.replicas,
        duplicate_window=window,
        discard=DiscardPolicy.NEW if per_subject < 0 else DiscardPolicy.OLD,
        max_bytes=max_bytes,
        max_msgs_per_subject=per_subject,
        allow_direct=True,
    )


async def made(connection: Connection, wanted: StreamConfig) -> StreamInfo:
    """A stream, made where there is none. Raises `ConfigError` when one is there that is not as it must be."""
    info = await found(connection, wanted.name or "")
    if info is None:
        try:
            info = await connection.patiently(lambda: connection.js.add_stream(wanted), "cannot be made")
        except APIError as error:
            hint = "; max_file of the servers must hold partitions × max_bytes" if error.err_code in NO_ROOM else ""
            raise ConfigError(f"the stream {wanted.name} cannot be made: {error.description}{hint}") from error
        except JournalError as error:
            raise ConfigError(f"the stream {wanted.name} cannot be made: {error}") from error
    if wrong := misfits(info, wanted):
        raise ConfigError(f"the stream {wanted.name} is not as it must be: {'; '.join(wrong)}")
    return info


async def found(connection: Connection, name: str, subjects: str | None = None) -> StreamInfo | None:
    """What the servers say of a stream; `None` where there is none. Raises `JournalError`."""
    try:
        return await connection.patiently(
            lambda: connection.js.stream_info(name, subjects_filter=subjects), "cannot be asked"
        )
    except NotFoundError:
        return None


def misfits(info: StreamInfo, wanted: StreamConfig) -> list[str]:
    """What of a stream is not as it must be: each with what is expected."""
    config = info.config
    pairs = [
        ("replicas", config.num_replicas, wanted.num_replicas),
        ("duplicate_window", config.duplicate_window, wanted.duplicate_window),
        ("discard", _word(config.discard), _word(wanted.discard)),
        ("storage", _word(config.storage), _word(wanted.storage)),
        ("max_age", config.max_age or 0, wanted.max_age or 0),
        ("max_bytes", config.max_bytes, wanted.max_bytes),
        ("max_msgs_per_subject", config.max_msgs_per_subject, wanted.max_msgs_per_subject),
    ]
    return [f"{name} is {is_now}, expected {expected}" for name, is_now, expected in pairs if is_now != expected]


def _word(value: object) -> str:
    return str(getattr(value, "value", value))


def missing_replicas(info: StreamInfo, replicas: int) -> str:
    """What a stream lacks to survive the loss of a machine; empty when nothing."""
    if replicas == 1:
        return ""
    others = (info.cluster.replicas if info.cluster else None) or []
    current = [peer for peer in others if peer.current and not peer.offline]
    if len(current) == replicas - 1 and info.cluster is not None and info.cluster.leader:
        return ""
    return f"{info.config.name}: {len(current) + 1} of {replicas} replicas are current"


def moment(info: StreamInfo) -> str:
    """When a stream was made, in microseconds: another stream of the same name has another."""
    if info.created is None:
        raise JournalError(f"the servers do not say when {info.config.name} was made")
    return str(int(info.created.timestamp() * 1_000_000))
