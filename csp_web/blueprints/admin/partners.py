"""Partner organisations: list, add, edit."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import transaction
from csp_web.domain.access import people
from csp_web.domain.access.people_listing import list_partners
from csp_web.domain.companies.countries import country_name, territories
from csp_web.errors import Invalid
from csp_web.forms.accounts import PartnerForm
from csp_web.i18n import gettext as _
from csp_web.i18n import language
from csp_web.models import Partner
from csp_web.web.gate import current_actor, needs


@blueprint.get("/admin/partners")
@needs("operator.manage")
def partners() -> str:
    """All organisations, by name."""
    page = list_partners(cursor=request.args.get("page"))
    countries = {row.country: country_name(row.country, language()) for row in page.rows}
    return render_template("admin/partners.html", page=page, countries=countries)


@blueprint.route("/admin/partners/new", methods=["GET", "POST"])
@needs("operator.manage")
def new_partner() -> Any:
    """Add an organisation."""
    form = PartnerForm()
    form.offer(territories(language()))
    if form.validate_on_submit():
        try:
            with transaction():
                made = people.add_partner(
                    by=current_actor(),
                    name=form.name.data or "",
                    country=form.country.data or "",
                    support_email=form.support_email.data or "",
                    token=form.form_token.data or "",
                )
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("%(name)s was added. Now add its first person, an admin agent.", name=made.name), "success")
            return redirect(url_for("accounts.new_user", partner=made.id), 303)
    return render_template("admin/partner.html", form=form, partner=None), 422 if form.errors else 200


@blueprint.route("/admin/partners/<int:partner>", methods=["GET", "POST"])
@needs("operator.manage")
def partner(partner: Partner) -> Any:
    """Change an organisation's name, country and support address."""
    form = PartnerForm(obj=partner)
    form.offer(territories(language()))
    if form.validate_on_submit():
        try:
            with transaction():
                people.edit_partner(
                    partner,
                    by=current_actor(),
                    name=form.name.data or "",
                    country=form.country.data or "",
                    support_email=form.support_email.data or "",
                )
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The changes were saved."), "success")
            return redirect(url_for(".partners"), 303)
    return render_template("admin/partner.html", form=form, partner=partner), 422 if form.errors else 200
