"""One customer: the centre from which everything else is reached (R14)."""

from __future__ import annotations

from flask import render_template

from csp_web.blueprints.customers import blueprint
from csp_web.domain.access.actors import refusal
from csp_web.domain.companies.countries import country_name
from csp_web.domain.companies.customers import missing_facts
from csp_web.domain.companies.overview import customer_overview
from csp_web.i18n import language
from csp_web.models import Customer
from csp_web.web.gate import current_actor, needs


@blueprint.get("/customers/<uuid:customer>")
@needs("customers.see")
def detail(customer: Customer) -> str:
    """Account data, the latest orders and tickets, deadlines that end soon."""
    actor = current_actor()
    return render_template(
        "customers/detail.html",
        customer=customer,
        country=country_name(customer.country, language()),
        missing=missing_facts(customer),
        overview=customer_overview(customer),
        why_not_buy=refusal(actor, "orders.place"),
        why_not_software=refusal(actor, "software.see"),
        why_not_edit=refusal(actor, "customers.edit"),
        why_not_ask=refusal(actor, "tickets.open"),
    )
