"""Pages of long lists by their last row, not by counting rows from the start: every page costs the same."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, tuple_
from sqlalchemy.sql.elements import ColumnElement

from csp_web.db import read

PAGE_SIZE = 50
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
LARGEST_NUMBER = 2**63 - 1  # that a column holds


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursors of the pages around them; None where there is none."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    previous: str | None
    next: str | None


class Listing:
    """A list that can be paged through: its statements are built once, so that a page costs what the database costs.

    ``statement`` selects ``keys``, which together are unique and decide the order. It may have bind parameters, whose
    values ``page`` takes.
    """

    def __init__(
        self,
        statement: Select[*tuple[Any, ...]],
        keys: Sequence[ColumnElement[Any]],
        *,
        descending: bool = False,
        size: int = PAGE_SIZE,
    ) -> None:
        self.keys = keys
        self.size = size
        chosen = list(statement.selected_columns)
        self._places = [next(at for at, column in enumerate(chosen) if column.compare(key)) for key in keys]
        self._first = self._ordered(statement, descending)
        here = tuple_(*keys)
        there = tuple_(*(bindparam(f"key_{number}", type_=key.type) for number, key in enumerate(keys)))
        beyond, before = (here < there, here > there) if descending else (here > there, here < there)
        self._onward = self._ordered(statement.where(beyond), descending)
        self._back = self._ordered(statement.where(before), not descending)

    def _ordered(self, statement: Select[*tuple[Any, ...]], descending: bool) -> Select[*tuple[Any, ...]]:
        order = [key.desc() if descending else key.asc() for key in self.keys]
        return statement.order_by(*order).limit(self.size + 1)

    def page(self, cursor: str | None = None, **values: Any) -> Page:
        """One page. A cursor that cannot be read means the first page."""
        back, place = _read(cursor, len(self.keys))
        statement = self._first
        if place is not None:
            statement = self._back if back else self._onward
            values |= {f"key_{number}": value for number, value in enumerate(_typed(self.keys, place))}
        rows = read(statement, values).all()
        more, rows = len(rows) > self.size, list(rows[: self.size])
        if back:
            rows.reverse()
        has_previous = more if back else place is not None
        has_next = bool(rows) if back else more
        return Page(
            rows,
            _write(True, self._key_of(rows[0])) if rows and has_previous else None,
            _write(False, self._key_of(rows[-1])) if rows and has_next else None,
        )

    def _key_of(self, row: Row[*tuple[Any, ...]]) -> list[Any]:
        return [row[place] for place in self._places]


def page_of(
    statement: Select[*tuple[Any, ...]],
    keys: Sequence[ColumnElement[Any]],
    *,
    cursor: str | None,
    descending: bool,
    size: int = PAGE_SIZE,
) -> Page:
    """One page of a statement that differs from request to request: filters, a search."""
    return Listing(statement, keys, descending=descending, size=size).page(cursor)


def cursor_after(*values: Any) -> str:
    """The cursor of the page that begins behind a place, for links into the middle of a list."""
    return _write(False, values)


def _write(back: bool, values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([int(back), *plain]).encode()).decode().rstrip("=")


def _read(cursor: str | None, count: int) -> tuple[bool, list[Any] | None]:
    if not cursor or len(cursor) > 2000:
        return False, None
    try:
        back, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, TypeError, RecursionError):  # the last: lists in lists in lists
        return False, None
    fits = len(values) == count and all(isinstance(value, str | int) for value in values)
    return (back == 1, values) if fits else (False, None)


def _typed(keys: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> list[Any]:
    typed: list[Any] = []
    for key, value in zip(keys, values, strict=True):
        kind = key.type.python_type
        try:
            typed.append(_READERS.get(kind, kind)(value))
        except (TypeError, ValueError, OverflowError):
            typed.append(LONG_AGO if kind is datetime else kind())
    return typed


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found.astimezone(UTC) if found.tzinfo else LONG_AGO


def _number(value: str | int) -> int:
    return max(-LARGEST_NUMBER, min(int(value), LARGEST_NUMBER))


def _text(value: str | int) -> str:
    """Raises ValueError for what no database takes: halves of surrogate pairs, NUL."""
    text = str(value)
    if "\0" in text:
        raise ValueError("a text with NUL")
    return text.encode().decode()


_READERS: dict[type, Callable[[Any], Any]] = {datetime: _instant, int: _number, str: _text}


__all__ = ["PAGE_SIZE", "Listing", "Page", "cursor_after", "page_of"]
