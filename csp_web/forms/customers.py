"""The form of a customer."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import DataRequired, Email, Length, Optional

from csp_web import i18n
from csp_web.domain.companies.countries import territories
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import CreatingForm


class CustomerForm(CreatingForm):
    """Company, address and contact. What the country asks for is checked by the domain."""

    company_name = StringField(_l("Company name"), [DataRequired(_l("Enter the company's name.")), Length(max=200)])
    domain = StringField(
        _l("Domain"),
        [DataRequired(_l("Enter the customer's domain.")), Length(max=253)],
        description=_l("The company's main domain, like contoso.com."),
    )
    country = SelectField(_l("Country"), [DataRequired(_l("Choose a country."))])
    guid = StringField(
        _l("Microsoft ID"),
        [Length(max=60)],
        description=_l("The GUID of the customer's tenant. Left empty, one is made."),
    )
    line1 = StringField(_l("Street address"), [Length(max=200)])
    line2 = StringField(_l("Address line 2"), [Length(max=200)])
    postal_code = StringField(_l("Postal code"), [Length(max=20)])
    city = StringField(_l("City"), [Length(max=100)])
    state = StringField(_l("State"), [Length(max=60)])
    registration_number = StringField(_l("Registration number"), [Length(max=60)])
    first_name = StringField(_l("First name"), [Length(max=50)])
    last_name = StringField(_l("Last name"), [Length(max=50)])
    email = StringField(_l("E-mail"), [Optional(), Length(max=254), Email(_l("This is not an e-mail address."))])
    phone = StringField(_l("Phone"), [Length(max=40)])
    language = SelectField(
        _l("Language of mails"),
        choices=[SelectChoice(code, name) for code, name in i18n.LANGUAGES.items()],
        default="en",
    )
    version = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = [
            SelectChoice("", _l("Choose a country")),
            *(SelectChoice(code, name) for code, name in territories(i18n.language())),
        ]
