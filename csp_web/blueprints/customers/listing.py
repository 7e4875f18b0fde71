"""The list of customers, with search."""

from __future__ import annotations

from flask import render_template, request, url_for

from csp_web.blueprints.customers import blueprint
from csp_web.domain.access.actors import refusal
from csp_web.domain.companies.countries import country_names
from csp_web.domain.companies.customers import COUNTED_UP_TO, count_customers, list_customers
from csp_web.i18n import language
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

LONGEST_SEARCH = 200


@blueprint.get("/customers")
@needs("customers.see")
def index() -> str:
    """Customers by name, or those in which the typed text is found."""
    actor = current_actor()
    text = request.args.get("q", "")[:LONGEST_SEARCH].strip()
    page = list_customers(actor, text=text, cursor=request.args.get("page"))
    countries = country_names(language())
    template = "customers/_list.html" if htmx.wants_fragment() else "customers/index.html"
    return render_template(
        template,
        customers=[(guid, name, domain, countries.get(code, code)) for *_, guid, name, domain, code in page.rows],
        text=text,
        total=None if text else count_customers(actor),
        counted_up_to=COUNTED_UP_TO,
        why_not_add=refusal(actor, "customers.add"),
        previous_url=page.previous and url_for(".index", q=text or None, page=page.previous),
        next_url=page.next and url_for(".index", q=text or None, page=page.next),
    )
