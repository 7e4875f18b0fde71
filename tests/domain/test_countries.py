"""Country-driven checks of a customer's name, address and phone (R13: the customer's country decides)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.domain.companies.company_names import company_name_doubts, company_name_problems
from csp_web.domain.companies.countries import (
    address_problems,
    country_codes,
    country_name,
    is_country,
    normalize_phone,
    normalize_postal_code,
    normalize_state,
    rules_for,
    territories,
)
from csp_web.domain.companies.country_data import (
    POSTAL_CODE_EXAMPLES,
    POSTAL_CODES,
    REGISTRATION_NUMBER_REQUIRED,
    STATES,
)

GOOD_ADDRESSES = {
    "US": ("Redmond", "WA", "98052-6399", "(425) 555-0100", ""),
    "GB": ("London", "", "SW1A 1AA", "020 7946 0958", ""),
    "DE": ("Berlin", "", "10115", "030 123456", ""),
    "CH": ("Zürich", "", "8001", "+41 44 668 18 00", ""),
    "JP": ("東京", "", "100-0001", "03-1234-5678", ""),
    "KW": ("Kuwait City", "", "", "+965 2222 3333", ""),
    "RU": ("Москва", "", "101000", "8 495 123-45-67", "7707083893"),
    "KZ": ("Алматы", "", "050000", "+7 727 250 00 00", "940140000385"),
    "BR": ("São Paulo", "SP", "01310-100", "(11) 2345-6789", "11.222.333/0001-81"),
    "TR": ("İstanbul", "", "34000", "0212 345 67 89", "1234567890"),
    "KR": ("서울", "", "04524", "02-312-3456", ""),
    "HK": ("", "", "", "2123 4567", ""),
}


@pytest.mark.parametrize("country", GOOD_ADDRESSES)
def test_addresses_that_exist_are_taken(country: str) -> None:
    city, state, postal_code, phone, number = GOOD_ADDRESSES[country]
    problems = address_problems(
        country,
        line1="1 Main St",
        city=city,
        state=state,
        postal_code=postal_code,
        phone=phone,
        registration_number=number,
    )
    assert problems == {}


@pytest.mark.parametrize("country", ["", "us", "XX", "ZZ", "EU", "UN", "USA", "DE\0"])
def test_a_country_must_be_one(country: str) -> None:
    assert address_problems(country) == {"country": "Choose a country."}
    assert not is_country(country)
    with pytest.raises(ValueError, match="Choose a country"):
        rules_for(country)


def test_an_empty_address_names_every_field_that_the_country_asks_for() -> None:
    assert set(address_problems("US")) == {"line1", "city", "state", "postal_code"}
    assert set(address_problems("RU")) == {"line1", "city", "postal_code", "phone", "registration_number"}
    assert set(address_problems("KW")) == {"line1", "city"}
    assert set(address_problems("HK")) == {"line1"}


def test_registration_number_and_phone_are_obligatory_in_24_countries() -> None:
    obliged = {code for code in country_codes() if rules_for(code).registration_number_required}
    assert obliged == REGISTRATION_NUMBER_REQUIRED
    assert len(obliged) == 24
    for code in obliged:
        assert {"phone", "registration_number"} <= set(address_problems(code))


def test_every_country_has_rules_whose_example_is_taken() -> None:
    assert len(country_codes()) == 250
    for code in country_codes():
        rules = rules_for(code)
        if rules.postal_code_example:
            assert normalize_postal_code(code, rules.postal_code_example) == rules.postal_code_example
        assert rules.postal_code_example or not rules.postal_code_required


def test_the_tables_name_countries_only() -> None:
    for table in (POSTAL_CODES, POSTAL_CODE_EXAMPLES, STATES, REGISTRATION_NUMBER_REQUIRED):
        assert set(table) <= country_codes()


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", " m1  1ae ", "M1 1AE"),
        ("CA", "k1a-0b1", "K1A 0B1"),
        ("US", "98052", "98052"),
        ("US", "980526399", "98052-6399"),
        ("JP", "１００－０００１", "100-0001"),
        ("JP", "1000001", "100-0001"),
        ("PL", "00950", "00-950"),
        ("BR", "01310100", "01310-100"),
        ("NL", "1012ab", "1012 AB"),
        ("LV", "lv1010", "LV-1010"),
        ("LV", "1010", "1010"),
        ("IE", "d02x285", "D02 X285"),
        ("KW", "", ""),
        ("AE", "00000", "00000"),
        ("FK", "FIQQ 1ZZ", "FIQQ 1ZZ"),
    ],
)
def test_postal_codes_are_written_as_the_country_does(country: str, typed: str, kept: str) -> None:
    assert normalize_postal_code(country, typed) == kept


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("US", "9805"),
        ("US", "98O52"),
        ("DE", "1011"),
        ("DE", "D-10115"),
        ("GB", "SW1A"),
        ("CH", "80001"),
        ("RU", "10100"),
        ("KZ", "5000"),
        ("AE", "<b>"),
        ("FK", "x" * 17),
    ],
)
def test_a_wrong_postal_code_is_refused(country: str, typed: str) -> None:
    with pytest.raises(ValueError, match="is not a postal code"):
        normalize_postal_code(country, typed)


def test_the_refusal_shows_how_the_country_writes_it() -> None:
    assert "SW1A 1AA" in address_problems("GB", postal_code="nowhere")["postal_code"]
    assert "10115" in address_problems("DE")["postal_code"]


@pytest.mark.parametrize(
    ("country", "typed", "code"),
    [
        ("US", "wa", "WA"),
        ("US", " washington ", "WA"),
        ("AU", "NSW", "NSW"),
        ("BR", "São Paulo", "SP"),
        ("CA", "QUEBEC", "QC"),
        ("DE", " Bayern ", "Bayern"),
    ],
)
def test_states(country: str, typed: str, code: str) -> None:
    assert normalize_state(country, typed) == code


def test_states_that_are_none() -> None:
    with pytest.raises(ValueError, match="not a state"):
        normalize_state("US", "ZZ")
    with pytest.raises(ValueError, match="Choose a state"):
        normalize_state("CA", " ")
    assert {code: len(rules_for(code).states) for code in ("US", "CA", "AU", "BR")} == {
        "US": 59,
        "CA": 13,
        "AU": 8,
        "BR": 27,
    }
    assert rules_for("US").state_required
    assert not rules_for("DE").state_required


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("+7 495 1234567", "US", "+74951234567"),
        ("030 123456", "DE", "+4930123456"),
        ("0044 20 7946 0958", "DE", "+442079460958"),
        ("+41 44 668 18 00", "AQ", "+41446681800"),
    ],
)
def test_phones_are_kept_in_one_form(typed: str, country: str, kept: str) -> None:
    assert normalize_phone(typed, country) == kept


@pytest.mark.parametrize("typed", ["123", "call me", "", "+", "+999 1234567", "1" * 300, "\0", "0" * 12, "😀"])
def test_what_is_no_phone_number_gets_an_example(typed: str) -> None:
    with pytest.raises(ValueError, match=r"not a phone number.*\+49"):
        normalize_phone(typed, "DE")


def test_phones_with_more_than_the_number() -> None:
    with pytest.raises(ValueError, match="extension"):
        normalize_phone("+49 30 123456 ext. 7", "DE")
    with pytest.raises(ValueError, match="not a phone number"):
        normalize_phone("123", "AQ")


def test_lines_have_a_length_and_no_control_characters() -> None:
    problems = address_problems("KW", line1="x" * 201, city="a\0b")
    assert problems["line1"] == "At most 200 characters."
    assert "cannot be printed" in problems["city"]
    assert address_problems("DE", line1="x", city="y", postal_code="10115", registration_number="none")


def test_countries_are_named_and_sorted_in_the_language() -> None:
    english, russian = territories("en"), territories("ru")
    assert len(english) == len(russian) == 250
    assert [name for _code, name in english][:3] == ["Afghanistan", "Åland Islands", "Albania"]
    names = [name for _code, name in russian]
    assert names.index("Индия") < names.index("Испания") < names.index("Йемен") < names.index("Кабо-Верде")
    assert territories("ru") is russian
    assert country_name("DE", "ru") == "Германия"
    assert country_name("XK", "en") == "Kosovo"
    assert country_name("??", "en") == "??"


def test_calling_codes() -> None:
    assert (rules_for("RU").calling_code, rules_for("KZ").calling_code, rules_for("GB").calling_code) == (7, 7, 44)
    assert rules_for("AQ").calling_code is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter the company name"),
        (" \u00a0 ", "Enter the company name"),
        ("A", "more than one character"),
        (" Ж ", "more than one character"),
        ("***", "special characters only"),
        ("😀😀", "special characters only"),
        ("LLC", "only a legal form"),
        ("L.L.C.", "only a legal form"),
        ("Inc.", "only a legal form"),
        ("Co., Ltd.", "only a legal form"),
        ("ООО", "only a legal form"),
        ("«ТОО»", "only a legal form"),
        ("A.Ş.", "only a legal form"),
        ("Sp. z o.o.", "only a legal form"),
        ("株式会社", "only a legal form"),
        ("Con\0toso", "cannot be printed"),
        ("Con\ntoso", "cannot be printed"),
    ],
)
def test_names_that_no_company_has(name: str, sentence: str) -> None:
    assert [sentence in problem for problem in company_name_problems(name)] == [True]


@pytest.mark.parametrize(
    "name",
    ["Contoso", "3M", "HP", "Humongous Insurance, Inc.", "Датум Логистика", "ООО «Ромашка»", "Proseware 日本", "Қазына Сауда",
     "Wingtip “Quoted” Toys", "City Power & Light", "Zoo"],
)  # fmt: skip
def test_names_of_companies(name: str) -> None:
    assert company_name_problems(name) == []
    assert company_name_doubts(name) == []


def test_names_that_look_like_a_slip() -> None:
    assert company_name_doubts("contoso.com") == ["The name ends like a domain."]
    assert company_name_doubts("Contooooso") == ["The name repeats a character three times or more."]
    assert company_name_doubts("C o n t o s o") == ["The name consists of single characters."]


@given(st.text(max_size=40), st.sampled_from(sorted(country_codes())))
def test_any_text_in_any_field_gets_sentences(text: str, country: str) -> None:
    problems = address_problems(
        country, line1=text, city=text, state=text, postal_code=text, phone=text, registration_number=text
    )
    assert all(problems.values())
    assert all(company_name_problems(text) + company_name_doubts(text) + ["."])
