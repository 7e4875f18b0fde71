"""Pictures of the start page: the figures of the own partner, per currency, with the same figures in a table (B5, D6, S-1)."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from bs4 import BeautifulSoup, Tag
from flask import Flask

from csp_web.db import now, session, transaction
from csp_web.domain.figures.dashboard_spans import months, weeks
from csp_web.i18n import format_date
from csp_web.models import KeyPool, Subscription, SubscriptionStatus
from tests.support.stock import bought, sku_of, stock
from tests.support.tickets import approve_ticket, file_refund, file_ticket, install_types, other_details
from tests.world import World, make_subscription

UTC = ZoneInfo("UTC")


def box(app: Flask, world: World, name: str, id: str) -> Tag:  # noqa: A002 -- what HTML calls it
    soup = BeautifulSoup(world.sign_in(app, name).get("/").text, "html.parser")
    assert soup.select("[style]") == []
    found = soup.find(id=id)
    assert isinstance(found, Tag), id
    return found


def figures(found: Tag) -> dict[str, list[str]]:
    """The table of a chart: the figures of each row by its name."""
    return {
        row.th.text: [cell.text for cell in row.select("td")] for row in found.select("tbody tr") if row.th is not None
    }


def order(world: World, customer: str = "coho", market: str = "US", *, by: str = "alice", days_ago: float = 0) -> int:
    with transaction():
        at = now() - timedelta(days=days_ago)
        offer = world.offer(f"windows-{market}")
        return make_subscription(world.customer(customer), offer, by=world.actor(by), ordered_at=at).id


def test_d6_orders_and_money_per_week_each_currency_by_itself(app: Flask, world: World) -> None:
    for market in ("US", "US", "DE", "RU"):
        order(world, market=market)
    order(world, "tailspin", "DE", by="charlie")
    order(world, days_ago=200)
    week = format_date(weeks(UTC, now(), 1)[0].day)
    assert figures(box(app, world, "alice", "orders-per-week"))[week] == ["4"]
    assert figures(box(app, world, "alice", "ordered-in-EUR"))[week] == ["€1,078.00"]
    assert figures(box(app, world, "alice", "ordered-in-RUB"))[week] == ["RUB1,078.00"]
    others = box(app, world, "alice", "ordered-in-others")
    assert figures(others)[week] == ["$2,156.00"]
    assert others.svg is None


def test_every_picture_has_a_name_a_summary_and_a_table(app: Flask, world: World) -> None:
    order(world)
    found = box(app, world, "alice", "orders-per-week")
    picture = found.svg
    assert picture is not None
    assert picture["role"] == "img"
    name, summary = (found.find(id=each) for each in str(picture["aria-labelledby"]).split())
    assert name is not None
    assert name.text == "Orders per week"
    assert summary is not None
    assert "Orders: most at" in summary.text
    assert len(figures(found)) == 12


def test_a_later_order_is_in_the_next_page_at_once(app: Flask, world: World) -> None:
    week = format_date(weeks(UTC, now(), 1)[0].day)
    for count in (1, 2):
        order(world)
        assert figures(box(app, world, "alice", "orders-per-week"))[week] == [str(count)]


def test_b5_deadlines_of_60_days_without_cancelled_lines(app: Flask, world: World) -> None:
    for days in (0, 30, 59, 61):
        order(world, days_ago=days)
    cancelled = order(world, days_ago=10)
    with transaction():
        session.get_one(Subscription, cancelled).status = SubscriptionStatus.CANCELLED
    lines = figures(box(app, world, "alice", "deadlines-by-week"))
    assert sum(int(cells[0]) for cells in lines.values()) == 3
    assert 9 <= len(lines) <= 10


def test_d6_ordered_and_refunded_per_month(app: Flask, world: World) -> None:
    install_types()
    line = bought(world).id
    approve_ticket(world, file_refund(world, line, at=now()))
    month = format_date(months(UTC, now(), 1)[0].day).partition(" ")[2]
    found = figures(box(app, world, "bill", "account-in-USD"))
    assert found[month] == ["$1,078.00", "$1,078.00"]
    assert len(found) == 6


def test_own_requests_by_age_and_answers_due(app: Flask, world: World) -> None:
    install_types()
    for days in (0, 2, 2, 30):
        file_ticket(world, other_details(), by="bob", at=now() - timedelta(days=days))
    file_ticket(world, other_details(title="Not yours"), by="charlie", at=now())
    assert [cells[1] for cells in figures(box(app, world, "helen", "queue-by-age")).values()] == ["1", "2", "0", "1"]
    due = box(app, world, "helen", "due")
    assert len(due.select("tbody tr")) == 4
    assert "Not yours" not in due.text


def test_d3_the_queue_of_support_by_impact_and_clock(app: Flask, world: World) -> None:
    install_types()
    for hours in (0, 5, 6):
        file_ticket(world, other_details(), by="bob", at=now() - timedelta(hours=hours))
    file_refund(world, bought(world).id, at=now())
    queue = figures(box(app, world, "sam", "queue-by-impact"))
    assert queue == {"Critical": ["0"] * 3, "Moderate": ["2", "1", "0"], "Minimal": ["0", "1", "0"]}
    assert "Contoso" in box(app, world, "sam", "to-decide").text


def test_b11_acts_and_refusals_of_the_own_partner(app: Flask, world: World) -> None:
    world.sign_in(app, "bill").get("/customers/new")
    world.sign_in(app, "charlie").get("/audit/check")
    found = figures(box(app, world, "audrey", "acts-per-day"))
    assert found[format_date(now())][1] == "1"
    assert "bill@contoso.example" in box(app, world, "audrey", "refusals").text


def test_d12_free_keys_low_ones_apart(app: Flask, world: World) -> None:
    stock(sku_of(world), "Windows Server 2025", 3)
    assert figures(box(app, world, "olga", "free-keys")) == {"Windows Server 2025 Datacenter": ["0", "3"]}
    with transaction():
        session.query(KeyPool).one().low_at = 3
    assert figures(box(app, world, "olga", "free-keys")) == {"Windows Server 2025 Datacenter": ["3", "0"]}
    assert box(app, world, "olga", "holdings").select_one(".figure-number") is not None


def test_sales_sees_what_sells_and_who_has_bought_nothing(app: Flask, world: World) -> None:
    order(world)
    assert figures(box(app, world, "bob", "products-ordered")) == {"Windows Server 2025 Datacenter": ["1"]}
    prospects = box(app, world, "bob", "prospects").text
    assert "Datum" in prospects
    assert "Coho" not in prospects
    assert "Tailspin" not in prospects


def test_an_empty_installation_shows_no_empty_axes(app: Flask, world: World) -> None:
    for name in world.people:
        soup = BeautifulSoup(world.sign_in(app, name).get("/").text, "html.parser")
        assert [drawn for drawn in soup.select(".chart") if drawn.svg and not drawn.select(".bar, .line")] == [], name
