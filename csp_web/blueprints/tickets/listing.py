"""The list of support requests."""

from __future__ import annotations

import uuid

from flask import render_template, request, url_for

from csp_web.blueprints.tickets import blueprint
from csp_web.db import now
from csp_web.domain.access.actors import Actor, refusal
from csp_web.domain.support.problem_types import names_of_types
from csp_web.domain.support.ticket_list import TicketFilter, list_tickets, name_of_customer
from csp_web.errors import NotFound
from csp_web.i18n import gettext as _
from csp_web.identifiers import parse_guid
from csp_web.models import TicketStatus
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

LONGEST_SEARCH = 200


@blueprint.get("/tickets")
@needs("tickets.see", "support.work")
def index() -> str:
    """Support requests, the one that changed last first; support agents see every partner's."""
    actor = current_actor()
    wanted = _filter()
    page = list_tickets(actor, wanted, cursor=request.args.get("page"))
    template = "tickets/_list.html" if htmx.wants_fragment() else "tickets/index.html"
    return render_template(
        template,
        page=page,
        wanted=wanted,
        at=now(),
        every_partner=actor.sees_all_partners,
        customer_name=name_of_customer(actor, wanted.customer) if wanted.customer else "",
        types=names_of_types(),
        statuses=list(TicketStatus),
        why_not_open=_why_not_open(actor),
        previous_url=page.previous and _address(wanted, page.previous),
        next_url=page.next and _address(wanted, page.next),
        texts=_texts(),
    )


def _why_not_open(actor: Actor) -> str:
    """Whose queue holds every partner's requests is not sent to colleagues for opening one."""
    if actor.sees_all_partners and not actor.may("tickets.open"):
        return _("Partners open requests; support answers them.")
    return refusal(actor, "tickets.open")


def _filter() -> TicketFilter:
    status = request.args.get("status", "")
    return TicketFilter(
        text=request.args.get("q", "")[:LONGEST_SEARCH].strip(),
        status=TicketStatus(status) if status in set(TicketStatus) else None,
        type_code=request.args.get("type", "")[:40],
        customer=_customer(),
        mine=bool(request.args.get("mine")),
    )


def _customer() -> uuid.UUID | None:
    text = request.args.get("customer", "")
    guid = parse_guid(text)
    if text and guid is None:
        raise NotFound
    return guid


def _address(wanted: TicketFilter, cursor: str) -> str:
    return url_for(
        ".index",
        q=wanted.text or None,
        status=wanted.status.value if wanted.status else None,
        type=wanted.type_code or None,
        customer=wanted.customer,
        mine="1" if wanted.mine else None,
        page=cursor,
    )


def _texts() -> dict[str, str]:
    """Words that every row uses, looked up once."""
    return {
        "open": _("Open"),
        "attention needed": _("Attention needed"),
        "closed": _("Closed"),
        "critical": _("Critical"),
        "moderate": _("Moderate"),
        "minimal": _("Minimal"),
        "answered": _("Answered"),
        "overdue": _("Overdue"),
    }
