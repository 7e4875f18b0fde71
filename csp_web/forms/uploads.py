"""Forms of installer files that go up in pieces: their shape only."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from csp_web.forms.software import LARGEST_ID, FileForm
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import Form

LONGEST_NAME, LONGEST_SUM = 500, 400


class LocalFileFields(Form):
    """What a script says of the file that was chosen: its facts and its first bytes."""

    file_name = StringField(validators=[InputRequired(), Length(max=LONGEST_NAME)])
    size = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])
    modified = IntegerField(validators=[InputRequired(), NumberRange(-LARGEST_ID, LARGEST_ID)])
    head = FileField()


class BeginningForm(FileForm, LocalFileFields):
    """Everything of the plain form but the file itself."""


class GoingOnForm(LocalFileFields):
    """The same file, chosen again."""

    file = FileField(_l("File"))


class FinishingForm(Form):
    """What may be said anew when the whole file is there: the sum was mistyped, another file has come meanwhile."""

    sha256 = StringField(_l("Expected SHA-256"), [Length(max=LONGEST_SUM)], render_kw={"autocomplete": "off"})
    replace = BooleanField(_l("Replace the file that is offered under these names now"))
