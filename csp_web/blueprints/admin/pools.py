"""One pool of keys: when it is low, what lies in quarantine, what goes back to stock (B3, D12). Nobody sees a key here."""

from __future__ import annotations

import re
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import transaction
from csp_web.domain.stock.key_pool_page import find_key, find_pool, pool_page
from csp_web.domain.stock.key_quarantine import quarantine, release, release_problem, set_threshold
from csp_web.errors import Invalid
from csp_web.forms.stock import QuarantineForm, ReleaseForm, ThresholdForm
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.web.gate import current_actor, needs


@blueprint.get("/admin/keys/<int:pool>")
@needs("operator.manage")
def key_pool(pool: int) -> str:
    """The pool, with forms for what can be done to it."""
    return _page(pool)


@blueprint.post("/admin/keys/<int:pool>/threshold")
@needs("operator.manage")
def change_threshold(pool: int) -> Any:
    """Say at how many free keys the pool is low."""
    form = ThresholdForm()
    if form.validate():
        try:
            with transaction():
                set_threshold(find_pool(pool), form.low_at.data or 0, by=current_actor())
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for(".key_pool", pool=pool), 303)
    return _page(pool, threshold=form), 422


@blueprint.post("/admin/keys/<int:pool>/quarantine")
@needs("operator.manage")
def put_into_quarantine(pool: int) -> Any:
    """Take free keys out of stock."""
    form = QuarantineForm()
    if form.validate():
        endings = re.split(r"[\s,;]+", form.endings.data or "")
        try:
            with transaction():
                count = quarantine(find_pool(pool), endings, by=current_actor(), reason=form.reason.data or "")
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(ngettext("%(num)s key is in quarantine.", "%(num)s keys are in quarantine.", count), "success")
            return redirect(url_for(".key_pool", pool=pool, _anchor="quarantine"), 303)
    return _page(pool, taking=form), 422


@blueprint.route("/admin/keys/<int:pool>/quarantine/<int:product_key>/release", methods=["GET", "POST"])
@needs("operator.manage")
def release_key(pool: int, product_key: int) -> Any:
    """Put a key that nobody ever had back into stock: a page of its own, so that it is done on purpose."""
    of_pool = find_pool(pool)
    row, form = find_key(of_pool, product_key), ReleaseForm()
    problem = release_problem(row)
    if not problem and form.validate_on_submit():
        try:
            with transaction():
                filled = release(row, by=current_actor(), reason=form.reason.data or "")
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("A line that waited got the key.") if filled else _("The key is in stock again."), "success")
            return redirect(url_for(".key_pool", pool=pool), 303)
    status = 409 if problem and request.method == "POST" else 422 if form.errors else 200
    return render_template("admin/pool_release.html", pool=of_pool, key=row, form=form, problem=problem), status


def _page(pool: int, *, threshold: ThresholdForm | None = None, taking: QuarantineForm | None = None) -> str:
    row = find_pool(pool)
    shown = pool_page(row, cursor=request.args.get("page"))
    return render_template(
        "admin/pool.html",
        shown=shown,
        pool=row,
        threshold=threshold or ThresholdForm(formdata=None, obj=row),
        taking=taking or QuarantineForm(formdata=None),
        previous_url=shown.previous and url_for(".key_pool", pool=pool, page=shown.previous, _anchor="quarantine"),
        next_url=shown.next and url_for(".key_pool", pool=pool, page=shown.next, _anchor="quarantine"),
    )
