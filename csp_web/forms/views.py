"""Forms of saved views: their shape only."""

from __future__ import annotations

from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from csp_web.i18n import lazy_gettext as _l
from csp_web.models.views import LONGEST_NAME
from csp_web.web.forms import CreatingForm, Form

_NAME = [
    InputRequired(_l("Give the view a name.")),
    Length(max=LONGEST_NAME, message=_l("At most 60 characters.")),
]
_SHARING = _l("They see it above the list, and cannot change it.")


class SaveViewForm(CreatingForm):
    """What is looked at now, under a name."""

    name = StringField(_l("Name of the view"), _NAME, render_kw={"autocomplete": "off"})
    shared = BooleanField(_l("Share it with my colleagues"), description=_SHARING)
    replace = BooleanField(_l("Replace my view of this name, if there is one"))


class ViewForm(Form):
    """Another name, shared or not."""

    name = StringField(_l("Name of the view"), _NAME, render_kw={"autocomplete": "off"})
    shared = BooleanField(_l("Share it with my colleagues"), description=_SHARING)
