"""The steps of the first setup: code, organisation, person. Each is a plain form; what was typed stays in the cookie."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask import session as cookie

from csp_web.blueprints.setup import blueprint
from csp_web.domain.access.throttle import TooManyAttempts
from csp_web.domain.companies.countries import country_name, territories
from csp_web.domain.upkeep import first_setup
from csp_web.errors import Conflict, Invalid, NotFound
from csp_web.forms.setup import CodeForm, FirstUserForm, OrganisationForm
from csp_web.i18n import gettext as _
from csp_web.i18n import language
from csp_web.web.gate import public

ORGANISATION = ("organisation", "country", "support_email", "sells", "supports")


@blueprint.before_request
def _only_while_open() -> Any:
    """After the first person there is no setup: not found, for ever. Nobody goes past the code."""
    endpoint = request.endpoint
    if endpoint == "setup.mail":
        return None
    if not current_app.extensions["first_setup"].is_open:
        raise NotFound
    if endpoint != "setup.code" and not first_setup.is_proof(_kept().get("proof")):
        return redirect(url_for(".code"), 303)
    return None


@blueprint.route("/setup", methods=["GET", "POST"])
@public
def code() -> Any:
    """The code from the server's console."""
    form = CodeForm()
    status, headers = 200, {}
    if form.validate_on_submit():
        try:
            cookie["setup"] = {"proof": first_setup.proof_for(form.code.data or "", address=request.remote_addr or "")}
            return redirect(url_for(".organisation"), 303)
        except Invalid as error:
            form.take(error.problems)
        except TooManyAttempts as error:
            form.form_errors.append(_("Too many wrong codes. Wait a few minutes, then try again."))
            status, headers = 429, {"Retry-After": str(error.seconds)}
    file = first_setup.CODE_FILE
    page = render_template("setup/code.html", form=form, file=file, step=1)
    return page, 422 if form.errors and status == 200 else status, headers


@blueprint.route("/setup/organisation", methods=["GET", "POST"])
@public
def organisation() -> Any:
    """The operator's organisation."""
    form = OrganisationForm(data=_kept().get("organisation"))
    form.offer(territories(language()))
    if form.validate_on_submit():
        cookie["setup"] = {**_kept(), "organisation": {name: form[name].data or "" for name in ORGANISATION}}
        return redirect(url_for(".first_user"), 303)
    return render_template("setup/organisation.html", form=form, step=2), 422 if form.errors else 200


@blueprint.route("/setup/you", methods=["GET", "POST"])
@public
def first_user() -> Any:
    """The first person, who is signed in at once."""
    given = _kept().get("organisation")
    if given is None:
        return redirect(url_for(".organisation"), 303)
    form = FirstUserForm(languages=g.settings.languages, data={"language": language()})
    if form.validate_on_submit():
        answer = _set_up(form, given)
        if answer is not None:
            return answer
    where = country_name(given["country"], language())
    page = render_template("setup/first_user.html", form=form, given=given, where=where, step=3)
    return page, 422 if form.errors else 200


def _set_up(form: FirstUserForm, organisation: dict[str, Any]) -> Any:
    """Make everything and sign in; None when the form has to be shown again."""
    person = {name: form[name].data or "" for name in ("name", "email", "password", "language", "time_zone")}
    try:
        token = first_setup.set_up(
            first_setup.Beginning(**{**organisation, **person}),
            hours=g.settings.session_hours,
            address=request.remote_addr or "",
            agent=request.user_agent.string,
            request_id=g.request_id,
        )
    except Conflict as error:
        flash(error.sentence, "warning")
        return redirect(url_for("accounts.sign_in"), 303)
    except Invalid as error:
        form.take({field: sentence for field, sentence in error.problems.items() if not field.startswith("partner_")})
        ours = [sentence for field, sentence in error.problems.items() if field.startswith("partner_")]
        if not ours:
            return None
        flash(" ".join(ours), "danger")
        return redirect(url_for(".organisation"), 303)
    return _signed_in(token, person["language"])


def _signed_in(token: str, spoken: str) -> Any:
    """A new cookie, as after signing in; then on to the mail server."""
    cookie.clear()
    cookie.update({"_user_id": token, "_fresh": True, "language": spoken})
    return redirect(url_for(".mail", first=1), 303)


def _kept() -> dict[str, Any]:
    found = cookie.get("setup")
    return found if isinstance(found, dict) else {}
