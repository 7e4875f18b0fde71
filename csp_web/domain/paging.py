"""Pages of long lists by their last row, not by counting rows from the start: every page costs the same."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from csp_web.db import session

PAGE_SIZE = 50
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursors of the pages around them; None where there is none."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    previous: str | None
    next: str | None


def page_of(
    statement: Select[*tuple[Any, ...]],
    keys: Sequence[ColumnElement[Any]],
    *,
    cursor: str | None,
    descending: bool,
    size: int = PAGE_SIZE,
) -> Page:
    """One page of a statement ordered by ``keys`` (together unique; the statement selects them first, in this order).

    A cursor that cannot be read means the first page.
    """
    back, values = _read(cursor, len(keys))
    downwards = descending != back
    if values is not None:
        here, there = tuple_(*keys), tuple_(*_typed(keys, values))
        statement = statement.where(here < there if downwards else here > there)
    order = [key.desc() if downwards else key.asc() for key in keys]
    rows = list(session.execute(statement.order_by(*order).limit(size + 1)))
    more, rows = len(rows) > size, rows[:size]
    if back:
        rows.reverse()
    count = len(keys)
    has_previous = more if back else values is not None
    has_next = bool(rows) if back else more
    return Page(
        rows,
        _write(True, rows[0][:count]) if rows and has_previous else None,
        _write(False, rows[-1][:count]) if rows and has_next else None,
    )


def _write(back: bool, values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([int(back), *plain]).encode()).decode().rstrip("=")


def _read(cursor: str | None, count: int) -> tuple[bool, list[Any] | None]:
    if not cursor or len(cursor) > 2000:
        return False, None
    try:
        back, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, TypeError):
        return False, None
    fits = len(values) == count and all(isinstance(value, str | int) for value in values)
    return (back == 1, values) if fits else (False, None)


def _typed(keys: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> list[Any]:
    typed: list[Any] = []
    for key, value in zip(keys, values, strict=True):
        kind = key.type.python_type
        try:
            typed.append(datetime.fromisoformat(value) if kind is datetime else kind(value))
        except (TypeError, ValueError, OverflowError):
            typed.append(LONG_AGO if kind is datetime else kind())
    return typed


__all__ = ["PAGE_SIZE", "Page", "page_of"]
