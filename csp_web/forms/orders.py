"""Forms of buying: a quantity beside an offer, and the decisions on **Review order**."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Any

from wtforms import BooleanField, HiddenField, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import Length

from csp_web.i18n import gettext
from csp_web.i18n import lazy_gettext as _l
from csp_web.web.forms import CreatingForm

LONGEST_REFERENCE = 100
_SEPARATORS = re.compile(r"[\s\u00a0\u2009\u202f']")


def whole_number(text: str | None) -> int | None:
    """A whole number as people type it ("12", " 1 000 "); None for anything else, and for what no order can hold."""
    tidy = _SEPARATORS.sub("", text or "")
    if not re.fullmatch(r"-?\d{1,9}", tidy):
        return None
    sign = -1 if tidy.startswith("-") else 1
    return sign * int("".join(str(unicodedata.decimal(digit)) for digit in tidy.lstrip("-")))


def no_quantity() -> str:
    """What is said beside a quantity that cannot be read."""
    return gettext("Enter a whole number, for example 5.")


class BuyingForm(CreatingForm):
    """A form that is shown again after it was sent; each time it is another one."""

    _beginning: str | None = None

    @property
    def token(self) -> str:
        """The token that came with the form."""
        return self.form_token.data or ""

    def renew(self, part: str = "") -> str:
        """A new token for showing the form. Forms of one page, told apart by ``part``, share its random beginning: a page
        has fifty of them, and what is random cannot be compressed."""
        if not part or self._beginning is None:
            self._beginning = secrets.token_urlsafe(18)
        self.form_token.data = f"{self._beginning}-{part}" if part else self._beginning
        return self.form_token.data


class AddForm(BuyingForm):
    """An offer and how many of it. The two fields of reservations are checked by the domain, which knows the product."""

    offer = HiddenField(validators=[Length(max=12)])
    quantity = StringField(_l("Quantity"), [Length(max=20)], default="1")
    azure_subscription = StringField(_l("Azure subscription"), [Length(max=60)])
    scope = SelectField(
        _l("Scope"),
        choices=[SelectChoice("single", _l("This subscription")), SelectChoice("shared", _l("All its subscriptions"))],
        default="single",
        validate_choice=False,
    )

    def validate_quantity(self, field: Any) -> None:
        if whole_number(field.data) is None:
            raise ValidationError(no_quantity())

    @property
    def number(self) -> int:
        """The quantity of a form that was checked."""
        return whole_number(self.quantity.data) or 0


class PlaceForm(BuyingForm):
    """The decisions on **Review order**."""

    version = HiddenField(default="0")
    reference = StringField(
        _l("Your reference"),
        [Length(max=LONGEST_REFERENCE)],
        description=_l("For example your purchase order number. It is printed on the order."),
    )
    only_possible = BooleanField(_l("Order the lines that can be ordered"))
    accept_prices = BooleanField(_l("Order at the prices shown now"))

    @property
    def seen_version(self) -> int:
        """The cart's version when the page was rendered; 0, which no cart has, for what cannot be read."""
        return whole_number(self.version.data) or 0
