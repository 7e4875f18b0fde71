"""D10: identifiers have their documented shapes, and any of them typed into a search is recognised."""

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.identifiers import (
    Kind,
    clean_text,
    display_domain,
    fold,
    has_control_characters,
    looks_like,
    new_alternate_id,
    new_order_id,
    new_ticket_number,
    new_token,
    new_uuid,
    normalize_domain,
    parse_guid,
    token_hash,
)

GUID = "45411344-b09d-47e7-9653-542006bf9766"
MIDNIGHT = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


def test_d10_new_order_ids() -> None:
    made = {new_order_id() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{31}1", order_id) for order_id in made)


def test_d10_new_alternate_ids() -> None:
    made = {new_alternate_id() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"[0-9a-f]{12}", alternate_id) for alternate_id in made)


def test_d10_ticket_numbers_carry_the_day_in_utc() -> None:
    assert re.fullmatch(r"6261122[0-9]{8}", new_ticket_number(MIDNIGHT))
    west = MIDNIGHT.astimezone(timezone(timedelta(hours=-8)))
    assert new_ticket_number(west).startswith("6261122")
    assert len({new_ticket_number(MIDNIGHT) for _ in range(200)}) > 190


def test_new_uuids_are_random() -> None:
    assert new_uuid() != new_uuid()
    assert new_uuid().version == 4


def test_tokens_are_256_bits_and_stored_as_a_hash() -> None:
    token = new_token()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token != new_token()
    assert len(token_hash(token)) == 32
    assert token_hash(token) == token_hash(token)
    assert token_hash(token) != token_hash(new_token())
    assert token.encode() not in token_hash(token)


@given(st.text(max_size=20))
def test_any_text_has_a_token_hash(text: str) -> None:
    """What strangers send as a token is looked up like a real one, never an error."""
    assert len(token_hash(text)) == 32
    assert len(token_hash("\ud800")) == 32


@given(st.uuids())
def test_guids_are_read_as_people_paste_them(guid: uuid.UUID) -> None:
    for text in (str(guid), str(guid).upper(), f" {guid}\n", f"{{{guid}}}", f"\ufeff{guid}\u200b"):
        assert parse_guid(text) == guid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        GUID[:-1],
        GUID + "0",
        GUID.replace("-", ""),
        f"{{{GUID}",
        f"{GUID}}}",
        f"({GUID})",
        f"urn:uuid:{GUID}",
        GUID.replace("4", "g"),
        GUID.replace("-", "--"),
        GUID.replace("4", "４"),
        GUID + "\0",
        "-".join(["45411344b09d", "47e7", "9653", "542006bf", "9766"]),
    ],
)
def test_what_is_no_guid(text: str) -> None:
    assert parse_guid(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (GUID, Kind.GUID),
        (f" {{{GUID.upper()}}} ", Kind.GUID),
        ("2y6dF_rVgDAXMxypQPPnTquuXhKVK_3N1", Kind.ORDER_ID),
        ("2y6dF-rVgDAXMxypQPPnTquuXhKVK_3N1", Kind.ORDER_ID),
        ("2y6dF_rVgDAXMxypQPPnTquuXhKVK_3N2", Kind.TEXT),
        ("c403d91b21d2", Kind.ALTERNATE_ID),
        ("C403D91B21D2", Kind.ALTERNATE_ID),
        ("616122292874576", Kind.TICKET_NUMBER),
        ("516122292874576", Kind.TEXT),
        ("2gbt6-7ypfv-22kkc-cdv6y-cw64b", Kind.KEY),
        ("contoso.com", Kind.DOMAIN),
        ("пример.рф", Kind.DOMAIN),
        ("https://contoso.com/", Kind.DOMAIN),
        ("Contoso Ltd.", Kind.TEXT),
        ("contoso", Kind.TEXT),
        ("a@contoso.com", Kind.TEXT),
        ("", Kind.TEXT),
        ("\0", Kind.TEXT),
    ],
)
def test_d10_what_was_typed_is_recognised(text: str, kind: Kind) -> None:
    assert looks_like(text) is kind


