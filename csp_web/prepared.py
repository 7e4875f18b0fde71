"""Statements that are compiled once per process: running one costs what the database costs.

SQLAlchemy writes the SQL of either database, and knows how values go in and come out. For every run it spends more time
on that than SQLite on the answer; here it is asked once (``docs/decisions/0009-prepared-statements.md``).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.exc import DBAPIError

from csp_web.db import read, session

Convert = Callable[[Any], Any]


@dataclass(slots=True)
class _Plan:
    """A statement for one kind of database."""

    sql: str
    order: Sequence[str] | None  # of the parameters; None where they are sent by name
    fixed: Mapping[str, Any]  # parameters whose value belongs to the statement
    senders: Mapping[str, Convert | None]  # what makes of the others what the driver takes
    readers: Sequence[tuple[int, Convert]] | None = (
        None  # place and maker of columns that are read; after the first run
    )


class Prepared:
    """A statement that selects columns. What differs from run to run are its bind parameters."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement
        names = [str(column.key) for column in statement.selected_columns]
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        self._row: Convert = row._make
        self._plans: dict[str, _Plan] = {}

    def rows(self, **values: Any) -> Sequence[Any]:
        """All rows, tuples whose parts have the names of their columns. They tell what was flushed."""
        connection = session().connection()
        dialect = connection.dialect
        if connection.engine.dispatch.before_cursor_execute:  # somebody listens: every statement has to be heard
            return connection.execute(self.statement, values).all()
        plan = self._plans.get(dialect.name) or self._planned(dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(plan.sql, _sent(plan, values))
            return self._read(cursor, plan, dialect)
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(plan.sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
        finally:
            cursor.close()

    def _planned(self, dialect: Dialect) -> _Plan:
        compiled = self.statement.compile(dialect=dialect)
        binds = {name: compiled.binds[name] for name in compiled.params}
        senders = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        fixed = {
            name: _made(senders.pop(name), value) for name, value in compiled.params.items() if not binds[name].required
        }
        plan = _Plan(str(compiled), compiled.positiontup, fixed, senders)
        self._plans[dialect.name] = plan
        return plan

    def _read(self, cursor: Any, plan: _Plan, dialect: Dialect) -> Sequence[Any]:
        found = cursor.fetchall()
        if plan.readers is None:
            plan.readers = self._readers(cursor.description, dialect)
        columns = list(zip(*found, strict=True))
        for place, reader in plan.readers if columns else ():
            columns[place] = map(reader, columns[place])  # type: ignore[call-overload]
        return list(map(self._row, zip(*columns, strict=True)))

    def _readers(self, description: Any, dialect: Dialect) -> list[tuple[int, Convert]]:
        kinds = (column.type.dialect_impl(dialect) for column in self.statement.selected_columns)
        readers = [kind.result_processor(dialect, told[1]) for kind, told in zip(kinds, description, strict=True)]
        return [(place, reader) for place, reader in enumerate(readers) if reader is not None]


class Unprepared:
    """The same for a statement that is run once and never again."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement

    def rows(self, **values: Any) -> Sequence[Any]:
        """All rows."""
        return read(self.statement, values).all()


def _sent(plan: _Plan, values: Mapping[str, Any]) -> Any:
    sent = dict(plan.fixed)
    for name, sender in plan.senders.items():
        sent[name] = _made(sender, values[name])
    return sent if plan.order is None else [sent[name] for name in plan.order]


def _made(sender: Convert | None, value: Any) -> Any:
    return value if sender is None else sender(value)
