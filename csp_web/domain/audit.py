"""The activity log (B11): no audit, no act.

Rows are collected while an act runs and written as its last step, inside the same transaction: the chain has one
head for everybody, and a lock that is always taken last cannot deadlock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from csp_web.db import before_commit, now, on_sqlite, session
from csp_web.i18n import LazyText
from csp_web.models import AuditEntry, AuditHead, AuditStatus, Customer
from csp_web.said import stored

if TYPE_CHECKING:
    from csp_web.domain.access.actors import Actor

GENESIS = b"\0" * 32


def record(
    operation: str,
    *,
    by: Actor | None,
    resource: tuple[str, Any],
    customer: Customer | None = None,
    partner_id: int | None = None,
    status: AuditStatus = AuditStatus.SUCCEEDED,
    **details: Any,
) -> None:
    """Write an act into the log, with the transaction in hand.

    ``resource`` is its type and public id; ``details`` are old and new values or reasons, never a key or a token.
    ``partner_id`` says whose log shows the row; by default the customer's partner, else the actor's.
    """
    owner = partner_id or (customer.partner_id if customer else by.partner_id if by else None)
    entry = AuditEntry(
        at=now(),
        partner_id=owner,
        customer_id=customer.id if customer else None,
        customer_name=customer.company_name if customer else "",
        actor_id=by.id if by else None,
        actor_email=by.email if by else "",
        operation=operation,
        resource_type=resource[0],
        resource_id=str(resource[1]),
        status=status,
        details={key: _plain(value) for key, value in details.items() if value is not None},
        address=by.address if by else "",
        request_id=by.request_id if by else "",
    )
    _collected().append(entry)


def declined(operation: str, *, by: Actor | None, resource: tuple[str, Any], reason: str, **more: Any) -> None:
    """Write a refusal into the log. The refused act's own transaction is gone; this needs one of its own."""
    record(operation, by=by, resource=resource, status=AuditStatus.DECLINED, reason=reason, **more)


def take_turn() -> None:
    """Keep every other act from ending until this one has: for what may happen only once in an installation."""
    if _head() is None:
        _first_head()


class _Collected(list[AuditEntry]):
    """The rows of an act, linked to the chain and written together as its last step."""

    def __call__(self) -> None:
        _append(self)


def _append(entries: Sequence[AuditEntry]) -> None:
    head = _head() or _first_head()
    for entry in entries:
        entry.seq = head.seq + 1
        entry.previous_hash = head.hash
        entry.hash = digest(entry)
        head.seq, head.hash = entry.seq, entry.hash
    session.add_all(entries)
    session.flush()


def _collected() -> _Collected:
    """The rows of the act in hand so far."""
    steps = session().info.get("before_commit")
    if steps and isinstance(steps[-1], _Collected):
        return steps[-1]
    collected = _Collected()
    before_commit(collected)
    return collected


def _head() -> AuditHead | None:
    return session.scalar(select(AuditHead).with_for_update().execution_options(populate_existing=True))


def _first_head() -> AuditHead:
    """Begin the chain; of two who begin it at once, the second waits here and goes on from what the first wrote."""
    insert = sqlite.insert if on_sqlite() else postgresql.insert
    session.execute(insert(AuditHead).values(id=1, seq=0, hash=GENESIS).on_conflict_do_nothing())
    return session.get_one(AuditHead, 1, populate_existing=True, with_for_update=True)


def digest(entry: AuditEntry) -> bytes:
    """SHA-256 over the hash of the row before and everything in this row."""
    body = {
        name: _plain(getattr(entry, name))
        for name in (
            "seq",
            "at",
            "partner_id",
            "customer_id",
            "customer_name",
            "actor_id",
            "actor_email",
            "operation",
            "resource_type",
            "resource_id",
            "status",
            "details",
            "address",
            "request_id",
        )
    }
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(entry.previous_hash + text.encode()).digest()


def broken_links() -> Iterator[int]:
    """The sequence numbers at which the chain does not hold: a gap, a changed row, a cut end."""
    expected, previous = 1, GENESIS
    head = session.scalar(select(AuditHead).execution_options(populate_existing=True))
    end = head.seq if head else 0  # rows that are written while this reads are of another check
    statement = select(AuditEntry).where(AuditEntry.seq <= end).order_by(AuditEntry.seq)
    rows = session.scalars(statement.execution_options(yield_per=1000, populate_existing=True))
    for entry in rows:
        if entry.seq != expected or entry.previous_hash != previous or digest(entry) != entry.hash:
            yield entry.seq
        expected, previous = entry.seq + 1, entry.hash
    if head is not None and (head.seq + 1 != expected or head.hash != previous):
        yield expected


def _plain(value: Any) -> Any:
    """A value as JSON knows it, the same on both databases."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return stored(value) if isinstance(value, str | LazyText) else str(value)
