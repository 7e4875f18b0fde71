"""Which cancellation policy new orders get (R32-R34, D8)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import now, transaction
from csp_web.domain.sales import policies as rules
from csp_web.domain.sales.in_force import is_in_force
from csp_web.errors import Invalid
from csp_web.forms.catalogue import DayForm
from csp_web.i18n import gettext as _
from csp_web.web.gate import current_actor, needs


@blueprint.get("/admin/policies")
@needs("operator.manage")
def policies() -> str:
    """All policies, in words."""
    return _page()


@blueprint.post("/admin/policies/<int:number>")
@needs("operator.manage")
def change_policy(number: int) -> Any:
    """Sell under a policy from a day on."""
    policy, form = rules.find_policy(number), DayForm()
    if form.validate() and form.day.data is not None:
        try:
            with transaction():
                rules.put_in_force(policy, day=form.day.data, by=current_actor())
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The change of “%(name)s” was saved.", name=policy.code), "success")
            return redirect(url_for(".policies"), 303)
    return _page(form, number), 422


def _page(form: DayForm | None = None, number: int = 0) -> str:
    at = now()
    rows = [(row, is_in_force(row, at), rules.describe(row.terms)) for row in rules.cancellation_policies()]
    return render_template("admin/policies.html", rows=rows, form=form, number=number, today=at.date().isoformat())
