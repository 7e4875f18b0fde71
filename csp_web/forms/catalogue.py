"""Forms of the operator: a price sheet to import, a day on which a list or policy begins or ends."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, FileField, HiddenField, ValidationError
from wtforms.validators import InputRequired

from csp_web.i18n import gettext
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import Form


class PriceSheetForm(Form):
    """A price sheet."""

    sheet = FileField(
        _l("Price sheet"),
        description=_l("A CSV file as the vendor exports it. Encoding, delimiter and order of columns do not matter."),
    )

    def validate_sheet(self, field: Any) -> None:
        if not field.data or not getattr(field.data, "filename", ""):
            raise ValidationError(gettext("Choose a file."))


class DayForm(Form):
    """The day on which something begins or ends, and which of the two."""

    day = DateField(_l("Day (UTC)"), [InputRequired(_l("Enter a day."))])
    change = HiddenField(default="begin")
