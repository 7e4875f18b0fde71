"""The base of every form: languages, the token against double sending, and what was kept from an ended session."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from typing import Any

from flask import g, request
from flask_wtf import FlaskForm
from wtforms import HiddenField, ValidationError
from wtforms.i18n import get_translations
from wtforms.meta import DefaultMeta

from csp_web.i18n import gettext, language, plural_form

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Texts:
    """Gives WTForms' own messages our two languages: from our catalogue, else from the one that WTForms brings."""

    def gettext(self, message: str) -> str:
        ours = gettext(message)
        return ours if ours != message else str(_brought(language()).gettext(message))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        ours = plural_form(singular, plural, n)
        return ours if ours not in {singular, plural} else str(_brought(language()).ngettext(singular, plural, n))


@lru_cache
def _brought(code: str) -> Any:
    return get_translations([code])


_TEXTS = Texts()


class Form(FlaskForm):
    """A form. It is filled from what was sent, else from what an ended session kept, else from the object."""

    class Meta(FlaskForm.Meta):
        csrf = False  # the gate checks the token of every form, not each form its own

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            kept = g.get("kept")
            if kept is not None and request.method == "GET":
                return kept
            return super().wrap_formdata(form, formdata)

        def get_translations(self, form: Any) -> Texts:
            return _TEXTS

        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Any:
            """No field takes characters that no keyboard types: databases refuse NUL, pages cannot show the others."""
            field = DefaultMeta.bind_field(self, form, unbound_field, options)
            field.validators = (*field.validators, no_control_characters)
            return field

    @property
    def problems(self) -> dict[str, str]:
        """The first sentence of every field that has one."""
        return {name: str(errors[0]) for name, errors in self.errors.items() if name and errors}

    def take(self, problems: dict[str, str]) -> None:
        """Show sentences that the domain said beside the fields that they are about."""
        for name, sentence in problems.items():
            field = self._fields.get(name)
            if field is not None:
                field.errors = [*field.errors, sentence]
            else:
                self.form_errors.append(sentence)


class CreatingForm(Form):
    """A form that makes something: it carries a token made when the page was rendered (see ``domain.once``)."""

    form_token = HiddenField(default=lambda: secrets.token_urlsafe(18))

    @property
    def sent_token(self) -> str:
        """The token that came with the form; empty when there was none, or one that no page made."""
        sent = (self.form_token.raw_data or [""])[0]  # not the default: a form without its token is not a new one
        return sent if re.fullmatch(r"[A-Za-z0-9_-]{16,64}", sent) else ""

    def validate_form_token(self, _field: Any) -> None:
        if not self.sent_token:
            raise ValidationError(gettext("The form is incomplete. Open the page again."))

    @property
    def content(self) -> dict[str, Any]:
        """What was entered, for telling the same form from another one."""
        return {name: value for name, value in self.data.items() if name != "form_token"}


def no_control_characters(_form: Any, field: Any) -> None:
    """Refuse NUL and its like in texts."""
    if isinstance(field.data, str) and _FORBIDDEN.search(field.data):
        raise ValidationError(gettext("This text contains characters that cannot be stored. Type it again."))
