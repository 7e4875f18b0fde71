"""One search for everything: any identifier typed in finds its thing (D10), a text finds whatever is called so.

Only what the actor can see is found (S-1); each kind is looked for by a statement of its own, of a few rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, func, or_, select

from csp_web.db import session
from csp_web.domain.access.actors import Actor, scoped
from csp_web.domain.companies.customers import customer_ids_with
from csp_web.domain.support.ticket_list import MOST_WORDS
from csp_web.identifiers import Kind, fold, looks_like, normalize_domain, parse_guid, token_hash
from csp_web.models import Customer, DownloadLink, Order, Partner, Product, Subscription, Ticket, User

SHOWN = 10  # of each kind on the page of the search
SHORTEST_TEXT = 2  # letters; less is looked for among the beginnings of customers' names only
_LINK = re.compile(r"(?:.*/d/)?([A-Za-z0-9_-]{43})/?")


class FoundKind(StrEnum):
    """What was found, in the order in which pages list it."""

    CUSTOMER = "customer"
    ORDER = "order"
    SUBSCRIPTION = "subscription"
    LINK = "link"
    TICKET = "ticket"
    PERSON = "person"
    PARTNER = "partner"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was found: ``key`` is what addresses call it, ``customer`` the customer's GUID where it leads there.

    ``exact``: the text is this thing's identifier, so nothing else can be meant. ``line``: the row's id of a subscription.
    """

    kind: FoundKind
    key: str
    title: str
    sub: str = ""
    customer: str = ""
    line: int = 0
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind; ``more``: there is more than these."""

    kind: FoundKind
    things: Sequence[Found]
    more: bool = False


def find_everything(actor: Actor, text: str, *, limit: int = SHOWN) -> list[Group]:
    """What the actor can see and the text names, by kind; of each kind at most ``limit``."""
    text = text.strip()
    kind = looks_like(text)
    if not text or kind is Kind.KEY:  # product keys are nobody's search words (B4)
        return []
    found = (_cut(ways, limit) for ways in _ways(actor, text, kind, limit + 1))
    return [group for group in found if group is not None]


def the_one(groups: Sequence[Group]) -> Found | None:
    """The thing that must be meant: the only one whose identifier was typed, or the only one there is."""
    things = [thing for group in groups for thing in group.things]
    exact = [thing for thing in things if thing.exact] or things
    return exact[0] if len(exact) == 1 and not (len(things) > 1 and not exact[0].exact) else None


def _cut(things: Iterable[Found], limit: int) -> Group | None:
    rows = list(things)
    return Group(rows[0].kind, rows[:limit], len(rows) > limit) if rows else None


def _ways(actor: Actor, text: str, kind: Kind, limit: int) -> Iterator[Iterable[Found]]:
    """Where this text has to be looked for."""
    worded = kind not in {Kind.GUID, Kind.TICKET_NUMBER} and len(fold(text)) >= SHORTEST_TEXT
    if actor.may("customers.see") and kind is not Kind.TICKET_NUMBER:
        yield _customers(actor, text, kind, limit)
    if actor.may("orders.see") and kind in {Kind.ORDER_ID, Kind.ALTERNATE_ID}:
        yield _orders(actor, text)
    if actor.may("software.see") and kind is Kind.GUID:
        yield _subscriptions(actor, text)
    if actor.may("software.see") and (token := _LINK.fullmatch(text)):
        yield _links(actor, token.group(1))
    if actor.may("tickets.see") and (worded or kind is Kind.TICKET_NUMBER):
        yield _tickets(actor, text, kind, limit)
    if worded and (actor.may("users.manage") or actor.may("operator.manage")):
        yield _people(actor, text, limit)
    if worded and actor.may("operator.manage"):
        yield _partners(text, limit)
        yield _products(text, limit)


def _customers(actor: Actor, text: str, kind: Kind, limit: int) -> Iterator[Found]:
    guid = parse_guid(text)
    domain = normalize_domain(text) if kind is Kind.DOMAIN else ""
    wanted = str(guid) if guid else domain or fold(text)
    statement = select(Customer.uuid, Customer.company_name, Customer.domain).where(
        Customer.id.in_(customer_ids_with(actor, wanted))
    )
    if domain:  # only then: else the newest are found without sorting all
        statement = statement.order_by((Customer.domain == domain).desc())
    for row in session.execute(statement.order_by(Customer.id.desc()).limit(limit)):
        exact = row.uuid == guid or row.domain == domain
        yield Found(FoundKind.CUSTOMER, str(row.uuid), row.company_name, row.domain, exact=exact)


def _orders(actor: Actor, text: str) -> Iterator[Found]:
    rows = session.execute(_of_orders(actor).where(or_(Order.order_id == text, Order.alternate_id == text.lower())))
    for row in rows:
        yield Found(FoundKind.ORDER, row.order_id, row.order_id, row.company_name, exact=True)


def _of_orders(actor: Actor) -> Select[int, str, str]:
    statement = select(Order.id, Order.order_id, Customer.company_name)
    return statement.join(Customer, Customer.id == Order.customer_id).where(Order.partner_id == actor.partner_id)


def _subscriptions(actor: Actor, text: str) -> Iterator[Found]:
    rows = session.execute(
        select(Subscription.id, Subscription.uuid, Subscription.product_title, Customer.company_name, Customer.uuid)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(Subscription.partner_id == actor.partner_id, Subscription.uuid == parse_guid(text))
    )
    for line, guid, product, company, customer in rows:
        yield Found(FoundKind.SUBSCRIPTION, str(guid), product, company, str(customer), line, exact=True)


def _links(actor: Actor, token: str) -> Iterator[Found]:
    """The line that a download link was made for."""
    rows = session.execute(
        select(Subscription.id, Subscription.uuid, Subscription.product_title, Customer.company_name, Customer.uuid)
        .join(DownloadLink, DownloadLink.subscription_id == Subscription.id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(DownloadLink.partner_id == actor.partner_id, DownloadLink.token_hash == token_hash(token))
    )
    for line, guid, product, company, customer in rows:
        yield Found(FoundKind.LINK, str(guid), product, company, str(customer), line, exact=True)


def _tickets(actor: Actor, text: str, kind: Kind, limit: int) -> Iterator[Found]:
    statement = scoped(Ticket, actor).with_only_columns(Ticket.number, Ticket.title)
    if kind is Kind.TICKET_NUMBER:
        statement = statement.where(Ticket.number == text)
    for word in [] if kind is Kind.TICKET_NUMBER else fold(text).split()[:MOST_WORDS]:
        statement = statement.where(Ticket.search_text.contains(word, autoescape=True))
    newest = statement.order_by(Ticket.updated_at.desc(), Ticket.id.desc()).limit(limit)
    for row in session.execute(newest):
        yield Found(FoundKind.TICKET, row.number, row.title, row.number, exact=row.number == text)


def _people(actor: Actor, text: str, limit: int) -> Iterator[Found]:
    """People of the own organisation; for an operator admin, of any."""
    wanted = text.casefold()
    # Colleagues share what stands after the @: it finds them only when it was typed with the @.
    by_email = User.email.contains if "@" in wanted else User.email.startswith
    statement = select(User.id, User.name, User.email).where(
        or_(func.lower(User.name).contains(wanted, autoescape=True), by_email(wanted, autoescape=True))
    )
    if not actor.may("operator.manage"):
        statement = statement.where(User.partner_id == actor.partner_id)
    for row in session.execute(statement.order_by(User.email).limit(limit)):
        yield Found(FoundKind.PERSON, str(row.id), row.name, row.email, exact=row.email == wanted)


def _partners(text: str, limit: int) -> Iterator[Found]:
    statement = select(Partner.id, Partner.name, Partner.country).where(Partner.name.icontains(text, autoescape=True))
    for row in session.execute(statement.order_by(Partner.name).limit(limit)):
        yield Found(FoundKind.PARTNER, str(row.id), row.name, row.country)


def _products(text: str, limit: int) -> Iterator[Found]:
    statement = select(Product.product_id, Product.title)
    for word in text.split():
        named = Product.title + " " + Product.product_id
        statement = statement.where(named.icontains(word, autoescape=True))
    for row in session.execute(statement.order_by(Product.title, Product.id).limit(limit)):
        yield Found(FoundKind.PRODUCT, row.product_id, row.title, row.product_id, exact=row.product_id == text.upper())


__all__ = ["SHOWN", "Found", "FoundKind", "Group", "find_everything", "the_one"]
