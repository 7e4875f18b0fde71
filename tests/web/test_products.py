"""**Add products**, as a browser without scripts and as htmx sees it (R2, R4-R15, D12, B6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from csp_web.db import select, session, transaction
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import AuditEntry, AuditStatus, CartLine, User
from tests.support.plain import PlainBrowser
from tests.support.shop import AZURE, add, add_stock, end_price, new_token
from tests.support.statements import counted_statements
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

HTMX = {"HX-Request": "true"}
DATACENTER = "Windows Server 2025 Datacenter - 1 year"
RESERVATION = "Reserved VM Instance, Standard_D2s_v5 - 1 year"


@pytest.fixture
def shop(world: World) -> World:
    with transaction():
        install_rules()
    return world


@pytest.fixture
def alice(app: Flask, shop: World) -> PlainBrowser:
    return PlainBrowser(shop.sign_in(app, "alice"))


def products(world: World, customer: str = "coho") -> str:
    return f"/customers/{world.customer(customer).uuid}/products"


def lines() -> list[tuple[int, int]]:
    session.rollback()
    return [(line.offer_id, line.quantity) for line in session.scalars(select(CartLine).order_by(CartLine.id))]


def token_of(client: FlaskClient, address: str) -> str:
    return str(PlainBrowser(client).open(address).page.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]


def test_r15_the_page_shows_products_prices_and_terms(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop))
    assert alice.heading == "Add products"
    for text in (
        "Coho",
        "United States",
        DATACENTER,
        "$1,078.00",
        "1 year",
        "One-time",
        "Within 60 days of the order",
        "Keys: yes",
        "Files: no",
        "always on",
    ):
        assert text in alice.text


def test_r4_r10_reservations_and_windows_products_say_what_is_in_the_price(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop))
    assert "software is not in it" in alice.text
    assert "Azure Hybrid Benefit" in alice.text


def test_d12_what_is_not_in_stock_says_that_the_line_will_wait(alice: PlainBrowser, shop: World) -> None:
    for offer, version in (("windows-US", "Windows Server 2025"), ("cal-US", "Windows Server 2025")):
        add_stock(shop, offer, version)
    alice.open(products(shop) + "?family=windows_server")
    assert "No key in stock" not in alice.text
    alice.open(products(shop) + "?family=sql_server")
    assert "No key in stock" in alice.text


def test_r11_b6_refused_offers_show_the_reason_and_no_button(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop, "datum") + "?family=azure_reservation")
    assert "seed-2018" in alice.text
    assert "Russia" in alice.text
    refused = alice.page.find("button", string="Add to cart")
    assert refused is not None
    assert (refused["type"], refused["aria-disabled"]) == ("button", "true")
    assert refused.find_parent("form") is None


def test_r12_software_can_be_added_in_an_excluded_market(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop, "datum")).press("Add to cart", within=DATACENTER)
    assert lines() == [(shop.offers["windows-RU"], 1)]


def test_b6_a_single_refused_offer_says_why_in_its_row(alice: PlainBrowser, shop: World) -> None:
    end_price(shop, "sql-US", datetime(2026, 1, 1, tzinfo=UTC))
    alice.open(products(shop) + "?family=sql_server")
    assert "ended on 1 Jan 2026" in alice.text


def test_add_to_cart_with_a_quantity_comes_back_to_the_same_place(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop) + "?family=windows_server&q=datacenter")
    alice.fill("Quantity", "12").press("Add to cart", within=DATACENTER)
    assert alice.address == products(shop) + "?q=datacenter&family=windows_server"
    assert "Added to the cart" in alice.text
    assert lines() == [(shop.offers["windows-US"], 12)]
    alice.follow("Review order")
    assert alice.heading == "Review order"


@pytest.mark.parametrize(
    "typed", ["", "abc", "2,5", "1.5", "0", "-3", "10001", "1e3", "99999999999999999999", "٣٠٠٠٠", "🙂"]
)
def test_a_wrong_quantity_gets_a_sentence_and_stays_in_its_field(alice: PlainBrowser, shop: World, typed: str) -> None:
    alice.open(products(shop)).fill("Quantity", typed).press("Add to cart", within=DATACENTER)
    assert alice.answer is not None
    assert alice.answer.status_code == 422
    field = alice.page.find("input", attrs={"name": "quantity", "aria-invalid": "true"})
    assert field is not None
    assert field["value"] == typed
    assert lines() == []


@pytest.mark.parametrize(("typed", "number"), [(" 7 ", 7), ("1 000", 1000), ("٣", 3), ("0005", 5)])
def test_quantities_are_read_as_people_type_them(alice: PlainBrowser, shop: World, typed: str, number: int) -> None:
    alice.open(products(shop)).fill("Quantity", typed).press("Add to cart", within=DATACENTER)
    assert lines() == [(shop.offers["windows-US"], number)]


def test_r4_a_reservation_asks_for_the_azure_subscription(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop) + "?family=azure_reservation")
    alice.fill("Azure subscription", "no guid").fill("Quantity", "2").press("Add to cart", within=RESERVATION)
    assert "GUID" in alice.text
    assert 'value="no guid"' in str(alice.page)
    alice.fill("Azure subscription", AZURE).fill("Scope", "shared").press("Add to cart", within=RESERVATION)
    line = session.scalars(select(CartLine)).one()
    assert (line.azure_subscription_id, line.scope, line.quantity) == (AZURE, "shared", 2)


def test_r4_the_azure_subscription_named_last_stands_in_the_field(alice: PlainBrowser, shop: World) -> None:
    add(shop, "reservation-US", azure=AZURE, scope="single")
    alice.open(products(shop) + "?family=azure_reservation")
    assert alice.page.find("input", attrs={"name": "azure_subscription", "value": AZURE}) is not None


def test_a_price_that_ended_while_the_page_was_open_is_409_and_logged(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop))
    end_price(shop, "windows-US", datetime(2026, 1, 1, tzinfo=UTC))
    alice.press("Add to cart", within=DATACENTER)
    assert alice.answer is not None
    assert alice.answer.status_code == 409
    assert "ended on 1 Jan 2026" in alice.text
    entry = session.scalars(select(AuditEntry).filter_by(status=AuditStatus.DECLINED)).one()
    assert (entry.operation, entry.customer_id) == ("add_to_cart", shop.customers["coho"])


def test_a_form_sent_twice_adds_once(app: Flask, shop: World) -> None:
    client = shop.sign_in(app, "alice")
    address = f"/customers/{shop.customer('coho').uuid}/cart/lines"
    sent = {
        "csrf_token": token_of(client, products(shop)),
        "form_token": new_token(),
        "offer": shop.offer("windows-US").availability_id,
        "quantity": "3",
    }
    assert [client.post(address, data=sent).status_code for _ in range(3)] == [303, 303, 303]
    assert lines() == [(shop.offers["windows-US"], 3)]
    assert client.post(address, data={**sent, "quantity": "4"}).status_code == 409


@pytest.mark.parametrize("offer", ["", "NOSUCHOFFER1", "x" * 5000, "a\x00b", "🙂"])
def test_unknown_offers_are_not_found(app: Flask, shop: World, offer: str) -> None:
    client = shop.sign_in(app, "alice")
    sent = {"csrf_token": token_of(client, products(shop)), "form_token": new_token(), "offer": offer, "quantity": "1"}
    assert client.post(f"/customers/{shop.customer('coho').uuid}/cart/lines", data=sent).status_code == 404


def test_filters_and_words_narrow_the_list(alice: PlainBrowser, shop: World) -> None:
    alice.open(products(shop)).fill("Product family", "SQL Server").press("Search", within="Product family")
    assert "SQL Server 2025 Standard" in alice.text
    assert DATACENTER not in alice.text
    alice.fill("Product, SKU or ID", "nothing like it").press("Search", within="Product family")
    assert "No product matches" in alice.text
    alice.follow("Show all products")
    assert DATACENTER in alice.text


@pytest.mark.parametrize("query", ["?family=nonsense&term=P9Y&plan=x", "?page=zzz", "?q=%00", "?q=" + "x" * 5000])
def test_addresses_that_somebody_made_up_show_some_page(alice: PlainBrowser, shop: World, query: str) -> None:
    alice.open(products(shop) + query)
    assert alice.answer is not None
    assert alice.answer.status_code == 200


def test_htmx_gets_the_list_alone(app: Flask, shop: World) -> None:
    part = shop.sign_in(app, "alice").get(products(shop) + "?q=sql", headers=HTMX)
    assert " ".join(part.text.split()).startswith('<div id="offers"')
    assert "HX-Request" in part.headers["Vary"]


def test_adding_leads_back_to_the_offer_with_the_line_already_in_the_cart(app: Flask, shop: World) -> None:
    client, offer = shop.sign_in(app, "alice"), shop.offer("windows-US").availability_id
    sent = {"csrf_token": token_of(client, products(shop)), "form_token": new_token(), "offer": offer, "quantity": "3"}
    added = client.post(f"/customers/{shop.customer('coho').uuid}/cart/lines", data=sent)
    assert (added.status_code, added.location.endswith(f"#offer-{offer}")) == (303, True)
    wrong = {**sent, "form_token": new_token(), "quantity": "many"}
    answer = client.post(f"/customers/{shop.customer('coho').uuid}/cart/lines", data=wrong)
    assert answer.status_code == 422
    assert 'value="many"' in answer.text


@pytest.mark.parametrize("who", ["helen", "bill", "audrey"])
def test_d14_who_may_not_order_is_told_the_roles_that_may(app: Flask, shop: World, who: str) -> None:
    browser = PlainBrowser(shop.sign_in(app, who)).open(products(shop))
    assert browser.answer is not None
    assert browser.answer.status_code == 403
    assert "Sales agent" in browser.text


def test_d14_another_partners_customer_is_not_found(app: Flask, shop: World) -> None:
    assert shop.sign_in(app, "charlie").get(products(shop)).status_code == 404


def test_the_page_speaks_russian(app: Flask, shop: World) -> None:
    alice = session.get_one(User, shop.people["alice"])
    with transaction():
        alice.language = "ru"
    browser = PlainBrowser(shop.sign_in(app, "alice")).open(products(shop, "datum"))
    assert "Россия" in browser.text
    assert 'lang="ru"' in str(browser.page)


def test_an_ended_session_keeps_what_was_typed(app: Flask, shop: World) -> None:
    client = shop.sign_in(app, "alice")
    browser = PlainBrowser(client).open(products(shop)).fill("Quantity", "17")
    from csp_web.models import UserSession

    row = session.scalars(select(UserSession)).one()
    with transaction():
        row.revoked_at = datetime(2026, 1, 1, tzinfo=UTC)
    browser.press("Add to cart", within=DATACENTER)
    assert browser.heading == "Sign in"
    assert lines() == []


def test_the_number_of_statements_does_not_grow_with_the_catalogue(app: Flask, shop: World) -> None:
    client = shop.sign_in(app, "alice")
    client.get(products(shop))
    with counted_statements() as few:
        client.get(products(shop))
    from csp_web.domain.sales.price_import import import_price_sheet
    from tests.domain.test_price_import import SHIPPED

    with app.app_context(), SHIPPED.open("rb") as file:
        import_price_sheet(file, SHIPPED.name, by=None)
    with counted_statements() as many:
        client.get(products(shop))
    assert len(many) == len(few)
