"""What a country asks of a customer's name and address, and the countries' names.

The checks are those of the original: state, postal code and city where the country has them, a phone number
that exists, and registration number and phone in the 24 countries that oblige the seller to keep them.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import phonenumbers
from babel import Locale

from csp_web.domain.companies import country_data as data
from csp_web.i18n import gettext as _
from csp_web.identifiers import fold, has_control_characters

# Babel also names groups, private-use codes and places that ISO 3166 only reserves.
_NOT_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
_ANY_POSTAL_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,14}[A-Z0-9])?")
_LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class CountryRules:
    """What an address in one country needs. `states` are (code, name); empty where none is asked for."""

    code: str
    states: tuple[tuple[str, str], ...]
    postal_code_required: bool
    postal_code_shapes: tuple[str, ...]
    postal_code_example: str
    city_required: bool
    calling_code: int | None
    registration_number_required: bool

    @property
    def state_required(self) -> bool:
        """Whether a state must be chosen (US, CA, AU, BR)."""
        return bool(self.states)

    @property
    def phone_required(self) -> bool:
        """Whether a phone number is obligatory: where the registration number is, so is the phone."""
        return self.registration_number_required


@cache
def country_codes() -> frozenset[str]:
    """The ISO 3166 codes of all countries and territories, and XK for Kosovo."""
    codes = (code for code in map(str, Locale.parse("en").territories) if len(code) == 2 and code.isalpha())
    return frozenset(codes) - _NOT_COUNTRIES


def is_country(code: str) -> bool:
    """Whether `code` (upper case) is the ISO 3166 code of a country or territory."""
    return code in country_codes()


@cache
def territories(locale: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of every country in the language of `locale`, in that language's order."""
    names = Locale.parse(locale).territories
    return tuple(sorted(((code, names[code]) for code in country_codes()), key=lambda pair: _sort_key(pair[1])))


def _sort_key(name: str) -> str:
    """Latin letters sort without their marks (Åland at A); й is a letter of its own, ё sorts as е."""
    folded = fold(name)
    return "".join(unicodedata.normalize("NFD", ch)[0] if ch < "\u0400" else ch for ch in folded)


def country_name(code: str, locale: str) -> str:
    """The country's name in the language of `locale`; the code itself when there is no such country."""
    return country_names(locale).get(code, code)


@cache
def country_names(locale: str) -> Mapping[str, str]:
    """The names of all countries by code, in the language of `locale`."""
    return dict(territories(locale))


@cache
def _rules() -> dict[str, CountryRules]:
    return {code: _assemble(code) for code in country_codes()}


def rules_for(code: str) -> CountryRules:
    """The rules of a country; ValueError with a sentence when there is none of that code."""
    rules = _rules().get(code)
    if rules is None:
        raise ValueError(_("Choose a country."))
    return rules


def _assemble(code: str) -> CountryRules:
    shapes = tuple(data.POSTAL_CODES.get(code, "").split("|")) if code in data.POSTAL_CODES else ()
    return CountryRules(
        code=code,
        states=tuple(_state(entry) for entry in data.STATES[code].split("|")) if code in data.STATES else (),
        postal_code_required=bool(shapes) and code not in data.POSTAL_CODE_OPTIONAL,
        postal_code_shapes=shapes,
        postal_code_example=data.POSTAL_CODE_EXAMPLES.get(code) or _example(shapes),
        city_required=code not in data.NO_CITY,
        calling_code=phonenumbers.country_code_for_region(code) or None,
        registration_number_required=code in data.REGISTRATION_NUMBER_REQUIRED,
    )


def _state(entry: str) -> tuple[str, str]:
    code, _blank, name = entry.partition(" ")
    return code, name


def _example(shapes: tuple[str, ...]) -> str:
    digits = iter("123456789" * 2)
    return re.sub("#", lambda _match: next(digits), shapes[0].replace("@", "A")) if shapes else ""


def normalize_state(country: str, text: str) -> str:
    """The state's code, from its code or name in any case; ValueError where the country has states and this is none."""
    typed = fold(text)
    rules = rules_for(country)
    for code, name in rules.states:
        if typed in (code.casefold(), fold(name)):
            return code
    if not rules.state_required:
        return text.strip()
    if typed:
        raise ValueError(_("“%(state)s” is not a state of this country. Choose one from the list.", state=text[:40]))
    raise ValueError(_("Choose a state."))


