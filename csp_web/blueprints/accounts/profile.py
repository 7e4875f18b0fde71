"""One's own account: profile, password, where one is signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, g, redirect, render_template, url_for
from flask import session as cookie

from csp_web.blueprints.accounts import blueprint
from csp_web.blueprints.accounts.sign_in import leave
from csp_web.db import session, transaction
from csp_web.domain.access import people, sessions
from csp_web.errors import Invalid
from csp_web.forms.accounts import PasswordForm, ProfileForm
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.identifiers import token_hash
from csp_web.models import User
from csp_web.web.gate import current_actor, signed_in


@blueprint.route("/account", methods=["GET", "POST"])
@signed_in
def profile() -> Any:
    """Name, phone, language and time zone; open sessions."""
    actor = current_actor()
    user = session.get_one(User, actor.id)
    form = ProfileForm(obj=user, languages=g.settings.languages)
    if form.validate_on_submit():
        try:
            with transaction():
                people.update_profile(user, by=actor, **_profile_of(form))
        except Invalid as error:
            form.take(error.problems)
        else:
            cookie["language"] = form.language.data
            flash(_("The changes were saved."), "success")
            return redirect(url_for(".profile"), 303)
    return _page(form, 422 if form.errors else 200)


def _profile_of(form: ProfileForm) -> dict[str, str]:
    return {name: form[name].data or "" for name in ("name", "phone", "language", "time_zone")}


def _page(form: ProfileForm, status: int) -> Any:
    open_ones = sessions.open_sessions(current_actor().id, idle=timedelta(minutes=g.settings.session_idle_minutes))
    here = token_hash(cookie["_user_id"])
    return render_template("accounts/profile.html", form=form, sessions=open_ones, here=here), status


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in
def password() -> Any:
    """Change one's own password; all other sessions end."""
    actor, form = current_actor(), PasswordForm()
    if form.validate_on_submit():
        try:
            user = session.get_one(User, actor.id)
            checked = people.check_new_password(
                user, by=actor, old=form.old_password.data or "", new=form.new_password.data or ""
            )
            with transaction():
                people.change_password(user, checked, by=actor, keep_session=cookie["_user_id"])
        except Invalid as error:
            form.take(error.problems)
        else:
            cookie.pop("change_password", None)
            flash(_("Your password was changed. Everywhere else you are signed out."), "success")
            return redirect(url_for(".profile"), 303)
    page = render_template("accounts/password.html", form=form, forced=bool(cookie.get("change_password")))
    return page, 422 if form.errors else 200


@blueprint.post("/account/sessions/<string:session_id>/end")
@signed_in
def end_session(session_id: str) -> Any:
    """End one of one's own sessions."""
    with transaction():
        sessions.end_one(session_id, by=current_actor())
    flash(_("The session was ended."), "success")
    return redirect(url_for(".profile"), 303)


@blueprint.post("/account/sessions/end")
@signed_in
def sign_out_everywhere() -> Any:
    """End all of one's own sessions, this one too."""
    actor = current_actor()
    with transaction():
        ended = sessions.end_all(actor.id, by=actor, resource=actor.email)
    return leave(ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended))
