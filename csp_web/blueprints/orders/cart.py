"""**Review order**: quantities, totals, terms; and **Place order** (R16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.orders import blueprint
from csp_web.blueprints.orders.refusals import note_refusal
from csp_web.db import now, transaction
from csp_web.domain.sales import policies
from csp_web.domain.sales.cart_review import CartChanged, review
from csp_web.domain.sales.carts import change_lines, find_cart
from csp_web.domain.sales.catalogue import PLAN_NAMES, TERM_NAMES
from csp_web.domain.sales.ordering import place_order, why_no_order
from csp_web.errors import Conflict, DomainError, Invalid, Refused
from csp_web.forms.orders import PlaceForm, no_quantity, whole_number
from csp_web.i18n import gettext as _
from csp_web.models import Customer
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

QUANTITY = "quantity-"


@blueprint.get("/customers/<uuid:customer>/cart")
@needs("orders.place")
def cart(customer: Customer) -> str:
    """The cart as it would be ordered now."""
    return _page(customer, PlaceForm(reference=request.args.get("reference", "")))


@blueprint.post("/customers/<uuid:customer>/cart")
@needs("orders.place")
def change_cart(customer: Customer) -> Any:
    """Set quantities; take out the line of the button that was pressed."""
    form, found = PlaceForm(), find_cart(customer)
    quantities, problems = _quantities()
    if found is not None and not problems:
        try:
            with transaction():
                remove = request.form.getlist("remove")
                change_lines(found, quantities=quantities, remove=remove, by=current_actor())
        except Invalid as error:
            problems = error.problems
    if problems:
        return _page(customer, form, problems=problems), 422
    if htmx.wants_fragment():
        return _page(customer, form)
    return redirect(url_for(".cart", customer=customer.uuid, reference=form.reference.data or None), 303)


@blueprint.post("/customers/<uuid:customer>/cart/order")
@needs("orders.place")
def place(customer: Customer) -> Any:
    """**Place order**. Quantities that were typed and not yet taken over are taken over first, and nothing is ordered."""
    form = PlaceForm()
    if _typed_quantities():
        return _take_quantities_first(customer, form)
    if not form.validate():
        return _page(customer, form), 422
    try:
        return _place(customer, form)
    except Invalid as error:
        form.take(error.problems)
        return _page(customer, form), 422
    except CartChanged as error:
        note_refusal("create_order", customer, error)
        return _page(customer, form, refusal=error, changes=error.changes), 409
    except (Refused, Conflict) as error:
        note_refusal("create_order", customer, error)
        return _page(customer, form, refusal=error), 409


def _place(customer: Customer, form: PlaceForm) -> Any:
    found = find_cart(customer)
    if found is None:
        raise Refused(_("The cart is empty."), advice=_("Add products first."))
    with transaction():
        order = place_order(
            found,
            by=current_actor(),
            token=form.token,
            version=form.seen_version,
            seen=request.form.getlist("seen"),
            reference=form.reference.data or "",
            only_possible=form.only_possible.data,
            accept_prices=form.accept_prices.data,
        )
    flash(_("The order was placed."), "success")
    return redirect(url_for(".detail", order=order.order_id), 303)


def _take_quantities_first(customer: Customer, form: PlaceForm) -> Any:
    quantities, problems = _quantities()
    found = find_cart(customer)
    if found is not None and not problems:
        try:
            with transaction():
                change_lines(found, quantities=quantities, by=current_actor())
        except Invalid as error:
            problems = error.problems
    if not problems:
        form.form_errors.append(_("You changed quantities. Check the totals, then place the order."))
    return _page(customer, form, problems=problems), 422


def _quantities() -> tuple[dict[str, int], dict[str, str]]:
    """The quantities that were typed, by the line's name, and what is wrong with them."""
    typed = {name: whole_number(text) for name, text in request.form.items() if name.startswith(QUANTITY)}
    problems = {name: no_quantity() for name, number in typed.items() if number is None}
    return {name.removeprefix(QUANTITY): number for name, number in typed.items() if number is not None}, problems


def _typed_quantities() -> bool:
    """Whether a quantity differs from what the page showed."""
    seen = dict(text.split(":")[:2] for text in request.form.getlist("seen") if text.count(":") == 3)
    return any(
        str(whole_number(text)) != seen[name.removeprefix(QUANTITY)]
        for name, text in request.form.items()
        if name.startswith(QUANTITY) and name.removeprefix(QUANTITY) in seen
    )


def _page(
    customer: Customer,
    form: PlaceForm,
    *,
    problems: dict[str, str] | None = None,
    refusal: DomainError | None = None,
    changes: Sequence[str] = (),
) -> str:
    current = review(find_cart(customer), customer, now())
    form.version.data = str(current.version)
    form.renew()
    template = "orders/_review.html" if htmx.wants_fragment() else "orders/cart.html"
    return render_template(
        template,
        customer=customer,
        review=current,
        why_no_order=why_no_order(current),
        form=form,
        typed=request.form if problems else {},
        problems=problems or {},
        refusal=refusal,
        changes=changes,
        describe=policies.describe,
        terms={term: _(name) for term, name in TERM_NAMES.items()},
        plans={plan: _(name) for plan, name in PLAN_NAMES.items()},
    )
