"""People of a partner: list, add, roles, disable, new password. Operator admins reach those of every partner."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from csp_web.blueprints.accounts import blueprint
from csp_web.db import session, transaction
from csp_web.domain.access import people, people_rules
from csp_web.domain.access.passwords import hash_password, temporary_password
from csp_web.domain.access.people_listing import list_people
from csp_web.errors import Invalid, NotFound
from csp_web.forms.accounts import AddUserForm, NewPasswordForm, RolesForm
from csp_web.i18n import gettext as _
from csp_web.models import Partner, Role, User
from csp_web.web.gate import current_actor, needs


@blueprint.get("/users")
@needs("users.manage")
def users() -> str:
    """The people of the own organisation."""
    actor = current_actor()
    found = list_people(partner_id=actor.partner_id, cursor=request.args.get("page"))
    return render_template(
        "accounts/users.html",
        people=found,
        organisation_name=actor.partner_name,
        previous_url=found.page.previous and url_for(".users", page=found.page.previous),
        next_url=found.page.next and url_for(".users", page=found.page.next),
    )


@blueprint.route("/users/new", methods=["GET", "POST"])
@needs("users.manage", "operator.manage")
def new_user() -> Any:
    """Add a person; the temporary password is shown once, in the answer to the form."""
    actor, partner, form = current_actor(), _chosen_partner(), AddUserForm()
    form.roles.offer(_roles_in(partner))
    if form.validate_on_submit():
        password = temporary_password(form.form_token.data or "", g.settings.secret_key)
        try:
            hashed = hash_password(password)
            with transaction():
                user = people.add_user(
                    partner,
                    by=actor,
                    name=form.name.data or "",
                    email=form.email.data or "",
                    roles=form.roles.roles,
                    password=password,
                    language=actor.language,
                    time_zone=actor.time_zone,
                    token=form.form_token.data or "",
                    password_hash=hashed,
                )
        except Invalid as error:
            form.take(error.problems)
        else:
            return render_template("accounts/password_given.html", person=user, password=password, added=True)
    return render_template("accounts/new_user.html", form=form, partner=partner), 422 if form.errors else 200


@blueprint.route("/users/<int:person>", methods=["GET", "POST"])
@needs("users.manage", "operator.manage")
def user(person: User) -> Any:
    """One person: roles, whether signing in is allowed, a new password."""
    form = RolesForm(roles=sorted(person.roles))
    form.roles.offer(_roles_in(person.partner))
    if form.validate_on_submit():
        try:
            with transaction():
                people.change_roles(person, form.roles.roles, by=current_actor())
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The roles of %(name)s were saved.", name=person.name), "success")
            return redirect(url_for(".user", person=person.id), 303)
    return _user_page(person, form, 422 if form.errors else 200)


def _user_page(person: User, form: RolesForm, status: int) -> Any:
    actor = current_actor()
    return render_template(
        "accounts/user.html",
        person=person,
        form=form,
        role_limits=people_rules.role_limits(person, actor),
        password_form=NewPasswordForm(formdata=None),
        why_not_disable=next(iter(people_rules.disable_problems(person, actor)), ""),
        why_not_enable=next(iter(people_rules.rank_problems(person, actor)), ""),
        why_not_reset=next(iter(people_rules.password_reset_problems(person, actor)), ""),
    ), status


@blueprint.post("/users/<int:person>/disabling")
@needs("users.manage", "operator.manage")
def disable_user(person: User) -> Any:
    """Keep a person out."""
    with transaction():
        people.disable_user(person, by=current_actor())
    flash(_("%(name)s can no longer sign in.", name=person.name), "success")
    return redirect(url_for(".user", person=person.id), 303)


@blueprint.post("/users/<int:person>/enabling")
@needs("users.manage", "operator.manage")
def enable_user(person: User) -> Any:
    """Let a person in again."""
    with transaction():
        people.enable_user(person, by=current_actor())
    flash(_("%(name)s can sign in again.", name=person.name), "success")
    return redirect(url_for(".user", person=person.id), 303)


@blueprint.post("/users/<int:person>/password")
@needs("users.manage", "operator.manage")
def reset_password(person: User) -> Any:
    """Give a new temporary password; it is shown once, in the answer to the form."""
    form = NewPasswordForm()
    if not form.validate():
        raise Invalid(form.problems)
    token = form.form_token.data or ""
    password = temporary_password(token, g.settings.secret_key)
    hashed = hash_password(password)
    with transaction():
        people.reset_password(person, by=current_actor(), password=password, token=token, password_hash=hashed)
    return render_template("accounts/password_given.html", person=person, password=password, added=False)


def _chosen_partner() -> Partner:
    """The own organisation; for an operator admin the one that the address names."""
    actor, number = current_actor(), request.args.get("partner", "")
    own = not number or not actor.may("operator.manage")
    named = int(number) if number.isdecimal() and len(number) < 19 else 0
    partner = session.get(Partner, actor.partner_id if own else named)
    if partner is None:
        raise NotFound
    return partner


def _roles_in(partner: Partner) -> list[Role]:
    """The roles that people of an organisation can have at all."""
    return [role for role in Role if partner.is_operator or not role.of_operator]
