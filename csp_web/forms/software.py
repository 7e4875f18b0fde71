"""Forms of keys, downloads, stock and files: their shape only."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length, NumberRange

from csp_web.i18n import LANGUAGES
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import CreatingForm, Form

LARGEST_ID = 2**63 - 1
NOTE = 1000
NAME, REASON, RECIPIENT, SHOWING = 100, 500, 200, 200
PASTED = 2_000_000


class HandoverForm(CreatingForm):
    """**Get keys and downloads** on one file; for whom, and whether that person's older link lives on."""

    option = IntegerField(validators=[InputRequired(), NumberRange(1, LARGEST_ID)])
    recipient = StringField(_l("For whom"), [Length(max=RECIPIENT, message=_l("At most 200 characters."))])
    keep_old = BooleanField(_l("Keep the older link"))


class LetterForm(CreatingForm):
    """**Send link**: to whom, in which language, and a word besides."""

    email = StringField(
        _l("E-mail"), [InputRequired(_l("Fill this in."))], render_kw={"type": "email", "autocomplete": "off"}
    )
    language = SelectField(
        _l("Language of the mail"), choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()]
    )
    note = TextAreaField(
        _l("Note (optional)"),
        [Length(max=NOTE, message=_l("At most 1,000 characters."))],
        description=_l("Stands above the link. Never write a product key into a mail."),
        render_kw={"rows": 4},
    )


class DirectForm(CreatingForm):
    """A button that opens a download in advance."""


class KeyForm(Form):
    """A key of a version, for products without files."""

    entitlement = IntegerField(validators=[InputRequired(), NumberRange(1, LARGEST_ID)])
    version = StringField(validators=[InputRequired(), Length(max=NAME)])


class ShowKeyForm(Form):
    """**Show key**: the password, where it was not typed lately, and what for."""

    password = PasswordField(_l("Password"), id="show-password", render_kw={"autocomplete": "current-password"})
    reason = StringField(
        _l("Reason (optional)"),
        id="show-reason",
        validators=[Length(max=SHOWING, message=_l("At most 200 characters."))],
        description=_l("For the activity log, like a ticket’s number."),
        render_kw={"autocomplete": "off"},
    )


class KeyImportForm(Form):
    """Keys as a file or pasted. The field's name ends in "product_keys": forms kept from ended sessions leave it out."""

    file = FileField(_l("File"), description=_l("CSV with the columns ProductId, SkuId, Version, ProductKey."))
    product_keys = TextAreaField(
        _l("Or paste the table"),
        [Length(max=PASTED, message=_l("This is too much to paste. Send a file."))],
        description=_l("Include the header row with the column names."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class FileForm(CreatingForm):
    """A file of a product: what it is, and whether it takes the place of the one that is offered now."""

    product = SelectField(_l("Product"), coerce=int)
    version = StringField(
        _l("Version"),
        [InputRequired(_l("Fill this in.")), Length(max=NAME)],
        description=_l("Like Windows Server 2025."),
    )
    language = StringField(
        _l("Language"), [InputRequired(_l("Fill this in.")), Length(max=NAME)], description=_l("Like English (en-US).")
    )
    file_type = StringField(
        _l("File type/OS"), [InputRequired(_l("Fill this in.")), Length(max=NAME)], description=_l("Like 64 Bit, ISO.")
    )
    file = FileField(_l("File"))
    signature = FileField(_l("Detached signature"), description=_l("Optional: .asc or .sig, up to 64 KB."))
    sha256 = StringField(
        _l("Expected SHA-256"),
        [Length(max=400)],
        description=_l("Optional: what its maker says it is. A file with another sum is not offered."),
        render_kw={"autocomplete": "off"},
    )
    replace = BooleanField(_l("Replace the file that is offered under these names now"))

    def __init__(self, products: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(**more)
        self.product.choices = products


class WithdrawalForm(Form):
    """Why a file is offered no longer."""

    reason = StringField(
        _l("Reason"), [InputRequired(_l("Say why; people with a link to this file will read it.")), Length(max=REASON)]
    )
