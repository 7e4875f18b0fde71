"""What happened with one customer, newest first: read from the activity log and from the rows that have the tale (B5, B11).

Nothing is copied. What the log says of the customer is the most of it; answers and closings of support requests,
downloads and mails are rows of their own. Each of these five is asked once for the few rows of the page, by its time,
and none of them for what the reader's roles do not open. Internal notes and mails to the support desk are never read.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from csp_web.db import read
from csp_web.domain.access.actors import Actor
from csp_web.models import (
    AuditEntry,
    AuditStatus,
    Customer,
    DownloadLink,
    DownloadOption,
    LinkEvent,
    OutboxMessage,
    Subscription,
    Ticket,
    TicketNote,
    TicketStatus,
    TicketStep,
    User,
)
from csp_web.said import stored

SIZE = 50
LARGEST_NUMBER = 2**63 - 1


class Kind(enum.StrEnum):
    """What a page can be narrowed to."""

    ORDERS = "orders"
    KEYS = "keys"
    LINKS = "links"
    TICKETS = "tickets"
    CANCELLATIONS = "cancellations"
    MONEY = "money"
    MAILS = "mails"
    CUSTOMER = "customer"


NEEDS = {
    Kind.ORDERS: "orders.see",
    Kind.KEYS: "software.see",
    Kind.LINKS: "software.see",
    Kind.TICKETS: "tickets.see",
    Kind.CANCELLATIONS: "tickets.see",
    Kind.MONEY: "billing.see",
    Kind.MAILS: "software.see",  # they tell of keys and links, too
    Kind.CUSTOMER: "customers.see",
}

ACTS = {
    "create_order": Kind.ORDERS,
    "hand_out_key": Kind.KEYS,
    "wait_for_key": Kind.KEYS,
    "show_key": Kind.KEYS,
    "replace_key": Kind.KEYS,
    "revoke_keys": Kind.KEYS,
    "get_software_download_link": Kind.LINKS,
    "send_download_link": Kind.LINKS,
    "open_direct_download": Kind.LINKS,
    "revoke_download_link": Kind.LINKS,
    "open_ticket": Kind.TICKETS,
    "request_cancellation": Kind.CANCELLATIONS,
    "approve_cancellation": Kind.CANCELLATIONS,
    "decline_cancellation": Kind.CANCELLATIONS,
    "refund": Kind.MONEY,
    "add_customer": Kind.CUSTOMER,
    "edit_customer": Kind.CUSTOMER,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``place`` orders entries of one instant; ``who`` is empty where nobody signed in did it."""

    at: datetime
    place: tuple[int, int]  # source and number
    kind: Kind
    act: str
    who: str
    target: str  # the public id of the order, the line or the request
    facts: dict[str, Any]  # texts as ``said.stored`` gives them, which ``said.again`` reads


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked for; mails that carry a download link are for those who handle links."""

    kinds: frozenset[Kind]
    of_links: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """Behind or before which entry a page begins."""

    at: datetime
    place: tuple[int, int]
    back: bool = False

    def written(self) -> str:
        """For an address."""
        return f"{'n' if self.back else 'o'}{self.at.timestamp():.6f}~{self.place[0]}~{self.place[1]}"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page, and the cursors around it."""

    entries: Sequence[Entry]
    newer: str | None
    older: str | None


def kinds_for(actor: Actor) -> tuple[Kind, ...]:
    """What the roles of a person open."""
    return tuple(kind for kind in Kind if actor.may(NEEDS[kind]))


def timeline(customer: Customer, *, by: Actor, kind: Kind | None = None, cursor: str = "") -> Timeline:
    """A page of what happened with a customer whom the reader may see; at most five statements.

    A kind that the roles do not open finds nothing. A cursor that cannot be read means the first page.
    """
    kinds = frozenset(each for each in kinds_for(by) if kind in (None, each))
    scope = Scope(kinds, of_links=by.may("keys.handle"))
    begin = _read_cursor(cursor)
    back = begin is not None and begin.back
    found = [source(number, customer, scope, begin) for number, source in enumerate(_SOURCES)]
    ordered = merge(*found, key=_key, reverse=not back)
    entries = list(islice(ordered, SIZE + 1))
    more, entries = len(entries) > SIZE, entries[:SIZE]
    if back:
        entries.reverse()
    has_newer = more if back else begin is not None
    has_older = bool(entries) if back else more
    return Timeline(
        entries,
        Cursor(entries[0].at, entries[0].place, back=True).written() if entries and has_newer else None,
        Cursor(entries[-1].at, entries[-1].place).written() if entries and has_older else None,
    )


def _key(entry: Entry) -> tuple[datetime, tuple[int, int]]:
    return entry.at, entry.place


def _read_cursor(text: str) -> Cursor | None:
    try:
        moment, source, number = text[1:].split("~")
        at = datetime.fromtimestamp(float(moment), UTC)
        place = (int(source), min(int(number), LARGEST_NUMBER))
    except (ValueError, OverflowError, OSError):
        return None
    return Cursor(at, place, back=text[0] == "n") if len(text) < 80 and min(place) >= 0 else None


def _page(
    statement: Select[*tuple[Any, ...]], source: int, begin: Cursor | None, at: Any, number: Any
) -> Iterator[Any]:
    """The rows of one source that can be on the page, in the order of the page."""
    back = begin is not None and begin.back
    if begin is not None:
        statement = statement.where(_beyond(begin, source, at, number))
    order = (at.asc(), number.asc()) if back else (at.desc(), number.desc())
    rows: Iterator[Any] = iter(read(statement.order_by(*order).limit(SIZE + 1)))
    return rows


