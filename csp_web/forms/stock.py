"""Forms about the stock of keys: their shape only."""

from __future__ import annotations

import re

from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import Form

REASON, ENDINGS = 500, 20_000
FILL_IN = _l("Fill this in.")
TOO_LONG = _l("At most 500 characters.")
_LONGER = re.compile(r"[A-Za-z0-9][A-Za-z0-9\u2010-\u2015-]{5,}")


class ThresholdForm(Form):
    """At how many free keys the operator is told."""

    low_at = IntegerField(
        _l("Low at"),
        [InputRequired(_l("A whole number."))],
        description=_l("When so few keys are free, operator admins get a mail."),
        render_kw={"inputmode": "numeric"},
    )


def only_endings(typed: str | None) -> str | None:
    """What was typed, with the last five characters of every key that stands there whole: the page shows no more (D11)."""
    return _LONGER.sub(lambda found: found[0][-5:], typed) if typed else typed


class QuarantineForm(Form):
    """Free keys that nobody shall get."""

    endings = TextAreaField(
        _l("Last five characters"),
        [InputRequired(FILL_IN), Length(max=ENDINGS)],
        filters=[only_endings],
        description=_l("Of each key, on lines of their own or with commas between."),
        render_kw={"rows": 3, "autocomplete": "off", "spellcheck": "false"},
    )
    reason = StringField(_l("Reason"), [InputRequired(FILL_IN), Length(max=REASON, message=TOO_LONG)])


class ReleaseForm(Form):
    """Why a quarantined key goes back to stock."""

    reason = StringField(_l("Reason"), [InputRequired(FILL_IN), Length(max=REASON, message=TOO_LONG)])


class ReplacementForm(Form):
    """What is wrong with a key."""

    reason = StringField(
        _l("What is wrong with it"),
        [InputRequired(_l("Say what is wrong with the key.")), Length(max=REASON, message=TOO_LONG)],
        id="replacement-reason",
    )
