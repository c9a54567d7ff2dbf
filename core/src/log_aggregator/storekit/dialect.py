"""The SQL in which databases differ, and conditions with numbered parameters."""

from __future__ import annotations

from typing import Any, Protocol


class Dialect(Protocol):
    """The SQL in which databases differ. Parameters are written `$1`, `$2`, … and counted from 1."""

    def moment(self, parameter: str) -> str:
        """A parameter of microseconds, as what time columns hold."""

    def micros(self, column: str) -> str:
        """A time column, as integer microseconds."""

    def json(self, column: str) -> str:
        """A JSON column, as text or bytes whatever is in it."""

    def contains(self, column: str, parameter: str) -> str:
        """Whether a text holds another in any case."""

    def holds(self, column: str, parameter: str) -> str:
        """Whether a JSON column, as text, holds another in any case of its ASCII letters."""

    def has_value(self, column: str, key: str, value: str) -> str:
        """Whether a JSON column with a summary has a value (a parameter) under a key (a parameter)."""

    def among(self, column: str, parameter: str) -> str:
        """Whether a text is one of a list given as one parameter."""

    def list_value(self, values: list[str]) -> Any:
        """The value of such a parameter."""

    def unindexed(self, column: str) -> str:
        """A column of a condition that no index shall serve, where the database cannot tell which index is better."""

    def each_tag(self) -> str:
        """A join that gives a row `tag.key`, `tag.value` for each entry of `t.tags` that is a count."""

    def each_minute(self) -> str:
        """A join that gives a row `minute.key` (from 0), `minute.value` for each minute of `t.minutes` with logs."""

    def hours(self) -> str:
        """What gives a row for each pattern, hour, level, source and category: `pattern_hours`, see `totals`."""

    def totals(self) -> str:
        """The same without hours: `pattern_totals`. It may have a column `message_pattern` for new patterns."""

    def levels(self) -> str:
        """The sums of `totals` by pattern and level: `pattern_levels`, with `message_pattern` where `totals` has it."""

    def source_hours(self) -> str:
        """The sums of `hours` by hour, level and source."""

    def each_id(self, parameter: str) -> str:
        """A table with a row `id` for each text of a list given as one parameter."""

    def any_of(self, column: str, query: str) -> str:
        """Whether a number is among those of a query, which may refer to the tables before it."""


class Where:
    """Conditions that all hold, with their numbered parameters in `values`.

    The first of `since` and `one_of` leads to the rows, by its index. Texts that are given after it are only compared:
    half of all rows may have the same level.
    """

    def __init__(self, dialect: Dialect, first: str) -> None:
        self._dialect = dialect
        self.values: list[Any] = []
        self._conditions = [first]
        self._leads = False

    def value(self, value: Any) -> str:
        """Take a parameter; how it is written."""
        self.values.append(value)
        return f"${len(self.values)}"

    def add(self, condition: str) -> None:
        """Take a condition."""
        self._conditions.append(condition)

    def equal(self, column: str, value: str | None) -> None:
        """A text is the one that is asked for, if any is."""
        if value is not None:
            self.add(f"{self.compared(column)} = {self.value(value)}")

    def since(self, column: str, micros: int | None) -> None:
        """A time is not before the asked one."""
        if micros is not None:
            self.add(f"{column} >= {self._dialect.moment(self.value(micros))}")
            self._leads = True

    def until(self, column: str, micros: int | None) -> None:
        """A time is before the asked one."""
        if micros is not None:
            self.add(f"{column} < {self._dialect.moment(self.value(micros))}")

    def one_of(self, column: str, values: list[str]) -> None:
        """A text is among those asked for."""
        parameter = self.value(self._dialect.list_value(values))
        self.add(self._dialect.among(self.compared(column), parameter))
        self._leads = True

    def sources(self, column: str, allowed: tuple[str, ...]) -> None:
        """A source is among the allowed ones; `shop-*` allows all that begin so. None at all: any source is."""
        if not allowed:
            return
        exact = [source for source in allowed if not source.endswith("*")]
        starts = [source[:-1] for source in allowed if source.endswith("*")]
        if "" in starts:
            return
        ways = [f"substr({column}, 1, {len(start)}) = {self.value(start)}" for start in starts]
        if exact:
            parameter = self.value(self._dialect.list_value(exact))
            ways.append(self._dialect.among(self.compared(column), parameter))
        self.add(f"({' OR '.join(ways)})")

    def compared(self, column: str) -> str:
        """A column as it is written where a text is only compared, see above."""
        return self._dialect.unindexed(column) if self._leads else column

    def __str__(self) -> str:
        return "WHERE " + " AND ".join(self._conditions)
