"""Signing in and out (S-5)."""

from __future__ import annotations

from typing import Any

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask import session as cookie

from csp_web.blueprints.accounts import blueprint
from csp_web.db import transaction
from csp_web.domain.access import people, sessions, signing_in
from csp_web.domain.access.throttle import TooManyAttempts
from csp_web.errors import Invalid
from csp_web.forms.accounts import SignInForm
from csp_web.i18n import gettext as _
from csp_web.web import htmx, recently
from csp_web.web.gate import actor_or_none, public, visitor
from csp_web.web.places import safe_next

OPEN_BEFORE_CHANGE = {"accounts.password", "accounts.sign_out", "accounts.language"}


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Any:
    """**Sign in**; afterwards on to where the person wanted to go, with what had been typed there."""
    if request.method == "GET" and visitor() is not None:
        return redirect(_onwards(request.args.get("next"), request.args.get("kept")), 303)
    form = SignInForm(next=request.args.get("next", ""), kept=request.args.get("kept", ""))
    if not form.validate_on_submit():
        return _page(form, 422 if form.errors else 200)
    try:
        found = signing_in.sign_in(
            form.email.data or "",
            form.password.data or "",
            hours=g.settings.session_hours,
            address=request.remote_addr or "",
            agent=request.user_agent.string,
            request_id=g.request_id,
        )
    except Invalid as error:
        form.form_errors.append(error.sentence)
        return _page(form, 422)
    except TooManyAttempts as error:
        form.form_errors.append(error.sentence)
        return _page(form, 429, {"Retry-After": str(error.seconds)})
    _begin(found)
    return redirect(_onwards(form.next.data, form.kept.data), 303)


@blueprint.post("/sign-out")
@public
def sign_out() -> Any:
    """Sign out here; fine when the session has ended already."""
    actor = visitor()
    if actor is not None:
        with transaction():
            sessions.end(cookie["_user_id"], by=actor)
    return leave(_("You are signed out."))


def leave(sentence: str) -> Any:
    """Forget everything in the browser and go to the sign-in page."""
    language = cookie.get("language")
    cookie.clear()
    if language:
        cookie["language"] = language
    flash(sentence, "success")
    response = make_response(redirect(url_for("accounts.sign_in"), 303))
    recently.forget(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@blueprint.before_app_request
def _change_temporary_password() -> Any:
    """A password that somebody else knows opens only the page on which it is changed."""
    if not cookie.get("change_password") or actor_or_none() is None or request.endpoint in OPEN_BEFORE_CHANGE:
        return None
    address = url_for("accounts.password")
    return htmx.go_to(address) if htmx.wants_fragment() else redirect(address, 303)


def _page(form: SignInForm, status: int, headers: dict[str, str] | None = None) -> Any:
    return render_template("accounts/sign_in.html", form=form), status, headers or {}


def _begin(found: signing_in.SignedIn) -> None:
    """Put the new session into a new cookie, so that one that was planted before is worth nothing."""
    before = visitor()
    if before is not None:
        with transaction():
            sessions.end(cookie["_user_id"], by=before)
    chosen = cookie.get("language") if cookie.get("chose_language") else None
    if chosen and chosen != found.language:
        with transaction():
            people.choose_language(found.user_id, chosen)
    cookie.clear()
    cookie["_user_id"] = found.token
    cookie["_fresh"] = True
    cookie["language"] = chosen or found.language
    if found.password_temporary:
        cookie["change_password"] = True


def _onwards(target: str | None, kept: str | None) -> str:
    address = safe_next(target)
    if not kept or not kept.replace("-", "").replace("_", "").isalnum() or len(kept) > 100:
        return address
    return f"{address}{'&' if '?' in address else '?'}kept={kept}"
