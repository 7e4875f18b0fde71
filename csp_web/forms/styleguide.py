"""The form on the page that shows developers every part: one field of every kind, most of them wrong."""

from __future__ import annotations

from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    MultipleFileField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import DataRequired, Email, Length
from wtforms.widgets import CheckboxInput, ListWidget

from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import Form


class SampleForm(Form):
    """Never sent anywhere."""

    company_name = StringField(_l("Company name"), [DataRequired(_l("Enter the company's name."))])
    email = StringField(_l("E-mail"), [Email(_l("This is not an e-mail address."))])
    password = PasswordField(_l("Password"))
    quantity = IntegerField(_l("Quantity"), description=_l("The company's main domain, like contoso.com."))
    day = DateField(_l("Day (UTC)"))
    country = SelectField(_l("Country"), choices=[SelectChoice("DE", "Deutschland"), SelectChoice("RU", "Россия")])
    impact = RadioField(
        _l("Impact"),
        [DataRequired(_l("Choose one."))],
        choices=[SelectChoice("critical", _l("Critical")), SelectChoice("minimal", _l("Minimal"))],
    )
    roles = SelectMultipleField(
        _l("Roles"),
        choices=[SelectChoice("admin", _l("Admin agent")), SelectChoice("auditor", _l("Auditor"))],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    agreed = BooleanField(_l("Keep the older link"))
    note = TextAreaField(_l("Note"), [Length(min=10)])
    files = MultipleFileField(_l("Add files"))
