"""Where found things are and what their kinds are called; templates know these names too."""

from __future__ import annotations

from flask import url_for

from csp_web.blueprints.search import blueprint
from csp_web.domain.finder import Found, FoundKind
from csp_web.domain.recently_seen import seen_things
from csp_web.i18n import N_
from csp_web.i18n import gettext as _
from csp_web.web.gate import actor_or_none
from csp_web.web.recently import recently_seen

ONE = {
    FoundKind.CUSTOMER: N_("Customer"),
    FoundKind.ORDER: N_("Order"),
    FoundKind.SUBSCRIPTION: N_("Subscription"),
    FoundKind.LINK: N_("Download link"),
    FoundKind.TICKET: N_("Support request"),
    FoundKind.PERSON: N_("User"),
    FoundKind.PARTNER: N_("Partner"),
    FoundKind.PRODUCT: N_("Product"),
}
MANY = {
    FoundKind.CUSTOMER: N_("Customers"),
    FoundKind.ORDER: N_("Orders"),
    FoundKind.SUBSCRIPTION: N_("Subscriptions"),
    FoundKind.LINK: N_("Download links"),
    FoundKind.TICKET: N_("Support requests"),
    FoundKind.PERSON: N_("Users"),
    FoundKind.PARTNER: N_("Partners"),
    FoundKind.PRODUCT: N_("Products"),
}
# The lists that can be searched themselves: where the rest of a kind is.
_LISTS = {
    FoundKind.CUSTOMER: "customers.index",
    FoundKind.TICKET: "tickets.index",
    FoundKind.PRODUCT: "admin.catalogue",
}


@blueprint.app_template_global()
def address_of(thing: Found) -> str:
    """Where a found thing is."""
    if thing.kind is FoundKind.CUSTOMER:
        return url_for("customers.detail", customer=thing.key)
    if thing.kind is FoundKind.ORDER:
        return url_for("orders.detail", order=thing.key)
    if thing.kind is FoundKind.TICKET:
        return url_for("tickets.detail", ticket=thing.key)
    if thing.kind is FoundKind.PERSON:
        return url_for("accounts.user", person=int(thing.key))
    if thing.kind is FoundKind.PARTNER:
        return url_for("admin.partner", partner=int(thing.key))
    if thing.kind is FoundKind.PRODUCT:
        return url_for("admin.catalogue", q=thing.key)
    return url_for("software.index", customer=thing.customer, open=thing.key, _anchor=f"line-{thing.line}")


@blueprint.app_template_global()
def kind_of(thing: Found) -> str:
    """What one such thing is called."""
    return _(ONE[thing.kind])


@blueprint.app_template_global()
def all_of_kind(kind: FoundKind) -> str:
    """What several such things are called."""
    return _(MANY[kind])


@blueprint.app_template_global()
def rest_of(kind: FoundKind, text: str) -> str:
    """The address of the list in which all of a kind can be looked through; empty where there is none."""
    actor = actor_or_none()
    if kind is FoundKind.PERSON and actor is not None:
        return url_for("admin.users", q=text) if actor.may("operator.manage") else url_for("accounts.users")
    return url_for(_LISTS[kind], q=text) if kind in _LISTS else ""


@blueprint.app_template_global()
def recent_things() -> list[Found]:
    """What the person opened last in this browser, the latest first; for templates/search/_recent.html."""
    actor = actor_or_none()
    seen = recently_seen()
    return seen_things(actor, seen) if actor is not None and seen else []
