"""Forms of people: sign-in, own account, users, partners."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from wtforms import HiddenField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, EqualTo, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from csp_web import i18n
from csp_web.i18n import N_
from csp_web.i18n import gettext as _
from csp_web.i18n import lazy_gettext as _l
from csp_web.models import Role
from csp_web.web.forms import CreatingForm, Form

ROLE_TEXTS = {
    Role.ADMIN_AGENT: N_("Admin agent: everything, with keys, downloads, cancelling and users"),
    Role.SALES_AGENT: N_("Sales agent: customers and orders; no keys, no cancelling"),
    Role.HELPDESK_AGENT: N_("Helpdesk agent: sees software, edits customers, opens support requests"),
    Role.BILLING_ADMIN: N_("Billing admin: invoices, credit notes and payments"),
    Role.AUDITOR: N_("Auditor: sees everything except keys, changes nothing"),
    Role.SUPPORT_AGENT: N_("Support agent: support requests of all partners, approves cancellations"),
    Role.OPERATOR_ADMIN: N_("Operator admin: catalogue, stock, files, partners, policies, users"),
}
_AREAS = [
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
]
_LONG_TEXT = _l("This is too long.")


@lru_cache(maxsize=1)
def time_zones() -> dict[str, list[tuple[str, str]]]:
    """The IANA time zones that people live in, by part of the world."""
    groups: dict[str, list[tuple[str, str]]] = {"UTC": [("UTC", "UTC")]}
    for area in _AREAS:
        names = sorted(name for name in available_timezones() if name.startswith(area))
        groups[area.rstrip("/")] = [(name, name.removeprefix(area).replace("_", " ")) for name in names]
    return groups


class RolesField(SelectMultipleField):
    """Roles as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def offer(self, roles: Iterable[Role]) -> None:
        """Show these roles, each with what it may do."""
        self.choices = [(role.value, _(ROLE_TEXTS[role])) for role in roles]

    @property
    def roles(self) -> frozenset[Role]:
        """What was ticked."""
        return frozenset(Role(value) for value in self.data or ())


class SignInForm(Form):
    """Who is it?"""

    email = StringField(
        _l("E-mail"), [DataRequired(_l("Enter your e-mail address.")), Length(max=254, message=_LONG_TEXT)]
    )
    password = PasswordField(
        _l("Password"), [DataRequired(_l("Enter your password.")), Length(max=1000, message=_LONG_TEXT)]
    )
    next = HiddenField()
    kept = HiddenField()


class ProfileForm(Form):
    """One's own name, phone, language and clock."""

    name = StringField(_l("Name"), [DataRequired(_l("Enter a name.")), Length(max=200, message=_LONG_TEXT)])
    phone = StringField(
        _l("Phone"),
        [Length(max=40, message=_LONG_TEXT)],
        description=_l("Written into the contact of your support requests."),
    )
    language = SelectField(_l("Language"))
    time_zone = SelectField(_l("Time zone"), validate_choice=False)

    def __init__(self, *args: Any, languages: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language.choices = [(code, i18n.LANGUAGES[code]) for code in languages]
        self.time_zone.choices = time_zones()


class PasswordForm(Form):
    """A new password of one's own."""

    old_password = PasswordField(_l("Current password"), [DataRequired(_l("Enter your current password."))])
    new_password = PasswordField(
        _l("New password"),
        [DataRequired(_l("Enter a new password.")), Length(max=1000, message=_LONG_TEXT)],
        description=_l("At least 12 characters; a few words with spaces between them are fine."),
    )
    again_password = PasswordField(
        _l("New password again"),
        [DataRequired(_l("Enter the new password again.")), EqualTo("new_password", _l("The two are not the same."))],
    )


class AddUserForm(CreatingForm):
    """A new person."""

    name = StringField(_l("Name"), [DataRequired(_l("Enter a name.")), Length(max=200, message=_LONG_TEXT)])
    email = StringField(
        _l("E-mail"), [DataRequired(_l("Enter an e-mail address.")), Length(max=254, message=_LONG_TEXT)]
    )
    roles = RolesField(_l("Roles"), [DataRequired(_l("Choose at least one role."))])


class RolesForm(Form):
    """The roles of a person."""

    roles = RolesField(_l("Roles"), [DataRequired(_l("Choose at least one role."))])


class NewPasswordForm(CreatingForm):
    """A button that gives a person a new temporary password."""


class PartnerForm(CreatingForm):
    """A partner organisation."""

    name = StringField(
        _l("Organisation"),
        [DataRequired(_l("Enter the name of the organisation.")), Length(max=200, message=_LONG_TEXT)],
    )
    country = SelectField(_l("Country"), [DataRequired(_l("Choose a country."))])
    support_email = StringField(
        _l("Support e-mail"),
        [Optional(), Length(max=254, message=_LONG_TEXT)],
        description=_l("Of the operator: mails about support requests go there. Of a partner: for your own reference."),
    )

    def offer(self, countries: Iterable[tuple[str, str]]) -> None:
        """Show these countries."""
        self.country.choices = [("", _("Choose a country")), *countries]
