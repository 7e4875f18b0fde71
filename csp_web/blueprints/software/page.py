"""The Software page of a customer with, perhaps, one of its lines opened; whole, or only the opened part for htmx."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, request, url_for

from csp_web.db import now
from csp_web.domain.access.actors import Actor, refusal
from csp_web.domain.delivery import links, transfers
from csp_web.domain.delivery.links import LinkState, handover_problems, link_state
from csp_web.domain.delivery.software import software_of
from csp_web.domain.delivery.software_line import Picked, opened_line
from csp_web.domain.sales.catalogue import TERM_NAMES
from csp_web.domain.stock.vault import ClearKey
from csp_web.domain.support.cancellations import cancellation_terms
from csp_web.forms.software import LARGEST_ID, HandoverForm, ShowKeyForm
from csp_web.i18n import gettext as _
from csp_web.models import Customer, DownloadLink, Subscription
from csp_web.web import htmx
from csp_web.web.gate import current_actor
from csp_web.web.places import public_link

LONGEST_CHOICE = 200
NOTHING_PICKED = Picked()


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link as its maker sees it; ``address`` is empty for people who may not hand it out (R19)."""

    row: DownloadLink
    state: LinkState
    address: str
    token: str
    events: list[Any]


def picked_now() -> Picked:
    """What **Select product** says in this request's address."""
    names = ("version", "language", "file_type")
    return Picked(*(request.args.get(name, "")[:LONGEST_CHOICE] for name in names))


def show_software(
    customer: Customer,
    opened: Subscription | None = None,
    *,
    picked: Picked = NOTHING_PICKED,
    shown: tuple[int, ClearKey] | None = None,
    asked: tuple[int, ShowKeyForm] | None = None,
    form: HandoverForm | None = None,
    status: int = 200,
) -> Any:
    """The page; for htmx only the opened line.

    ``shown`` is a key that was just asked for, with its assignment; ``asked`` is an assignment whose key is shown when
    the password is typed, with the form for it.
    """
    more: dict[str, Any] = {"customer": customer, "opened": opened}
    if opened is not None:
        more |= _opened(opened, picked, form) | {"shown": shown, "asked": asked}
        if htmx.wants_fragment():
            return make_response(render_template("software/_opened.html", **more), status)
    return make_response(render_template("software/index.html", **more, **_listed(customer, opened)), status)


def _listed(customer: Customer, opened: Subscription | None) -> dict[str, Any]:
    actor = current_actor()
    software = software_of(customer, cursor=request.args.get("page"), opened=opened)

    def page(cursor: str | None) -> str | None:
        return cursor and url_for("software.index", customer=customer.uuid, page=cursor)

    return {
        "software": software,
        "terms": {code: _(name) for code, name in TERM_NAMES.items()},
        "why_not_cancel": refusal(actor, "subscriptions.cancel"),
        "why_not_buy": refusal(actor, "orders.place"),
        "previous_url": page(software.previous),
        "next_url": page(software.next),
    }


def _opened(line: Subscription, picked: Picked, form: HandoverForm | None) -> dict[str, Any]:
    actor, at = current_actor(), now()
    return {
        "line": opened_line(line, picked),
        "submitted": request.args.get("fitting") == "1",
        "cancelling": cancellation_terms(line, at),
        "why_not_keys": refusal(actor, "keys.handle"),
        "why_not_cancel_here": refusal(actor, "subscriptions.cancel"),
        "problems": handover_problems(line, at),
        "links": _links(line, actor),
        "made": request.args.get("link", type=int),
        "direct": _direct_address(line, actor),
        "form": form,
        "new_token": lambda: secrets.token_urlsafe(18),
    }


def _links(line: Subscription, actor: Actor) -> list[ShownLink]:
    rows, at = links.links_of(line), now()
    events = links.events_of([row.id for row in rows])
    return [_link(row, link_state(row, at), events[row.id], actor) for row in rows]


def _link(row: DownloadLink, state: LinkState, events: list[Any], actor: Actor) -> ShownLink:
    token = links.token_of(row) if state is LinkState.LIVE and actor.may("keys.handle") else ""
    return ShownLink(row, state, public_link("downloads.landing", token=token) if token else "", token, events)


def _direct_address(line: Subscription, actor: Actor) -> tuple[int, str] | None:
    """The address that was opened in advance for a script, with its link, when the page was asked to show it."""
    number = request.args.get("transfer", 0, type=int)
    if not 0 < number <= LARGEST_ID or not actor.may("keys.handle"):
        return None
    transfer = transfers.transfer_of(line, number)
    if transfer is None:
        return None
    return transfer.link_id, public_link("downloads.transfer", token=transfers.token_of(transfer))
