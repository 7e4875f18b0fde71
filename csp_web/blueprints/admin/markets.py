"""Which market list is in force: the countries to which a kind of product is not sold (R11, D8)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import now, transaction
from csp_web.domain.companies.countries import country_name
from csp_web.domain.sales import markets as lists
from csp_web.domain.sales.in_force import is_in_force
from csp_web.errors import Invalid
from csp_web.forms.catalogue import DayForm
from csp_web.i18n import gettext as _
from csp_web.i18n import language
from csp_web.web.gate import current_actor, needs


@blueprint.get("/admin/markets")
@needs("operator.manage")
def markets() -> str:
    """All lists, with their countries."""
    return _page()


@blueprint.post("/admin/markets/<int:number>")
@needs("operator.manage")
def change_market_set(number: int) -> Any:
    """Put a list in force from a day on, or end it on one."""
    market_set, form = lists.find_market_set(number), DayForm()
    if form.validate() and form.day.data is not None:
        verb = lists.end if form.change.data == "end" else lists.put_in_force
        try:
            with transaction():
                verb(market_set, day=form.day.data, by=current_actor())
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The change of “%(name)s” was saved.", name=market_set.name), "success")
            return redirect(url_for(".markets"), 303)
    return _page(form, number), 422


def _page(form: DayForm | None = None, number: int = 0) -> str:
    at, spoken = now(), language()
    rows = [
        (row, is_in_force(row, at), sorted(country_name(entry.country, spoken) for entry in row.exclusions))
        for row in lists.market_sets()
    ]
    return render_template("admin/markets.html", rows=rows, form=form, number=number, today=at.date().isoformat())
