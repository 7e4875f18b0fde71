"""Customers: add, edit, find, page through (R3, D10)."""

from __future__ import annotations

import pytest

from csp_web.db import session, transaction
from csp_web.domain.companies.customers import (
    CustomerFacts,
    add_customer,
    count_customers,
    edit_customer,
    list_customers,
    missing_facts,
)
from csp_web.errors import Conflict, Forbidden, Invalid
from csp_web.models import AuditEntry, Customer
from tests.world import World, make_customer

COHO = CustomerFacts(company_name="Coho Winery", domain="coho-winery.example", country="US")
TOKEN = "a-token-of-a-form"


def add(world: World, facts: CustomerFacts = COHO, *, who: str = "alice", token: str = TOKEN, guid: str = "") -> int:
    with transaction():
        return add_customer(facts, by=world.actor(who), token=token, guid=guid).id


def test_a_customer_is_added_and_the_log_tells_it(world: World) -> None:
    customer = session.get_one(Customer, add(world))
    assert (customer.company_name, customer.domain, customer.country) == ("Coho Winery", "coho-winery.example", "US")
    told = session.query(AuditEntry).filter_by(operation="add_customer", resource_id=str(customer.uuid))
    assert told.count() == 1


def test_the_same_form_twice_is_one_customer(world: World) -> None:
    assert add(world) == add(world)


def test_the_same_form_with_other_content_is_refused(world: World) -> None:
    add(world)
    with pytest.raises(Conflict):
        add(world, CustomerFacts("Coho Two", "coho-two.example", "US"))


def test_a_helpdesk_agent_edits_but_does_not_add(world: World) -> None:
    with pytest.raises(Forbidden) as refusal:
        add(world, who="helen")
    assert "Admin agent" in refusal.value.sentence
    with transaction():
        customer = world.customer("coho")
        edit_customer(customer, COHO, by=world.actor("helen"), version=customer.version)
    assert world.customer("coho").company_name == "Coho Winery"


def test_a_domain_is_one_customer_of_a_partner_but_others_may_have_it_too(world: World) -> None:
    add(world)
    with pytest.raises(Invalid) as refusal:
        add(world, token="another-form-token")
    assert "domain" in refusal.value.problems
    assert add(world, who="charlie", token="another-form-token")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (CustomerFacts("X", "x.example", "US"), "company_name"),
        (CustomerFacts("Acme Things", "not a domain", "US"), "domain"),
        (CustomerFacts("Acme Things", "acme.example", "ZZ"), "country"),
        (CustomerFacts("Acme Things", "acme.example", "US", postal_code="ABC"), "postal_code"),
        (CustomerFacts("Acme Things", "acme.example", "DE", phone="12"), "phone"),
    ],
)
def test_what_does_not_fit_the_country_is_said_beside_its_field(world: World, facts: CustomerFacts, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add(world, facts)
    assert list(refusal.value.problems) == [field]


def test_a_wrong_guid_is_said_beside_its_field(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        add(world, guid="123")
    assert "guid" in refusal.value.problems


def test_what_the_country_asks_for_and_is_missing_is_listed_not_refused(world: World) -> None:
    added = add(world, CustomerFacts("Датум Логистика", "datum.example", "RU"))
    missing = missing_facts(session.get_one(Customer, added))
    assert any("registration number" in sentence for sentence in missing)


def test_a_stale_form_is_told_what_changed(world: World) -> None:
    customer = world.customer("coho")
    seen = customer.version
    with transaction():
        edit_customer(customer, COHO, by=world.actor("bob"), version=seen)
    with pytest.raises(Conflict) as refusal, transaction():
        edit_customer(
            world.customer("coho"),
            CustomerFacts("Other Name", "o.example", "US"),
            by=world.actor("alice"),
            version=seen,
        )
    assert "coho-winery.example" in refusal.value.advice


@pytest.mark.parametrize("text", ["кур", "КУРСКИЕ", "Курские Сад", "kursk-sady", "ku", "Ку"])
def test_d10_a_customer_is_found_by_parts_of_name_or_domain_in_any_case(world: World, text: str) -> None:
    add(world, CustomerFacts("Курские сады", "kursk-sady.example", "RU"))
    names = [row.company_name for row in list_customers(world.actor("alice"), text=text).rows]
    assert names == (["Курские сады"] if text != "ku" else [])


def test_d10_a_customer_is_found_by_its_guid(world: World) -> None:
    customer = world.customer("coho")
    for text in (str(customer.uuid), f"{{{str(customer.uuid).upper()}}}", str(customer.uuid)[:8]):
        assert [row.uuid for row in list_customers(world.actor("alice"), text=text).rows] == [str(customer.uuid)]


@pytest.mark.parametrize(
    "text", ['"', "%", "_", "a OR b", "NEAR(x y)", "\\", "'; DROP", "*", "customers_fts:x", "😀😀😀"]
)
def test_hostile_searches_find_nothing_and_break_nothing(world: World, text: str) -> None:
    assert list_customers(world.actor("alice"), text=text).rows == []


def test_other_partners_customers_are_never_found(world: World) -> None:
    assert list_customers(world.actor("alice"), text="tailspin").rows == []
    assert [row.company_name for row in list_customers(world.actor("charlie")).rows] == ["Tailspin"]


def test_every_customer_is_on_exactly_one_page_forwards_and_back(world: World) -> None:
    alice = world.actor("alice")
    with transaction():
        for number in range(120):
            make_customer(alice.partner_id, f"Firm {number % 7}")
    seen, pages, cursor = [], [], None
    while True:
        page = list_customers(alice, cursor=cursor)
        pages.append(page)
        seen += [row.uuid for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == count_customers(alice) == 122
    assert pages[0].previous is None
    back = list_customers(alice, cursor=pages[1].previous)
    assert [row.uuid for row in back.rows] == [row.uuid for row in pages[0].rows]
    assert (back.previous, back.next is not None) == (None, True)


@pytest.mark.parametrize("cursor", ["", "%%%", "W10", "WzAsMV0", "A" * 3000, "WzAsIngiLCJ5Il0"])
def test_a_broken_cursor_is_the_first_page(world: World, cursor: str) -> None:
    assert len(list_customers(world.actor("alice"), cursor=cursor).rows) >= 0
