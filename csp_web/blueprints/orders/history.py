"""**Order history**, one order, and a customer's Azure reservations."""

from __future__ import annotations

from flask import render_template, request, url_for

from csp_web.blueprints.orders import blueprint
from csp_web.db import now
from csp_web.domain.access.actors import refusal
from csp_web.domain.sales import policies
from csp_web.domain.sales.catalogue import PLAN_NAMES, TERM_NAMES
from csp_web.domain.sales.order_history import order_history, order_lines, state_of
from csp_web.domain.sales.order_history import reservations as list_reservations
from csp_web.i18n import gettext as _
from csp_web.models import Customer, Order, SubscriptionStatus
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

LONGEST_SEARCH = 200


@blueprint.get("/customers/<uuid:customer>/orders")
@needs("orders.see")
def history(customer: Customer) -> str:
    """The customer's orders, newest first."""
    text = request.args.get("q", "")[:LONGEST_SEARCH].replace("\0", "").strip()
    page = order_history(customer, text=text, cursor=request.args.get("page"))
    return render_template(
        "orders/_history.html" if htmx.wants_fragment() else "orders/history.html",
        customer=customer,
        page=page,
        text=text,
        why_not_buy=refusal(current_actor(), "orders.place"),
        previous_url=page.previous and url_for(".history", customer=customer.uuid, q=text or None, page=page.previous),
        next_url=page.next and url_for(".history", customer=customer.uuid, q=text or None, page=page.next),
    )


@blueprint.get("/orders/<string:order>")
@needs("orders.see")
def detail(order: Order) -> str:
    """One order: what was agreed, line by line; made to be printed too."""
    lines = order_lines(order)
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.currency] = totals.get(line.currency, 0) + line.total
    cancelled = sum(line.status is SubscriptionStatus.CANCELLED for line in lines)
    return render_template(
        "orders/detail.html",
        order=order,
        customer=order.customer,
        lines=lines,
        totals=totals,
        state=_(state_of(len(lines), cancelled)),
        at=now(),
        describe=policies.describe,
        terms={term: _(name) for term, name in TERM_NAMES.items()},
        plans={plan: _(name) for plan, name in PLAN_NAMES.items()},
        why_not_software=refusal(current_actor(), "software.see"),
    )


@blueprint.get("/customers/<uuid:customer>/reservations")
@needs("orders.see")
def reservations(customer: Customer) -> str:
    """The customer's Azure reservations."""
    page = list_reservations(customer, cursor=request.args.get("page"))
    return render_template(
        "orders/reservations.html",
        customer=customer,
        page=page,
        at=now(),
        describe=policies.describe,
        terms={term: _(name) for term, name in TERM_NAMES.items()},
        plans={plan: _(name) for plan, name in PLAN_NAMES.items()},
        why_not_buy=refusal(current_actor(), "orders.place"),
        previous_url=page.previous and url_for(".reservations", customer=customer.uuid, page=page.previous),
        next_url=page.next and url_for(".reservations", customer=customer.uuid, page=page.next),
    )
