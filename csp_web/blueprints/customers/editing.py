"""Add and edit a customer."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from csp_web.blueprints.customers import blueprint
from csp_web.db import transaction
from csp_web.domain.companies.customers import CustomerFacts, add_customer, edit_customer
from csp_web.errors import Invalid
from csp_web.forms.customers import CustomerForm
from csp_web.i18n import gettext as _
from csp_web.models import Customer
from csp_web.web.gate import current_actor, needs


@blueprint.route("/customers/new", methods=["GET", "POST"])
@needs("customers.add")
def new() -> Any:
    """**Add customer**."""
    actor, form = current_actor(), CustomerForm(language=current_actor().language)
    if form.validate_on_submit():
        try:
            with transaction():
                facts = CustomerFacts.of(form.data)
                made = add_customer(facts, by=actor, token=form.form_token.data or "", guid=form.guid.data or "")
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("%(name)s was added.", name=made.company_name), "success")
            return redirect(url_for(".detail", customer=made.uuid), 303)
    return render_template("customers/edit.html", form=form, customer=None), 422 if form.errors else 200


@blueprint.route("/customers/<uuid:customer>/edit", methods=["GET", "POST"])
@needs("customers.edit")
def edit(customer: Customer) -> Any:
    """Change a customer's account data."""
    form = CustomerForm(obj=customer)
    if form.validate_on_submit():
        try:
            with transaction():
                typed = str(form.version.data)
                version = int(typed) if typed.isdecimal() and len(typed) < 10 else 0
                edit_customer(customer, CustomerFacts.of(form.data), by=current_actor(), version=version)
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The changes were saved."), "success")
            return redirect(url_for(".detail", customer=customer.uuid), 303)
    return render_template("customers/edit.html", form=form, customer=customer), 422 if form.errors else 200
