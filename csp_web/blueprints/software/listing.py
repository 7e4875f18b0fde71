"""Software of one customer (R20), and of all customers on one list (B7)."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import make_response, render_template, request, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.page import picked_now, show_software
from csp_web.domain.access.actors import find, refusal
from csp_web.domain.companies.countries import country_name, country_names
from csp_web.domain.delivery.saved_views import views_of
from csp_web.domain.delivery.software import all_software
from csp_web.domain.delivery.software_filters import COLUMNS, DEADLINES, FAMILIES, LINK_ENDS, View, view_of
from csp_web.domain.delivery.software_narrowing import Choices, choices_of
from csp_web.domain.sales.catalogue import FAMILY_NAMES, TERM_NAMES
from csp_web.errors import NotFound
from csp_web.i18n import gettext as _
from csp_web.i18n import language, ngettext
from csp_web.identifiers import parse_guid
from csp_web.models import Customer, Subscription
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs


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
def everything() -> Any:
    """Software of all customers, narrowed as its address says, in the columns that it names."""
    actor, view, cursor = current_actor(), viewed_now(), request.args.get("page")
    software = all_software(actor, view, cursor=cursor)
    asked: dict[str, Any] = {
        "software": software,
        "filters": view.filters,
        "shown_columns": view.columns,
        "views": [(row, row.query == view.query) for row in views_of(actor)],
        "me": actor.id,
        "query": view.query,
        "terms": {code: _(name) for code, name in TERM_NAMES.items()},
        "countries": country_names(language()),
        "why_not_cancel": refusal(actor, "subscriptions.cancel"),
        "previous_url": software.previous and everything_at(view, software.previous),
        "next_url": software.next and everything_at(view, software.next),
    }
    if htmx.wants_fragment():  # the address that stays is the short one, not all fields of the form
        pushed = {"HX-Push-Url": everything_at(view, cursor)}
        return make_response(render_template("software/_everything.html", **asked), 200, pushed)
    return render_template("software/everything.html", **asked, **_offered(choices_of(actor)))


def _offered(choices: Choices) -> dict[str, Any]:
    """What the filters offer, in the reader's language."""
    names = country_names(language())
    return {
        "products": choices.products,
        "present": sorted(((code, names.get(code, code)) for code in choices.countries), key=lambda pair: pair[1]),
        "families": [(family.value, _(FAMILY_NAMES[family])) for family in FAMILIES],
        "deadlines": DEADLINES,
        "link_ends": LINK_ENDS,
        "columns": [(code, _(name)) for code, name in COLUMNS.items()],
    }


def viewed_now() -> View:
    """How this request's address looks at the list."""
    return view_of(request.args, request.args.getlist("columns"))


def everything_at(view: View, page: str | None = None) -> str:
    """The address of the list, looked at like this."""
    query = "&".join(part for part in (view.query, urlencode({"page": page}) if page else "") if part)
    address = url_for("software.everything")
    return f"{address}?{query}" if query else address


def told(view: View) -> list[tuple[str, str]]:
    """What a view narrows the list to and which columns it has, in words."""
    filters = view.filters
    within = partial(ngettext, "within %(num)s day", "within %(num)s days")
    said = [
        (_("Text"), filters.text),
        (_("Product family"), _(FAMILY_NAMES[filters.family]) if filters.family else ""),
        (_("Product ID"), filters.product),
        (_("Country"), country_name(filters.country, language()) if filters.country else ""),
        (_("Right to cancel ends"), within(filters.deadline_days) if filters.deadline_days else ""),
        (_("Download link ends"), within(filters.link_days) if filters.link_days else ""),
        (_("Waiting for keys"), _("yes") if filters.waiting else ""),
    ]
    columns = ", ".join(_(COLUMNS[name]) for name in view.columns)
    return [(label, text) for label, text in said if text] + [(_("Columns"), columns)]
