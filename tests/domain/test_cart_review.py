"""**Review order**: prices, terms and problems of a cart as it would be ordered now (D1, D6, D12, B6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from csp_web.db import now, select, session, transaction
from csp_web.domain.sales.cart_review import changes_since
from csp_web.domain.sales.carts import add_line, change_lines
from csp_web.domain.sales.price_import import import_price_sheet
from csp_web.errors import Invalid, Refused
from csp_web.models import Offer
from tests.support.sheets import price, sheet
from tests.support.shop import (
    AZURE,
    add,
    add_stock,
    build_shop,
    cart_of,
    end_price,
    exclude_from,
    look,
    new_price,
    new_token,
)
from tests.world import World, make_offer

OTHER_AZURE = "9b2e4a7c-3d51-4e0f-8a6b-1c2d3e4f5a6b"


@pytest.fixture
def shop(database: None) -> World:
    return build_shop()


def change(
    world: World, quantities: dict[str, int] | None = None, *, remove: tuple[str, ...] = (), who: str = "alice"
) -> None:
    cart = cart_of(world)
    with transaction():
        change_lines(cart, quantities=quantities or {}, remove=remove, by=world.actor(who))


def test_d6_totals_are_sums_of_minor_units_by_currency(shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 2)
    review = look(shop)
    assert [line.total for line in review.lines] == [323_400, 215_600]
    assert review.totals == {"USD": 539_000}


def test_d1_every_line_tells_until_when_it_could_be_cancelled(shop: World) -> None:
    add(shop, "windows-US")
    add(shop, "reservation-US", azure=AZURE, scope="single")
    at = datetime(2028, 1, 15, tzinfo=UTC)
    software, reservation = look(shop, at=at).lines
    assert software.until == datetime(2028, 3, 15, tzinfo=UTC)
    assert reservation.until is None
    assert software.policy is not None
    assert reservation.policy is not None
    assert (software.policy.code, reservation.policy.code) == ("seed-2018", "reservation")


def test_d12_a_line_without_stock_says_that_it_waits(shop: World) -> None:
    add(shop, "windows-US")
    assert look(shop).lines[0].waits
    add_stock(shop, "windows-US", "Windows Server 2025")
    assert not look(shop).lines[0].waits


def test_b6_a_line_that_cannot_be_ordered_any_more_says_why_and_costs_nothing(shop: World) -> None:
    exclude_from(shop, now() + timedelta(days=1))
    customer = shop.customer("coho")
    with transaction():
        customer.country = "RU"
    add(shop, "windows-RU", 1)
    add(shop, "reservation-RU", azure=AZURE, scope="single")
    review = look(shop, at=now() + timedelta(days=2))
    assert [len(line.problems) for line in review.lines] == [0, 1]
    assert "seed-2018" in review.refused[0].problems[0]
    assert review.totals == {"RUB": 107_800}


def test_b6_a_price_that_ended_without_a_newer_one_refuses_the_line(shop: World) -> None:
    add(shop, "windows-US")
    end_price(shop, "windows-US", now())
    (line,) = look(shop).lines
    assert "ended" in line.problems[0]
    assert line.total == 0


def test_a_newer_price_counts_and_is_pointed_out(shop: World) -> None:
    add(shop, "windows-US", 2)
    newer = new_price(shop, "windows-US", 120_000, now())
    (line,) = look(shop).lines
    assert line.price is not None
    assert (line.price.offer_id, line.total, line.price_changed) == (newer.id, 240_000, True)
    assert line.line.unit_price == 107_800


def test_a_newer_price_of_the_same_amount_is_nothing_to_point_out(shop: World) -> None:
    add(shop, "windows-US", 2)
    new_price(shop, "windows-US", 107_800, now())
    assert not look(shop).price_changed


def test_adding_the_same_at_the_newer_price_still_points_it_out(shop: World) -> None:
    add(shop, "windows-US", 2)
    shop.offers["newer"] = new_price(shop, "windows-US", 120_000, now()).id
    add(shop, "newer", 1)
    (line,) = look(shop).lines
    assert (line.line.quantity, line.price_changed) == (3, True)


def test_a_price_that_ended_cannot_be_added_from_an_old_page(shop: World) -> None:
    new_price(shop, "windows-US", 120_000, now())
    with pytest.raises(Refused, match="ended"):
        add(shop, "windows-US", 1)


def tiered(shop: World) -> str:
    """A cart with nine of what costs less from ten on."""
    import_price_sheet(
        sheet(price("100.00", PricingTierRangeMin=1, PricingTierRangeMax=9), price("90.00", PricingTierRangeMin=10)),
        "tiers.csv",
        by=None,
    )
    offer = session.scalars(select(Offer).filter_by(unit_price=10_000)).one()
    shop.offers["tier"] = offer.id
    return add(shop, "tier", 9)


def test_a_volume_price_follows_the_quantity_without_being_called_a_change(shop: World) -> None:
    line = tiered(shop)
    assert look(shop).totals == {"USD": 90_000}
    change(shop, {line: 10})
    review = look(shop)
    assert review.totals == {"USD": 90_000}
    assert not review.price_changed


def test_a_quantity_without_a_volume_price_is_refused(shop: World) -> None:
    with transaction():
        offer = make_offer("sql", market="US", currency="USD", term="P3Y")
        offer.tier_min = 5
        shop.offers["from five"] = offer.id
    with pytest.raises(Invalid) as refused:
        add(shop, "from five", 4)
    assert "5" in refused.value.problems["quantity"]


def test_an_amount_beyond_what_can_be_counted_is_refused_not_rounded(shop: World) -> None:
    offer = shop.offer("windows-US")
    with transaction():
        offer.unit_price = 2**52
    add(shop, "windows-US", 3)
    (line,) = look(shop).lines
    assert line.problems == ["The amount is too large."]


def test_a_cart_that_nobody_filled_is_empty(shop: World) -> None:
    from csp_web.domain.sales.cart_review import review

    empty = review(None, shop.customer("coho"), now())
    assert (empty.lines, empty.totals, empty.version) == ([], {}, 0)


def test_what_changed_since_a_person_looked_is_said_line_by_line(shop: World) -> None:
    first, second = add(shop, "windows-US", 2), add(shop, "sql-US", 1)
    seen = look(shop).shown
    assert changes_since(seen, look(shop)) == []
    change(shop, {first: 5}, remove=(second,))
    add(shop, "cal-US", 1)
    said = " ".join(changes_since(seen, look(shop)))
    assert "quantity of “Windows Server 2025 Datacenter, Windows Server 2025 Datacenter - 1 year”" in said
    assert "was added" in said
    assert "no longer in the cart: 1" in said


def test_a_changed_price_or_a_refusal_is_a_change_too(shop: World) -> None:
    add(shop, "windows-US", 2)
    seen = look(shop).shown
    new_price(shop, "windows-US", 120_000, now())
    assert " price" in changes_since(seen, look(shop))[0]
    assert "cannot be ordered" in changes_since(seen, look(shop, at=datetime(2017, 1, 1, tzinfo=UTC)))[0]


def test_a_line_is_added_only_with_a_quantity_that_the_database_would_take(shop: World) -> None:
    with pytest.raises(Invalid), transaction():
        add_line(shop.customer("coho"), shop.offer("windows-US"), 10**30, by=shop.actor("alice"), token=new_token())
