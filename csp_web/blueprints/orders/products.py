"""**Add products**: what can be sold to a customer, and into the cart with it (R15)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.orders import blueprint
from csp_web.blueprints.orders.refusals import note_refusal
from csp_web.db import now, transaction
from csp_web.domain.companies.countries import country_name
from csp_web.domain.sales.carts import add_line, cart_size
from csp_web.domain.sales.catalogue import FAMILY_NAMES, PLAN_NAMES, TERM_NAMES, find_offer, selling_text
from csp_web.domain.sales.offer_list import Filters, list_offers, recent_azure_subscription
from csp_web.errors import Conflict, Invalid, Refused
from csp_web.forms.orders import AddForm
from csp_web.i18n import gettext as _
from csp_web.i18n import language
from csp_web.models import CartLine, Customer, ProductFamily
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs

LONGEST_SEARCH = 200


@blueprint.get("/customers/<uuid:customer>/products")
@needs("orders.place")
def products(customer: Customer) -> str:
    """The offers of the customer's market; what cannot be bought says why (B6)."""
    kept = AddForm()
    return _page(customer, kept if kept.offer.data else None)


@blueprint.post("/customers/<uuid:customer>/cart/lines")
@needs("orders.place")
def add(customer: Customer) -> Any:
    """**Add to cart**."""
    form = AddForm()
    offer = find_offer(form.offer.data or "")
    if form.validate():
        try:
            with transaction():
                line = add_line(
                    customer,
                    offer,
                    form.number,
                    by=current_actor(),
                    token=form.token,
                    azure_subscription=form.azure_subscription.data or "",
                    scope=form.scope.data or "",
                )
        except Invalid as error:
            form.take(error.problems)
        except (Refused, Conflict) as error:
            note_refusal("add_to_cart", customer, error)
            form.take({"quantity": " ".join(filter(None, (error.sentence, error.advice)))})
            return _page(customer, form), 409
        else:
            return _added(customer, form, line)
    return _page(customer, form), 422


def _added(customer: Customer, form: AddForm, line: CartLine) -> Any:
    title = line.offer.sku.title
    flash(_("Added to the cart: %(number)s × %(title)s.", number=form.number, title=title), "success")
    here = {**_filters_of_address(), "_anchor": f"offer-{form.offer.data}"}
    return redirect(url_for(".products", customer=customer.uuid, **here), 303)


def _page(customer: Customer, form: AddForm | None) -> str:
    filters = _filters()
    page = list_offers(customer, filters, at=now(), cursor=request.args.get("page"))
    template = "orders/_offers.html" if _wants_list() else "orders/products.html"
    address = _filters_of_address()
    return render_template(
        template,
        customer=customer,
        country=country_name(customer.country, language()),
        page=page,
        filters=filters,
        form=form,
        fresh=AddForm(formdata=None, azure_subscription=recent_azure_subscription(customer)),
        families={family: _(name) for family, name in FAMILY_NAMES.items()},
        selling={family: selling_text(family) for family in FAMILY_NAMES},
        terms={term: _(name) for term, name in TERM_NAMES.items()},
        plans={plan: _(name) for plan, name in PLAN_NAMES.items()},
        cart_size=cart_size(customer),
        target=url_for(".add", customer=customer.uuid, **address),
        previous_url=_neighbour(customer, address, page.previous),
        next_url=_neighbour(customer, address, page.next),
    )


def _wants_list() -> bool:
    return htmx.wants_fragment() and request.method == "GET"


def _neighbour(customer: Customer, address: dict[str, Any], cursor: str | None) -> str | None:
    return url_for(".products", customer=customer.uuid, **{**address, "page": cursor}) if cursor else None


def _filters() -> Filters:
    family, term, plan = (request.args.get(name, "") for name in ("family", "term", "plan"))
    return Filters(
        text=request.args.get("q", "")[:LONGEST_SEARCH].replace("\0", "").strip(),
        family=ProductFamily(family) if family in set(ProductFamily) else None,
        term=term if term in TERM_NAMES else "",
        billing_plan=plan if plan in PLAN_NAMES else "",
    )


def _filters_of_address() -> dict[str, Any]:
    """What the address narrows the list to, to be carried on."""
    return {name: value for name in ("q", "family", "term", "plan", "page") if (value := request.args.get(name))}
