"""Saved views of the list of all software: kept under a name, renamed, shared, deleted (B7)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.listing import everything_at, told, viewed_now
from csp_web.db import transaction
from csp_web.domain.delivery.saved_views import (
    change_view,
    delete_view,
    save_view,
    views_of,
    why_not_change,
    why_not_save,
)
from csp_web.domain.delivery.software_filters import view_of_query
from csp_web.errors import Invalid, Refused
from csp_web.forms.views import SaveViewForm, ViewForm
from csp_web.i18n import gettext as _
from csp_web.models import SavedView
from csp_web.web.gate import current_actor, needs


@blueprint.get("/software/views")
@needs("software.see")
def views() -> str:
    """The own views, and those that colleagues share."""
    actor = current_actor()
    rows = [(row, told(view_of_query(row.query))) for row in views_of(actor)]
    return render_template("software/views.html", rows=rows, me=actor.id)


@blueprint.route("/software/views/new", methods=["GET", "POST"])
@needs("software.see")
def new_view() -> Any:
    """Keep what the address of this page says under a name."""
    form, view, actor = SaveViewForm(), viewed_now(), current_actor()
    if form.validate_on_submit():
        try:
            with transaction():
                name = save_view(
                    form.name.data or "",
                    view.query,
                    by=actor,
                    shared=form.shared.data,
                    replace=form.replace.data,
                    form_token=form.sent_token,
                ).name
        except (Invalid, Refused) as error:
            form.take(error.problems if isinstance(error, Invalid) else {"": error.sentence})
        else:
            flash(_("The view “%(name)s” is kept. It stands above the list.", name=name), "success")
            return redirect(everything_at(view), 303)
    more = {"form": form, "said": told(view), "back_url": everything_at(view), "why_not": why_not_save(actor)}
    action = url_for(".new_view") + (f"?{view.query}" if view.query else "")
    return render_template("software/new_view.html", action=action, **more), 422 if form.errors else 200


@blueprint.route("/software/views/<int:view>", methods=["GET", "POST"])
@needs("software.see")
def view(view: SavedView) -> Any:
    """Rename a view, share it or keep it for oneself."""
    form, actor = ViewForm(obj=view), current_actor()
    if form.validate_on_submit():
        try:
            with transaction():
                change_view(view, by=actor, name=form.name.data or "", shared=form.shared.data)
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The changes were saved."), "success")
            return redirect(url_for(".views"), 303)
    looked = view_of_query(view.query)
    more = {"said": told(looked), "back_url": everything_at(looked), "why_not": why_not_change(view, actor)}
    return render_template("software/view.html", view=view, form=form, **more), 422 if form.errors else 200


@blueprint.post("/software/views/<int:view>/deletion")
@needs("software.see")
def remove_view(view: SavedView) -> Any:
    """Delete a view; the list and what is in it stay as they are."""
    with transaction():
        name = view.name
        delete_view(view, by=current_actor())
    flash(_("The view “%(name)s” is deleted.", name=name), "success")
    return redirect(url_for(".views"), 303)
