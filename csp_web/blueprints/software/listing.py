"""Software of one customer (R20), and of all customers on one list (B7)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.page import picked_now, show_software
from csp_web.domain.access.actors import find, refusal
from csp_web.domain.delivery.software import Filters, all_software
from csp_web.domain.sales.catalogue import FAMILY_NAMES, TERM_NAMES
from csp_web.errors import NotFound
from csp_web.i18n import gettext as _
from csp_web.identifiers import parse_guid
from csp_web.models import Customer, ProductFamily, Subscription
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

LONGEST_SEARCH = 200
NARROWING = ("q", "family", "deadline", "waiting")
DEADLINES = (3, 7, 14, 30)
FAMILIES = (ProductFamily.WINDOWS_SERVER, ProductFamily.SQL_SERVER)


@blueprint.get("/customers/<uuid:customer>/software")
@needs("software.see")
def index(customer: Customer) -> Any:
    """All software of a customer; with ``?open=`` one of its lines opened."""
    opened = _opened(customer)
    return show_software(customer, opened, picked=picked_now())


def _opened(customer: Customer) -> Subscription | None:
    """The line that ``?open=`` names; one that is not this customer's is not found."""
    text = request.args.get("open")
    if text is None:
        return None
    guid = parse_guid(text)
    line = find(Subscription, current_actor(), uuid=guid) if guid else None
    if line is None or line.customer_id != customer.id:
        raise NotFound
    return line


@blueprint.get("/software")
@needs("software.see")
def everything() -> str:
    """Software of all customers, narrowed by text, family, deadline and waiting lines."""
    actor, filters = current_actor(), narrowed_to()
    software = all_software(actor, filters, cursor=request.args.get("page"))
    asked: dict[str, Any] = {name: request.args[name] for name in NARROWING if request.args.get(name)}
    template = "software/_everything.html" if htmx.wants_fragment() else "software/everything.html"
    return render_template(
        template,
        software=software,
        filters=filters,
        families=[(family.value, FAMILY_NAMES[family]) for family in FAMILIES],
        deadlines=DEADLINES,
        terms={code: _(name) for code, name in TERM_NAMES.items()},
        why_not_cancel=refusal(actor, "subscriptions.cancel"),
        export_url=url_for(".export", **asked),
        previous_url=software.previous and url_for(".everything", **asked, page=software.previous),
        next_url=software.next and url_for(".everything", **asked, page=software.next),
    )


def narrowed_to() -> Filters:
    """What the address narrows the list to."""
    family, days = request.args.get("family", ""), request.args.get("deadline", "")
    return Filters(
        text=request.args.get("q", "")[:LONGEST_SEARCH].strip().replace("\0", ""),
        family=ProductFamily(family) if family in FAMILIES else None,
        waiting=request.args.get("waiting") == "1",
        deadline_days=int(days) if days in map(str, DEADLINES) else 0,
    )
