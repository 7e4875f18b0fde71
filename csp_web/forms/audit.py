"""The filters of the activity log."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, SelectField, StringField
from wtforms.validators import Length, Optional, ValidationError

from csp_web.i18n import gettext as _
from csp_web.i18n import lazy_gettext as _l
from csp_web.models import AuditStatus
from csp_web.web.forms import Form

_TOO_LONG = _l("This is too long.")


class LogFilterForm(Form):
    """Which rows to show; everything may be left empty."""

    since = DateField(_l("From"), [Optional()])
    until = DateField(_l("To"), [Optional()])
    customer = StringField(_l("Customer"), [Length(max=254, message=_TOO_LONG)])
    person = StringField(_l("Person"), [Length(max=254, message=_TOO_LONG)])
    operation = SelectField(_l("Action"), default="")
    status = SelectField(_l("Outcome"), default="")

    def __init__(self, *args: Any, operations: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operation.choices = [("", _("All")), *operations]
        names = {AuditStatus.SUCCEEDED: _("done"), AuditStatus.DECLINED: _("refused")}
        self.status.choices = [("", _("All")), *((status.value, name) for status, name in names.items())]

    def validate_until(self, field: Any) -> None:
        """A period ends after it begins."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(_("The last day is before the first."))