def normalize_postal_code(country: str, text: str) -> str:
    """The postal code as the country writes it ("sw1a1aa" -> "SW1A 1AA"); ValueError with an example otherwise."""
    rules = rules_for(country)
    typed = " ".join(unicodedata.normalize("NFKC", text).upper().split())
    if not typed and rules.postal_code_required:
        raise ValueError(_("Enter the postal code, for example %(example)s.", example=rules.postal_code_example))
    if not typed or (not rules.postal_code_shapes and _ANY_POSTAL_CODE.fullmatch(typed)):
        return typed
    for shape in rules.postal_code_shapes:
        if _fits(re.sub("[ -]", "", typed), shape):
            return _written(re.sub("[ -]", "", typed), shape)
    raise ValueError(_bad_postal_code(typed, rules))


def _fits(code: str, shape: str) -> bool:
    return re.fullmatch(_pattern(shape), code) is not None


@cache
def _pattern(shape: str) -> str:
    return re.sub("[ -]", "", shape).replace("#", "[0-9]").replace("@", "[A-Z]")


def _written(code: str, shape: str) -> str:
    letters = iter(code)
    return "".join(mark if mark in " -" else next(letters) for mark in shape)


def _bad_postal_code(typed: str, rules: CountryRules) -> str:
    if not rules.postal_code_shapes:
        return _("“%(code)s” is not a postal code.", code=typed[:20])
    return _(
        "“%(code)s” is not a postal code of this country. Write it like %(example)s.",
        code=typed[:20],
        example=rules.postal_code_example,
    )


def normalize_phone(text: str, country: str) -> str:
    """The phone number in E.164 ("+74951234567"); ValueError with an example when no such number can exist.

    Takes the number as it is dialled inside the country, or the international form of any country.
    """
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise ValueError(_bad_phone(country)) from None
    if number.extension:
        raise ValueError(_("Enter the phone number without an extension."))
    if not phonenumbers.is_valid_number(number):
        raise ValueError(_bad_phone(country))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _bad_phone(country: str) -> str:
    number = phonenumbers.example_number(country)
    if number is None:
        return _("This is not a phone number. Write it with + and the country code.")
    example = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return _("This is not a phone number. Write it with + and the country code, like %(example)s.", example=example)


def address_problems(
    country: str,
    *,
    line1: str = "",
    city: str = "",
    state: str = "",
    postal_code: str = "",
    phone: str = "",
    registration_number: str = "",
) -> dict[str, str]:
    """A sentence per field of an address that does not fit the country; empty when all is well."""
    if not is_country(country):
        return {"country": _("Choose a country.")}
    rules = rules_for(country)
    found = {
        "line1": _line_problem(line1, required=True, missing=_("Enter the street address.")),
        "city": _line_problem(city, required=rules.city_required, missing=_("Enter the city.")),
        "state": _refusal_of(normalize_state, country, state),
        "postal_code": _refusal_of(normalize_postal_code, country, postal_code),
        "phone": _phone_problem(rules, phone),
        "registration_number": _registration_problem(rules, registration_number),
    }
    return {field: sentence for field, sentence in found.items() if sentence}


def _line_problem(text: str, *, required: bool, missing: str) -> str:
    if not text.strip():
        return missing if required else ""
    if len(text) > _LONGEST_LINE:
        return _("At most %(count)s characters.", count=_LONGEST_LINE)
    if has_control_characters(text):
        return _("This text contains characters that cannot be printed. Type it again.")
    return ""


def _refusal_of(normalize: Callable[[str, str], str], country: str, text: str) -> str:
    try:
        normalize(country, text)
    except ValueError as refusal:
        return str(refusal)
    return ""


def _phone_problem(rules: CountryRules, phone: str) -> str:
    if phone.strip():
        return _refusal_of(lambda country, text: normalize_phone(text, country), rules.code, phone)
    return _("A phone number is required in this country.") if rules.phone_required else ""


def _registration_problem(rules: CountryRules, number: str) -> str:
    if number.strip() and not any(ch.isdecimal() for ch in number):
        return _("A registration number contains digits.")
    return _line_problem(
        number,
        required=rules.registration_number_required,
        missing=_("The organization registration number is required in this country."),
    )