def test_d10_new_identifiers_are_recognised() -> None:
    assert looks_like(new_order_id()) is Kind.ORDER_ID
    assert looks_like(new_alternate_id()) is Kind.ALTERNATE_ID
    assert looks_like(new_ticket_number(MIDNIGHT)) is Kind.TICKET_NUMBER
    assert looks_like(str(new_uuid())) is Kind.GUID


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("contoso.com", "contoso.com"),
        (" Contoso.COM. ", "contoso.com"),
        ("https://www.contoso.com/path?x=1#y", "www.contoso.com"),
        ("contoso.com/about", "contoso.com"),
        ("contoso.com:8443", "contoso.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ПРИМЕР.РФ", "xn--e1afmkfd.xn--p1ai"),
        ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("contoso。com", "contoso.com"),
        ("a-b.c1.example", "a-b.c1.example"),
    ],
)
def test_domains_are_normalized(text: str, domain: str) -> None:
    assert normalize_domain(text) == domain
    assert normalize_domain(domain) == domain


@pytest.mark.parametrize(
    "text",
    [
        "contoso",
        "contoso..com",
        ".contoso.com",
        "-contoso.com",
        "contoso-.com",
        "con_toso.com",
        "con toso.com",
        "192.168.0.1",
        "[::1]",
        "http://",
        "contoso.com\0",
        "con\u202etoso.com",
        "a" * 64 + ".com",
        "a." * 130 + "com",
        "😀",
        "xn--.com",
        "<script>.com",
        "'.com",
        "https://[",
    ],
)
def test_what_is_no_domain_gets_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a domain"):
        normalize_domain(text)


def test_an_address_or_nothing_gets_its_own_sentence() -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        normalize_domain("ann@contoso.com")
    with pytest.raises(ValueError, match="Enter a domain"):
        normalize_domain(" \u200b ")


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_domain_or_a_sentence(text: str) -> None:
    try:
        answer = normalize_domain(text)
    except ValueError as refusal:
        assert str(refusal)  # noqa: PT017 -- both answers are right, silence is not
    else:
        assert re.fullmatch(r"[a-z0-9.-]{3,253}", answer)


def test_domains_are_shown_in_their_own_letters() -> None:
    assert display_domain("xn--e1afmkfd.xn--p1ai") == "пример.рф"
    assert display_domain("contoso.com") == "contoso.com"
    assert display_domain("xn--.com") == "xn--.com"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("КАЗЫНА Сауда", "казына сауда"),
        ("Тёплый  дом", "теплый\u00a0дом"),
        ("STRASSE", "straße"),
        ("Ｃｏｎｔｏｓｏ", "contoso"),
        ("ﬁle", "FILE"),
        ("Café", "cafe\u0301"),
        (" a\n\tb ", "A B"),
    ],
)
def test_search_does_not_tell_these_apart(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_search_tells_letters_apart() -> None:
    assert fold("май") != fold("маи")
    assert fold("Қазына") == "қазына"


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("text", ["\0", "a\x07b", "\x1b[31m", "\x7f", "\x85", "\x0b", "a\rb", "\ud83d"])
def test_control_characters_are_found_and_removed(text: str) -> None:
    assert has_control_characters(text)
    assert not has_control_characters(clean_text(text))


@pytest.mark.parametrize("text", ["", "plain", "a\nb", "a\r\nb", "a\tb", "😀", "שלום", "日本", "é\u0301"])
def test_text_of_people_is_not_a_control_character(text: str) -> None:
    assert not has_control_characters(text)


def test_clean_text_keeps_lines() -> None:
    assert clean_text("  a\r\nb\tc\0\n") == "a\nb\tc"


@given(st.text(max_size=60))
def test_cleaned_text_is_clean(text: str) -> None:
    assert not has_control_characters(clean_text(text))
    assert clean_text(clean_text(text)) == clean_text(text)
