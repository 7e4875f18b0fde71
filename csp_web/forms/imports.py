"""The form to import customers: a sheet, and the country of those whose row names none."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import SelectField, ValidationError

from csp_web.domain.companies.countries import country_names
from csp_web.i18n import gettext, language
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import Form


class CustomerSheetForm(Form):
    """A sheet of customers."""

    sheet = FileField(
        _l("File"),
        description=_l("CSV with the columns Microsoft ID, Company name, Primary domain name and perhaps Country."),
    )
    country = SelectField(_l("Country of rows that name none"), validate_choice=True)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        names = sorted(country_names(language()).items(), key=lambda pair: pair[1])
        self.country.choices = [("", gettext("None: such rows are refused")), *names]

    def validate_sheet(self, field: Any) -> None:
        if not field.data or not getattr(field.data, "filename", ""):
            raise ValidationError(gettext("Choose a file."))
