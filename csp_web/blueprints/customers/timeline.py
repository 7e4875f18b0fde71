"""The timeline of a customer: what happened, day by day, with who did it and a link to the thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for

from csp_web.blueprints.customers import blueprint
from csp_web.domain.access.actors import Actor
from csp_web.domain.audit_words import operation_name, told
from csp_web.domain.companies.timeline import Entry, Kind, kinds_for, timeline
from csp_web.i18n import format_date, format_money
from csp_web.i18n import gettext as _
from csp_web.models import Customer
from csp_web.said import again
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

MOST_LINES = 3  # of an order that are named


@dataclass(frozen=True, slots=True)
class Told:
    """An entry in words; ``times`` of the like one after the other, the latest of them at this moment."""

    at: datetime
    words: str
    more: str
    who: str
    url: str
    times: int = 1

    def same(self, other: Told) -> bool:
        """Whether both say the same thing."""
        return (self.words, self.more, self.who, self.url) == (other.words, other.more, other.who, other.url)


@blueprint.get("/customers/<uuid:customer>/timeline", endpoint="timeline")
@needs("customers.see")
def show(customer: Customer) -> str:
    """Everything that the person's roles open, or one kind of it."""
    actor, asked = current_actor(), request.args.get("kind", "")
    kind = Kind(asked) if asked in kinds_for(actor) else None
    page = timeline(customer, by=actor, kind=kind, cursor=request.args.get("page", ""))
    names = _names()
    return render_template(
        "customers/_timeline.html" if htmx.wants_fragment() else "customers/timeline.html",
        customer=customer,
        days=list(_by_day(page.entries, customer, actor)),
        count=len(page.entries),
        kind=kind,
        kinds=[(each.value, names[each]) for each in kinds_for(actor)],
        newer_url=page.newer and _address(customer, kind, page.newer),
        older_url=page.older and _address(customer, kind, page.older),
    )


def _names() -> dict[Kind, str]:
    return {
        Kind.ORDERS: _("Orders"),
        Kind.KEYS: _("Keys"),
        Kind.LINKS: _("Links and downloads"),
        Kind.TICKETS: _("Support requests"),
        Kind.CANCELLATIONS: _("Cancellations"),
        Kind.MONEY: _("Refunds"),
        Kind.MAILS: _("Mails"),
        Kind.CUSTOMER: _("Account data"),
    }


def _address(customer: Customer, kind: Kind | None, page: str) -> str:
    return url_for(".timeline", customer=customer.uuid, kind=kind, page=page)


def _by_day(entries: Sequence[Entry], customer: Customer, actor: Actor) -> Iterator[tuple[str, list[Told]]]:
    zone = ZoneInfo(actor.time_zone)

    def day(entry: Entry) -> date:
        return entry.at.astimezone(zone).date()

    for each, group in groupby(entries, day):
        yield format_date(each), _folded(_told(entry, customer, actor) for entry in group)


def _folded(entries: Iterable[Told]) -> list[Told]:
    """A file that was fetched ten times in a row is one line."""
    lines: list[Told] = []
    for entry in entries:
        if lines and lines[-1].same(entry):
            lines[-1] = replace(lines[-1], times=lines[-1].times + 1)
        else:
            lines.append(entry)
    return lines


def _told(entry: Entry, customer: Customer, actor: Actor) -> Told:
    words = _WORDS[entry.act]() if entry.act in _WORDS else operation_name(entry.act)
    more = " · ".join(again(part) for part in _MORE[entry.kind](entry.facts, actor) if part)
    return Told(entry.at, words, more, entry.who, _url(entry, customer))


_WORDS: dict[str, Callable[[], str]] = {
    "download": lambda: _("A download began"),
    "download_given_back": lambda: _("A download brought nothing and was given back"),
    "reopen_ticket": lambda: _("Opened a support request again"),
    "mail": lambda: _("Mail"),
}


def _url(entry: Entry, customer: Customer) -> str:
    ticket = entry.facts.get("ticket") or (entry.target if entry.kind is Kind.TICKETS else "")
    if ticket:
        return url_for("tickets.detail", ticket=ticket)
    if entry.kind is Kind.ORDERS:
        return url_for("orders.detail", order=entry.target)
    if entry.kind in {Kind.KEYS, Kind.LINKS}:
        return url_for("software.index", customer=customer.uuid, open=entry.target)
    return ""


def _order(facts: dict[str, Any], _actor: Actor) -> list[str]:
    lines = facts.get("lines", [])
    named = [f"{line['quantity']} × {line['sku']}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        named.append(_("and %(num)s more", num=len(lines) - MOST_LINES))
    return [*named, facts.get("reference", "")]


def _key(facts: dict[str, Any], _actor: Actor) -> list[str]:
    return [facts.get("product", ""), facts.get("version", ""), facts.get("reason", "")]


def _link(facts: dict[str, Any], actor: Actor) -> list[str]:
    recipient = facts.get("recipient", "") if actor.may("keys.handle") else ""
    return [facts.get("file_name", ""), recipient, facts.get("reason", "")]


def _ticket(facts: dict[str, Any], _actor: Actor) -> list[str]:
    return [facts.get("title", "")]


def _money(facts: dict[str, Any], _actor: Actor) -> list[str]:
    amount = facts.get("refunded", facts.get("amount"))
    said = format_money(amount, facts["currency"]) if amount and "currency" in facts else ""
    return [said, facts.get("reason", "")]


def _mail(facts: dict[str, Any], _actor: Actor) -> list[str]:
    states = {"waiting": _("waiting to be sent"), "sent": _("sent"), "failed": _("could not be sent")}
    return [facts["subject"], facts["recipient"], states.get(facts["state"], facts["state"])]


def _edit(facts: dict[str, Any], _actor: Actor) -> list[str]:
    changes = facts.get("changes")
    return [f"{label}: {text}" for label, text in told({"changes": changes})] if changes else []


_MORE: dict[Kind, Callable[[dict[str, Any], Actor], list[str]]] = {
    Kind.ORDERS: _order,
    Kind.KEYS: _key,
    Kind.LINKS: _link,
    Kind.TICKETS: _ticket,
    Kind.CANCELLATIONS: _money,
    Kind.MONEY: _money,
    Kind.MAILS: _mail,
    Kind.CUSTOMER: _edit,
}
