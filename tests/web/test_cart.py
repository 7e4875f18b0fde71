"""**Review order** and **Place order**, as a browser without scripts and as htmx sees them (R16, D1, D6, B6, I7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from csp_web.app import create_app
from csp_web.config import Settings
from csp_web.db import now, select, session, transaction
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import AuditEntry, AuditStatus, CartLine, Order, Subscription
from tests.support.plain import NotThere, PlainBrowser
from tests.support.shop import AZURE, add, end_price, new_price
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

HTMX = {"HX-Request": "true"}
ENDED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(world: World) -> World:
    with transaction():
        install_rules()
    return world


@pytest.fixture
def alice(app: Flask, shop: World) -> PlainBrowser:
    return PlainBrowser(shop.sign_in(app, "alice"))


def cart(world: World, customer: str = "coho") -> str:
    return f"/customers/{world.customer(customer).uuid}/cart"


def status(browser: PlainBrowser) -> int:
    assert browser.answer is not None
    return browser.answer.status_code


def orders() -> list[Order]:
    session.rollback()
    return list(session.scalars(select(Order)))


def quantities() -> list[int]:
    session.rollback()
    return list(session.scalars(select(CartLine.quantity).order_by(CartLine.id)))


def form_of(client: FlaskClient, address: str) -> dict[str, list[str]]:
    """Everything that **Place order** would send."""
    page = PlainBrowser(client).open(address).page
    form = page.find(id="review").find("form")  # type: ignore[union-attr]
    values: dict[str, list[str]] = {}
    for control in form.find_all("input"):  # type: ignore[union-attr]
        if control.get("type") != "checkbox":
            values.setdefault(str(control["name"]), []).append(str(control.get("value", "")))
    return values


# ---------------------------------------------------------------- review


def test_r16_the_page_shows_lines_totals_and_the_terms_of_each(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "reservation-US", 2, azure=AZURE, scope="shared")
    alice.open(cart(shop))
    assert alice.heading == "Review order"
    for text in ("$3,234.00", "$2,156.00", "Total in USD", "$5,390.00", AZURE, "due in 60 days"):
        assert text in alice.text
    assert "Within 60 days of the order" in alice.text
    assert re.search(r"If ordered now, until: .*UTC", alice.text)
    assert "at any time through a support request" in alice.text


def test_an_empty_cart_leads_to_the_products(alice: PlainBrowser, shop: World) -> None:
    alice.open(cart(shop))
    assert "The cart is empty" in alice.text
    alice.follow("Add products")
    assert alice.heading == "Add products"


def test_the_cart_survives_sign_out_and_is_the_teams(app: Flask, shop: World) -> None:
    add(shop, "windows-US", 3, who="alice")
    assert "$3,234.00" in PlainBrowser(shop.sign_in(app, "alice")).open(cart(shop)).text
    assert "$3,234.00" in PlainBrowser(shop.sign_in(app, "bob")).open(cart(shop)).text


def test_quantities_are_changed_and_the_reference_that_was_typed_stays(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    alice.open(cart(shop)).fill("Quantity", "5").fill("Your reference", "PO & 1").press("Update quantities")
    assert quantities() == [5]
    assert "$5,390.00" in alice.text
    assert alice.page.find("input", attrs={"name": "reference", "value": "PO & 1"}) is not None


def test_enter_in_a_quantity_updates_and_removes_nothing(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    buttons = alice.open(cart(shop)).page.find(id="review").find_all("button")  # type: ignore[union-attr]
    assert buttons[0].get_text() == "Update quantities"


@pytest.mark.parametrize("typed", ["", "x", "0", "-1", "2,5", "10001"])
def test_a_wrong_quantity_gets_a_sentence_and_stays(alice: PlainBrowser, shop: World, typed: str) -> None:
    add(shop, "windows-US", 3)
    alice.open(cart(shop)).fill("Quantity", typed).press("Update quantities")
    assert status(alice) == 422
    assert alice.page.find("input", attrs={"aria-invalid": "true"})["value"] == typed  # type: ignore[index]
    assert quantities() == [3]


def test_a_line_is_removed_and_other_quantities_that_were_typed_are_taken(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 1)
    alice.open(cart(shop)).fill("Quantity", "7").press("Remove SQL Server 2025 Standard - 1 year")
    assert quantities() == [7]


def test_a_line_that_a_colleague_removed_does_not_break_the_page(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 1)
    alice.open(cart(shop))
    PlainBrowser(alice.client).open(cart(shop)).press("Remove SQL Server 2025 Standard - 1 year")
    alice.press("Remove SQL Server 2025 Standard - 1 year")
    assert status(alice) == 200
    assert quantities() == [3]


def test_htmx_gets_the_review_alone(app: Flask, shop: World) -> None:
    line = add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop)) | {f"quantity-{line}": ["4"]}
    part = client.post(cart(shop), data=sent, headers=HTMX)
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<div id="review"')
    assert "$4,312.00" in part.text
    wrong = client.post(cart(shop), data=sent | {f"quantity-{line}": ["many"]}, headers=HTMX)
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text


# ---------------------------------------------------------------- placing


def test_r16_place_order_shows_the_order(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    alice.open(cart(shop)).fill("Your reference", "PO 4711").press("Place order")
    (order,) = orders()
    assert alice.address == f"/orders/{order.order_id}"
    assert "The order was placed." in alice.text
    for text in (order.order_id, order.alternate_id, "PO 4711", "$3,234.00", "Coho"):
        assert text in alice.text
    assert quantities() == []


def test_i7_the_form_sent_again_and_again_is_one_order(app: Flask, shop: World) -> None:
    add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop))
    answers = [client.post(f"{cart(shop)}/order", data=sent) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert len({answer.location for answer in answers}) == len(orders()) == 1


def test_i7_the_form_sent_again_after_a_restart_is_the_same_order(app: Flask, shop: World, settings: Settings) -> None:
    add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop))
    first = client.post(f"{cart(shop)}/order", data=sent).location
    restarted = create_app(settings).test_client()
    with client.session_transaction() as before, restarted.session_transaction() as after:
        after.update(before)
    assert restarted.post(f"{cart(shop)}/order", data=sent).location == first
    assert len(orders()) == 1


def test_b6_a_refused_line_is_named_and_the_rest_is_ordered_only_when_told_so(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 1)
    end_price(shop, "sql-US", ENDED)
    alice.open(cart(shop))
    assert "ended on 1 Jan 2026" in alice.text
    alice.press("Place order")
    assert status(alice) == 409
    assert "Nothing was ordered" in alice.text
    assert orders() == []
    alice.fill("Order the lines that can be ordered", True).press("Place order")
    assert len(orders()) == 1
    assert session.scalars(select(Subscription.product_title)).all() == ["Windows Server 2025 Datacenter"]
    assert quantities() == [1]
    declined = session.scalars(select(AuditEntry).filter_by(status=AuditStatus.DECLINED)).one()
    assert declined.operation == "create_order"


def test_b6_when_nothing_can_be_ordered_the_button_says_why(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    end_price(shop, "windows-US", ENDED)
    alice.open(cart(shop))
    assert "None of the lines can be ordered" in alice.text
    with pytest.raises(NotThere, match="disabled"):
        alice.press("Place order")


def test_a_cart_that_a_colleague_changed_is_409_with_what_changed(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 3)
    alice.open(cart(shop)).fill("Your reference", "PO 4711")
    add(shop, "windows-US", 2, who="bob")
    add(shop, "sql-US", 1, who="bob")
    alice.press("Place order")
    assert status(alice) == 409
    assert "Nothing was ordered" in alice.text
    assert re.search(r"quantity of “Windows Server 2025 Datacenter.*5", alice.text)
    assert re.search(r"“SQL Server 2025.* added", alice.text)
    assert "PO 4711" in str(alice.page)
    assert orders() == []
    alice.press("Place order")
    assert len(orders()) == 1


def test_a_changed_price_is_shown_and_has_to_be_confirmed(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 2)
    new_price(shop, "windows-US", 120_000, now())
    alice.open(cart(shop))
    assert "$1,078.00" in alice.text
    assert "$2,400.00" in alice.text
    alice.press("Place order")
    assert status(alice) == 422
    assert orders() == []
    alice.fill("Order at the prices shown now", True).press("Place order")
    assert session.scalars(select(Subscription.total)).all() == [240_000]


def test_a_price_that_changed_while_the_page_was_open_is_409(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 2)
    alice.open(cart(shop))
    new_price(shop, "windows-US", 120_000, now())
    alice.press("Place order")
    assert status(alice) == 409
    assert "price" in alice.text
    assert orders() == []


def test_a_quantity_that_was_typed_but_not_taken_over_is_never_ignored(alice: PlainBrowser, shop: World) -> None:
    add(shop, "windows-US", 2)
    alice.open(cart(shop)).fill("Quantity", "9").fill("Your reference", "PO 4711").press("Place order")
    assert status(alice) == 422
    assert orders() == []
    assert "$9,702.00" in alice.text
    alice.press("Place order")
    assert session.scalars(select(Subscription.quantity)).all() == [9]
    assert orders()[0].reference == "PO 4711"


@pytest.mark.parametrize("reference", ["x" * 101, "a\x00b"])
def test_a_reference_that_cannot_be_stored_gets_a_sentence(alice: PlainBrowser, shop: World, reference: str) -> None:
    add(shop, "windows-US", 2)
    alice.open(cart(shop)).fill("Your reference", reference).press("Place order")
    assert status(alice) == 422
    assert orders() == []


@pytest.mark.parametrize("reference", ["счёт №5", "\u200fطلب 12", "<b>PO</b> 🙂", "x" * 100])
def test_references_are_shown_as_they_were_typed(alice: PlainBrowser, shop: World, reference: str) -> None:
    add(shop, "windows-US", 2)
    alice.open(cart(shop)).fill("Your reference", reference).press("Place order")
    assert orders()[0].reference == reference.strip()
    assert reference.strip() in alice.page.get_text()


@pytest.mark.parametrize("field", ["version", "form_token", "seen"])
def test_a_form_with_parts_missing_orders_nothing(app: Flask, shop: World, field: str) -> None:
    add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop))
    del sent[field]
    assert client.post(f"{cart(shop)}/order", data=sent).status_code in {409, 422}
    assert orders() == []


@pytest.mark.parametrize("seen", ["", "x", ":::", "1:2:3:4:5", "🙂:1:1:1"])
def test_a_form_with_nonsense_orders_nothing(app: Flask, shop: World, seen: str) -> None:
    add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop)) | {"seen": [seen], "version": ["x"]}
    assert client.post(f"{cart(shop)}/order", data=sent).status_code == 409
    assert orders() == []


def test_a_cart_that_nobody_filled_cannot_be_ordered(app: Flask, shop: World) -> None:
    add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop))
    answer = client.post(f"{cart(shop, 'datum')}/order", data=sent)
    assert answer.status_code == 409
    assert "cart is empty" in answer.text


@pytest.mark.parametrize("act", ["", "/order", "/lines"])
def test_d14_another_partners_cart_is_not_found_and_other_roles_are_refused(app: Flask, shop: World, act: str) -> None:
    add(shop, "windows-US", 3)
    for who, answer in (("charlie", 404), ("helen", 403), ("audrey", 403)):
        assert shop.sign_in(app, who).post(cart(shop) + act).status_code == answer
    assert quantities() == [3]


def test_without_its_token_no_form_is_taken(app: Flask, shop: World) -> None:
    add(shop, "windows-US", 3)
    client = shop.sign_in(app, "alice")
    sent = form_of(client, cart(shop))
    del sent["csrf_token"]
    assert client.post(f"{cart(shop)}/order", data=sent).status_code == 400
    assert orders() == []
