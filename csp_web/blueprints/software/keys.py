"""Keys of a line: taken for a version, shown once on the answer to **Show key** (R18, R19, D11)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask import session as cookie

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.page import show_software
from csp_web.db import now, transaction
from csp_web.domain.access.confirming import NotConfirmed, confirm
from csp_web.domain.delivery.software_line import versions_with_keys
from csp_web.domain.stock.key_replacement import replace_key, replacement_problems
from csp_web.domain.stock.keys import find_assignment, find_entitlement, key_for_version, show_key
from csp_web.errors import Invalid, NotFound
from csp_web.forms.software import KeyForm, ShowKeyForm
from csp_web.forms.stock import ReplacementForm
from csp_web.i18n import gettext as _
from csp_web.models import Customer, KeyAssignment, Subscription
from csp_web.web.gate import current_actor, needs

LINE = "/customers/<uuid:customer>/software/<uuid:subscription>"


@blueprint.post(f"{LINE}/keys")
@needs("keys.handle")
def take_key(customer: Customer, subscription: Subscription) -> Any:
    """Get the key of a version of a product without files."""
    form = KeyForm()
    if not form.validate():
        raise NotFound
    with transaction():
        entitlement = find_entitlement(subscription, form.entitlement.data or 0)
        if form.version.data not in versions_with_keys(entitlement):
            raise NotFound
        got = key_for_version(entitlement, form.version.data, by=current_actor())
        ready = isinstance(got, KeyAssignment)
    if ready:
        flash(_("The key is ready."), "success")
    else:
        flash(_("There is no key in stock. This line waits for one, and the operator was told."), "warning")
    address = url_for(".index", customer=customer.uuid, open=subscription.uuid, _anchor=f"keys-{subscription.id}")
    return redirect(address, 303)


@blueprint.route(f"{LINE}/keys/<int:assignment>/replacement", methods=["GET", "POST"])
@needs("keys.handle")
def replace(customer: Customer, subscription: Subscription, assignment: int) -> Any:
    """Another key in the place of a wrong one: a page of its own, for it cannot be undone (B3)."""
    row, form = find_assignment(subscription, assignment), ReplacementForm()
    problems = replacement_problems(row, subscription, now())
    if form.validate_on_submit():
        try:
            with transaction():
                replace_key(row, by=current_actor(), reason=form.reason.data or "")
        except Invalid as refusal:
            form.take(refusal.problems)
        else:
            flash(_("There is a new key. The wrong one is struck out and stays in the history."), "success")
            address = url_for(
                ".index", customer=customer.uuid, open=subscription.uuid, _anchor=f"keys-{subscription.id}"
            )
            return redirect(address, 303)
    more = {"customer": customer, "line": subscription, "key": row, "form": form, "problems": problems}
    return render_template("software/replace_key.html", **more), 422 if form.errors else 200


@blueprint.post(f"{LINE}/keys/<int:assignment>/showing")
@needs("keys.handle")
def show(customer: Customer, subscription: Subscription, assignment: int) -> Any:
    """**Show key**: the log is written and committed before the key is rendered, on this one answer (B4).

    Without a password typed in the last minutes the answer is the question for it (422), in the key's place.
    """
    form, row = ShowKeyForm(), find_assignment(subscription, assignment)
    try:
        if not form.validate():
            raise Invalid({})
        actor = current_actor()
        if form.password.data:
            actor = confirm(cookie["_user_id"], form.password.data, by=actor)
        with transaction():
            key = show_key(row, by=actor, reason=form.reason.data or "")
    except (NotConfirmed, Invalid) as refusal:
        if isinstance(refusal, Invalid):
            form.take(refusal.problems)
        return show_software(customer, subscription, asked=(assignment, form), status=422)
    return show_software(customer, subscription, shown=(assignment, key))
