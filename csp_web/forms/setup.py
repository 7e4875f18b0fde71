"""Forms of the first setup: the code, the organisation, the first person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, Email, EqualTo, Length, Optional

from csp_web import i18n
from csp_web.forms.accounts import time_zones
from csp_web.i18n import gettext as _
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import Form

_LONG_TEXT = _l("This is too long.")


class CodeForm(Form):
    """Who types it has access to the server."""

    code = StringField(
        _l("Setup code"),
        [DataRequired(_l("Enter the setup code.")), Length(max=100, message=_LONG_TEXT)],
        description=_l("Capital letters, spaces and dashes make no difference."),
    )


class OrganisationForm(Form):
    """The operator's organisation, and what the first person does besides running it."""

    organisation = StringField(
        _l("Organisation"),
        [DataRequired(_l("Enter the name of the organisation.")), Length(max=200, message=_LONG_TEXT)],
        description=_l("The company that runs this portal."),
    )
    country = SelectField(_l("Country"), [DataRequired(_l("Choose a country."))])
    support_email = StringField(
        _l("Support e-mail"),
        [Optional(), Length(max=254, message=_LONG_TEXT), Email(_l("This is not an e-mail address."))],
        description=_l("Mails about new support requests go there. Without one they go to every support agent."),
    )
    sells = BooleanField(
        _l("We are also the reseller"),
        default=True,
        description=_l("You become an admin agent too: customers, orders, keys and downloads."),
    )
    supports = BooleanField(
        _l("I also answer support requests"),
        default=True,
        description=_l("You become a support agent too: support requests of all partners, approving cancellations."),
    )

    def offer(self, countries: Iterable[tuple[str, str]]) -> None:
        """Show these countries."""
        self.country.choices = [("", _("Choose a country")), *countries]


class FirstUserForm(Form):
    """The first person, with a password of their own."""

    name = StringField(_l("Name"), [DataRequired(_l("Enter a name.")), Length(max=200, message=_LONG_TEXT)])
    email = StringField(
        _l("E-mail"),
        [DataRequired(_l("Enter an e-mail address.")), Length(max=254, message=_LONG_TEXT)],
        description=_l("You sign in with it."),
    )
    language = SelectField(_l("Language"))
    time_zone = SelectField(_l("Time zone"), validate_choice=False, default="UTC")
    password = PasswordField(
        _l("Password"),
        [DataRequired(_l("Enter a new password.")), Length(max=1000, message=_LONG_TEXT)],
        description=_l("At least 12 characters; a few words with spaces between them are fine."),
    )
    again_password = PasswordField(
        _l("Password again"),
        [DataRequired(_l("Enter the new password again.")), EqualTo("password", _l("The two are not the same."))],
    )

    def __init__(self, *args: Any, languages: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language.choices = [(code, i18n.LANGUAGES[code]) for code in languages]
        self.time_zone.choices = time_zones()
