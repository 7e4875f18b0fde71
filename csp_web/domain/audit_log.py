"""Reading the activity log: whose rows a person sees, and which of them (B11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select

from csp_web.db import session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor
from csp_web.domain.paging import Page, page_of
from csp_web.identifiers import fold, parse_guid
from csp_web.models import AuditEntry, AuditStatus, Customer, Partner, User

MATCHES = 500  # customers or people that a text may stand for
SHOWN_BREAKS = 5
_entries = AuditEntry.__table__.c


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What to look for. Days are on the reader's clock, both included; texts are parts of names, addresses or ids."""

    since: date | None = None
    until: date | None = None
    customer: str = ""
    person: str = ""
    operation: str = ""
    status: AuditStatus | None = None


def list_entries(actor: Actor, wanted: LogFilter, *, cursor: str | None = None) -> Page:
    """A page of the log, newest first: the own partner's rows, or everything for an operator admin.

    One statement, whatever the size. Rows: seq, at, partner, customer_uuid, customer_name, actor_email, operation,
    resource_type, resource_id, status, details, address, request_id.
    """
    statement = (
        select(
            AuditEntry.seq,
            AuditEntry.at,
            Partner.name.label("partner"),
            Customer.uuid.label("customer_uuid"),
            AuditEntry.customer_name,
            AuditEntry.actor_email,
            AuditEntry.operation,
            AuditEntry.resource_type,
            AuditEntry.resource_id,
            AuditEntry.status,
            AuditEntry.details,
            AuditEntry.address,
            AuditEntry.request_id,
        )
        .outerjoin(Customer, Customer.id == AuditEntry.customer_id)
        .outerjoin(Partner, Partner.id == AuditEntry.partner_id)
    )
    if not sees_everything(actor):
        statement = statement.where(AuditEntry.partner_id == actor.partner_id)
    return page_of(_narrowed(statement, wanted, actor), (_entries.seq,), cursor=cursor, descending=True)


def sees_everything(actor: Actor) -> bool:
    """Whether the log of every organisation is this person's to read."""
    return actor.may("operator.manage")


def _narrowed(statement: Select[*tuple[Any, ...]], wanted: LogFilter, actor: Actor) -> Select[*tuple[Any, ...]]:
    zone = ZoneInfo(actor.time_zone)
    if wanted.since and wanted.since > date.min:  # that day begins before the calendar in the east
        statement = statement.where(AuditEntry.at >= datetime.combine(wanted.since, time(), zone))
    if wanted.until and wanted.until < date.max:
        statement = statement.where(AuditEntry.at < datetime.combine(wanted.until + timedelta(days=1), time(), zone))
    if wanted.customer:
        statement = statement.where(AuditEntry.customer_id.in_(_customers(wanted.customer, actor)))
    if wanted.person:
        statement = statement.where(AuditEntry.actor_id.in_(_people(wanted.person, actor)))
    if wanted.operation:
        statement = statement.where(AuditEntry.operation == wanted.operation)
    if wanted.status:
        statement = statement.where(AuditEntry.status == wanted.status)
    return statement


def _customers(text: str, actor: Actor) -> Select[int]:
    guid = parse_guid(text)
    if guid is not None:
        found = select(Customer.id).where(Customer.uuid == guid)
    else:
        found = select(Customer.id).where(Customer.search_text.contains(fold(text), autoescape=True))
    if not sees_everything(actor):
        found = found.where(Customer.partner_id == actor.partner_id)
    return found.limit(MATCHES)


def _people(text: str, actor: Actor) -> Select[int]:
    wanted = text.strip().lower()
    found = select(User.id).where(
        User.email.contains(wanted, autoescape=True) | func.lower(User.name).contains(wanted, autoescape=True)
    )
    if not sees_everything(actor):
        found = found.where(User.partner_id == actor.partner_id)
    return found.limit(MATCHES)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a check of the whole chain found: how many rows there are, and the first places at which it is broken."""

    rows: int
    broken: list[int]


def check_chain() -> ChainCheck:
    """Read the whole log and prove its chain; takes seconds per 100,000 rows and holds up no writer."""
    broken: list[int] = []
    for seq in audit.broken_links():
        broken.append(seq)
        if len(broken) >= SHOWN_BREAKS:
            break
    return ChainCheck(session.scalar(select(func.count()).select_from(AuditEntry)) or 0, broken)


def record_check(found: ChainCheck, *, by: Actor) -> None:
    """Write into the log that its chain was checked, and what was found."""
    audit.record("check_log", by=by, resource=("log", ""), rows=found.rows, broken=found.broken)