def _beyond(begin: Cursor, source: int, at: Any, number: Any) -> ColumnElement[bool]:
    """Later in the order of the page; sources of one instant stand in the order of their numbers."""
    if source == begin.place[0]:
        here, there = tuple_(at, number), tuple_(begin.at, begin.place[1])
        return (here > there) if begin.back else (here < there)
    with_it = (source > begin.place[0]) == begin.back
    later, earlier = (at >= begin.at, at <= begin.at) if with_it else (at > begin.at, at < begin.at)
    found: ColumnElement[bool] = later if begin.back else earlier
    return found


def _acts(source: int, customer: Customer, scope: Scope, begin: Cursor | None) -> Iterator[Entry]:
    wanted = [act for act, kind in ACTS.items() if kind in scope.kinds]
    if not wanted:
        return
    columns = (AuditEntry.at, AuditEntry.seq, AuditEntry.operation, AuditEntry.resource_id, AuditEntry.details)
    who = func.coalesce(User.name, AuditEntry.actor_email)
    statement = (
        select(*columns, who)
        .outerjoin(User, User.id == AuditEntry.actor_id)
        .where(
            AuditEntry.customer_id == customer.id,
            AuditEntry.operation.in_(wanted),
            AuditEntry.status == AuditStatus.SUCCEEDED,
        )
    )
    for at, seq, act, target, details, name in _page(statement, source, begin, AuditEntry.at, AuditEntry.seq):
        yield Entry(at, (source, seq), ACTS[act], act, name, target, details)


def _answers(source: int, customer: Customer, scope: Scope, begin: Cursor | None) -> Iterator[Entry]:
    if Kind.TICKETS not in scope.kinds:
        return
    statement = (
        select(TicketNote.created_at, TicketNote.id, Ticket.number, Ticket.title, User.name)
        .join(Ticket, Ticket.id == TicketNote.ticket_id)
        .join(User, User.id == TicketNote.author_id)
        .where(Ticket.customer_id == customer.id, TicketNote.internal.is_(False))
    )
    for at, number, ticket, title, name in _page(statement, source, begin, TicketNote.created_at, TicketNote.id):
        yield Entry(at, (source, number), Kind.TICKETS, "reply_to_ticket", name, ticket, {"title": stored(title)})


def _closings(source: int, customer: Customer, scope: Scope, begin: Cursor | None) -> Iterator[Entry]:
    if Kind.TICKETS not in scope.kinds:
        return
    closed = TicketStatus.CLOSED.value
    statement = (
        select(TicketStep.at, TicketStep.id, TicketStep.new, Ticket.number, Ticket.title, User.name)
        .join(Ticket, Ticket.id == TicketStep.ticket_id)
        .join(User, User.id == TicketStep.by_id)
        .where(Ticket.customer_id == customer.id, TicketStep.kind == "status")
        .where((TicketStep.new == closed) | (TicketStep.old == closed))
    )
    for at, number, new, ticket, title, name in _page(statement, source, begin, TicketStep.at, TicketStep.id):
        act = "close_ticket" if new == closed else "reopen_ticket"
        yield Entry(at, (source, number), Kind.TICKETS, act, name, ticket, {"title": stored(title)})


def _downloads(source: int, customer: Customer, scope: Scope, begin: Cursor | None) -> Iterator[Entry]:
    if Kind.LINKS not in scope.kinds:
        return
    statement = (
        select(LinkEvent.at, LinkEvent.id, LinkEvent.kind, Subscription.uuid, DownloadOption.file_name)
        .join(DownloadLink, DownloadLink.id == LinkEvent.link_id)
        .join(Subscription, Subscription.id == DownloadLink.subscription_id)
        .join(DownloadOption, DownloadOption.id == DownloadLink.option_id)
        .where(Subscription.customer_id == customer.id, LinkEvent.kind.in_(_DOWNLOADS))
    )
    for at, number, kind, line, file_name in _page(statement, source, begin, LinkEvent.at, LinkEvent.id):
        yield Entry(at, (source, number), Kind.LINKS, _DOWNLOADS[kind], "", str(line), {"file_name": stored(file_name)})


_DOWNLOADS = {"counted": "download", "given back": "download_given_back"}


def _mails(source: int, customer: Customer, scope: Scope, begin: Cursor | None) -> Iterator[Entry]:
    if Kind.MAILS not in scope.kinds:
        return
    mail = OutboxMessage
    statement = select(mail.created_at, mail.id, mail.recipient, mail.subject, mail.state).where(
        mail.customer_id == customer.id, mail.partner_id == customer.partner_id
    )
    if not scope.of_links:
        statement = statement.where(mail.link_id.is_(None))
    for at, number, recipient, subject, state in _page(statement, source, begin, mail.created_at, mail.id):
        facts = {"recipient": stored(recipient), "subject": stored(subject), "state": state.value}
        yield Entry(at, (source, number), Kind.MAILS, "mail", "", "", facts)


# In the order of cause and effect: of one instant, what stands later here is told as the later.
_SOURCES: tuple[Callable[[int, Customer, Scope, Cursor | None], Iterator[Entry]], ...] = (
    _acts,
    _downloads,
    _answers,
    _closings,
    _mails,
)

__all__ = ["ACTS", "NEEDS", "Entry", "Kind", "Timeline", "kinds_for", "timeline"]
