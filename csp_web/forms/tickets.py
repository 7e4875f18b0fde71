"""Forms of support requests: their shape only; facts are checked against the records by the domain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import DataRequired, Email

from csp_web.i18n import format_number, gettext
from csp_web.i18n import lazy_gettext as _l
from csp_web.models import Impact
from csp_web.web.forms import CreatingForm

TITLE, DESCRIPTION, REASON, SHORT, NAME, EMAIL, PHONE = 200, 20_000, 2_000, 300, 200, 254, 40
EXTRA_FIELDS = ("customer", "order_or_subscription", "refund_reason", "amount", "version", "error_message")
_KEY = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){4}(?![A-Za-z0-9])")


class ChosenType(Protocol):
    """What a form needs to know of a type of problem."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> tuple[str, ...]: ...
    @property
    def is_refund(self) -> bool: ...


class AtMost:
    """Refuse a longer text, and say both lengths: people shorten what they can measure."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, _form: Any, field: Any) -> None:
        length = len(field.data or "")
        if length > self.most:
            most, has = format_number(self.most), format_number(length)
            raise ValidationError(
                gettext("At most %(most)s characters fit here; this text has %(has)s.", most=most, has=has)
            )


def no_product_key(_form: Any, field: Any) -> None:
    """Keys are shown in one place only: a ticket is read by many and is mailed."""
    if _KEY.search(field.data or ""):
        raise ValidationError(
            gettext("This holds a product key. Leave it out; its last five characters are enough to find it.")
        )


def _text(label: Any, most: int, *checks: Any, **more: Any) -> StringField:
    return StringField(label, [*checks, AtMost(most), no_product_key], **more)


def _area(label: Any, most: int, *checks: Any, **more: Any) -> TextAreaField:
    return TextAreaField(label, [*checks, AtMost(most), no_product_key], render_kw={"rows": 4}, **more)


class FilesForm(CreatingForm):
    """A form to which files can be added; those already kept can be dropped again."""

    files = MultipleFileField(_l("Add files"))
    drop = Field()

    @property
    def dropped(self) -> list[int]:
        """The ids of kept files that were ticked for removal."""
        return [
            int(text)
            for text in self.drop.raw_data or ()
            if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19
        ]

    @property
    def uploads(self) -> list[Any]:
        """What was chosen; browsers send an empty part when nothing was."""
        return [file for file in self.files.data or () if getattr(file, "filename", "")]


class TicketForm(FilesForm):
    """**Report a problem**: details with the type's own fields, contact, files (R37-R43)."""

    problem_type = SelectField(_l("Type of problem"), validate_choice=False)
    impact = SelectField(
        _l("Impact"),
        choices=[
            SelectChoice(Impact.CRITICAL.value, _l("Critical")),
            SelectChoice(Impact.MODERATE.value, _l("Moderate")),
            SelectChoice(Impact.MINIMAL.value, _l("Minimal")),
        ],
        default=Impact.MINIMAL.value,
        validate_choice=False,
        description=_l("First answer within 2 hours when critical, 4 when moderate, 8 when minimal."),
    )
    title = _text(_l("Title"), TITLE, DataRequired(_l("Say in a few words what it is about.")))
    customer = _text(_l("Customer domain or GUID"), SHORT, description=_l("Like contoso.com."))
    order_or_subscription = _text(
        _l("Order ID or subscription ID"), SHORT, description=_l("The whole order, or one line of it.")
    )
    line = RadioField(_l("Line of the order"), choices=[], validate_choice=False)
    refund_reason = _area(_l("Refund reason"), REASON, description=_l("A sentence or two."))
    amount = _text(_l("Amount requested"), SHORT)
    version = _text(_l("Product version"), SHORT)
    error_message = _area(_l("Error message"), REASON)
    description = _area(
        _l("Description"),
        DESCRIPTION,
        description=_l(
            "What happened, and what you expected. For a refund it may stay empty: it is then written from the facts above."
        ),
    )
    prefilled = HiddenField(validators=[AtMost(DESCRIPTION)])
    contact_name = _text(_l("Name"), NAME, DataRequired(_l("Enter the name of the person to ask for.")))
    contact_email = _text(
        _l("E-mail"), EMAIL, DataRequired(_l("Enter an e-mail address.")), Email(_l("This is not an e-mail address."))
    )
    contact_phone = _text(_l("Phone"), PHONE)

    def __init__(self, types: Sequence[ChosenType], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.types = {each.code: each for each in types}
        self.problem_type.choices = [
            SelectChoice("", _l("Choose a type")),
            *(SelectChoice(each.code, each.name) for each in types),
        ]
        self._mark_required()

    def _mark_required(self) -> None:
        """Show which fields the chosen type cannot do without."""
        asked = self.chosen.fields if self.chosen is not None and self.chosen.is_refund else ()
        for name in ("problem_type", "impact", *asked):
            self[name].flags.required = True

    def offer_lines(self, lines: Iterable[tuple[str, str]]) -> None:
        """The lines of the order that was typed, id and words, when it has several."""
        self.line.choices = [SelectChoice(value, words) for value, words in lines]

    @property
    def chosen(self) -> ChosenType | None:
        """The type of problem that is chosen now."""
        return self.types.get(self.problem_type.data or "")

    @property
    def facts(self) -> dict[str, str]:
        """The extra fields of the chosen type, as they were typed."""
        return {name: self[name].data or "" for name in (self.chosen.fields if self.chosen else ())}

    def validate(self, extra_validators: Any = None) -> bool:
        """Every field's own shape, and what the chosen type asks for."""
        fits = super().validate(extra_validators)
        for name, sentence in self._missing():
            self[name].errors = [*self[name].errors, sentence]
            fits = False
        return fits

    def _missing(self) -> list[tuple[str, str]]:
        if self.impact.data not in set(Impact):
            return [("impact", gettext("Choose an impact."))]
        if self.chosen is None:
            return [("problem_type", gettext("Choose a type of problem."))]
        if not self.chosen.is_refund:
            empty = not (self.description.data or "").strip()
            return [("description", gettext("Describe the problem."))] if empty else []
        asked = {
            "customer": gettext("Enter the customer's domain or GUID."),
            "order_or_subscription": gettext("Enter the ID of the order or subscription."),
            "refund_reason": gettext("Say why the customer should get a refund."),
            "amount": gettext("Enter an amount."),
        }
        return [(name, text) for name, text in asked.items() if not (self[name].data or "").strip()]


class NoteForm(FilesForm):
    """**Reply** or **Internal note**."""

    text = _area(_l("Your reply"), DESCRIPTION, DataRequired(_l("Write something first.")))


class DecisionForm(CreatingForm):
    """**Approve cancellation**: a word to the partner, if support wants to add one."""

    note = _area(_l("Note to the partner"), REASON)


class RefusalForm(CreatingForm):
    """**Decline**: the partner is told why."""

    reason = _area(
        _l("Reason for declining"), REASON, DataRequired(_l("Say why, so that the partner knows what to do."))
    )
    close = BooleanField(_l("Close the request as well"))
