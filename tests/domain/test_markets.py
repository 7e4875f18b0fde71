"""Where reservations are not sold, from when, and who decides it (R11-R13, D8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from csp_web.db import now, select, session, transaction
from csp_web.domain.sales import markets
from csp_web.domain.upkeep.installation import install_rules
from csp_web.errors import Forbidden, Invalid, Refused
from csp_web.models import AuditEntry, MarketExclusion, MarketSet, ProductType
from tests.world import World, build_world

EXCLUDED = ["AR", "AZ", "BY", "BR", "CN", "IN", "ID", "KZ", "LI", "MY", "MX", "RU", "SA", "ZA", "KR", "TW", "TR", "UA"]
RESERVATION, SOFTWARE = ProductType.RESERVATION, ProductType.SOFTWARE_SUBSCRIPTION
TODAY = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


@pytest.fixture
def rules(database: None) -> World:
    world = build_world()
    with transaction():
        install_rules()
    return world


def by_name(name: str) -> MarketSet:
    return session.scalars(select(MarketSet).filter_by(name=name)).one()


def change(world: World, verb: object, name: str, day: date, who: str = "olga") -> None:
    row = by_name(name)
    with transaction():
        verb(row, day=day, by=world.actor(who))  # type: ignore[operator]


@pytest.mark.parametrize("country", EXCLUDED)
def test_r11_reservations_are_not_sold_in_the_eighteen_markets(rules: World, country: str) -> None:
    found = markets.exclusion(RESERVATION, country, now())
    assert found is not None
    assert found.set_name == "seed-2018"
    assert found.since == datetime(2018, 8, 1, tzinfo=UTC)


def test_r11_there_are_no_other_excluded_markets(rules: World) -> None:
    listed = session.scalars(
        select(MarketExclusion.country).join(MarketSet).where(MarketSet.in_force_from.is_not(None))
    )
    assert sorted(listed) == sorted(EXCLUDED)


@pytest.mark.parametrize("country", EXCLUDED)
def test_r12_software_is_sold_there_all_the_same(rules: World, country: str) -> None:
    assert markets.exclusion(SOFTWARE, country, now()) is None


@pytest.mark.parametrize("country", ["HK", "MO"])
def test_r13_cn_does_not_include_hong_kong_and_macao(rules: World, country: str) -> None:
    assert markets.exclusion(RESERVATION, country, now()) is None


def test_r11_before_the_list_was_in_force_everything_was_sold(rules: World) -> None:
    begun = datetime(2018, 8, 1, tzinfo=UTC)
    assert markets.exclusion(RESERVATION, "RU", begun - timedelta(microseconds=1)) is None
    assert markets.exclusion(RESERVATION, "RU", begun) is not None


def test_d8_later_lists_are_shipped_and_not_in_force(rules: World) -> None:
    sizes = {row.name: len(row.exclusions) for row in markets.market_sets()}
    assert sizes == {"seed-2018": 18, "2019-04": 11, "2019-07": 12, "2019-12": 106, "2021-07": 107}
    assert [row.name for row in markets.market_sets() if row.in_force_from] == ["seed-2018"]
    assert by_name("2021-07").product_type is SOFTWARE


def test_installing_the_rules_twice_adds_nothing_and_keeps_what_the_operator_chose(rules: World) -> None:
    change(rules, markets.end, "seed-2018", now().date())
    with transaction():
        install_rules()
    assert len(markets.market_sets()) == 5
    assert by_name("seed-2018").in_force_to is not None


def test_d8_putting_a_list_in_force_ends_the_one_before_at_the_same_instant(rules: World) -> None:
    with time_machine.travel(TODAY, tick=False):
        change(rules, markets.put_in_force, "2019-04", date(2026, 12, 1))
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    assert by_name("seed-2018").in_force_to == begin
    assert markets.exclusion(RESERVATION, "KZ", begin - timedelta(seconds=1)) is not None
    assert markets.exclusion(RESERVATION, "KZ", begin) is None
    found = markets.exclusion(RESERVATION, "RU", begin)
    assert found is not None
    assert found.set_name == "2019-04"


def test_d8_a_list_that_begins_today_begins_now_and_not_at_midnight(rules: World) -> None:
    with time_machine.travel(TODAY, tick=False):
        change(rules, markets.put_in_force, "2019-12", TODAY.date())
    assert by_name("2019-12").in_force_from == TODAY


def test_a_list_put_before_a_planned_one_ends_when_that_begins(rules: World) -> None:
    with time_machine.travel(TODAY, tick=False):
        change(rules, markets.put_in_force, "2019-12", date(2027, 1, 1))
        change(rules, markets.put_in_force, "2019-07", date(2026, 12, 1))
    assert by_name("2019-07").in_force_to == datetime(2027, 1, 1, tzinfo=UTC)
    assert by_name("2019-12").in_force_to is None
    assert by_name("seed-2018").in_force_to == datetime(2026, 12, 1, tzinfo=UTC)


def test_lists_of_software_and_of_reservations_do_not_end_each_other(rules: World) -> None:
    change(rules, markets.put_in_force, "2021-07", now().date())
    assert by_name("seed-2018").in_force_to is None
    assert markets.exclusion(SOFTWARE, "RU", now() + timedelta(seconds=1)) is not None


def test_a_planned_list_that_is_ended_before_it_begins_never_begins(rules: World) -> None:
    later = now().date() + timedelta(days=30)
    change(rules, markets.put_in_force, "2021-07", later)
    change(rules, markets.end, "2021-07", now().date())
    assert by_name("2021-07").in_force_from is None


def test_the_past_is_not_rewritten(rules: World) -> None:
    with pytest.raises(Invalid) as refused:
        change(rules, markets.end, "seed-2018", now().date() - timedelta(days=1))
    assert "day" in refused.value.problems
    assert by_name("seed-2018").in_force_to is None


def test_a_list_in_force_is_not_put_in_force_again_nor_one_ended_that_is_not(rules: World) -> None:
    with pytest.raises(Refused):
        change(rules, markets.put_in_force, "seed-2018", now().date())
    with pytest.raises(Refused):
        change(rules, markets.end, "2019-04", now().date())


@pytest.mark.parametrize("verb", [markets.put_in_force, markets.end])
def test_d14_only_the_operator_changes_lists(rules: World, verb: object) -> None:
    with pytest.raises(Forbidden):
        change(rules, verb, "2019-04", now().date(), who="alice")


def test_b11_changes_of_lists_are_in_the_log(rules: World) -> None:
    change(rules, markets.put_in_force, "2019-04", now().date())
    change(rules, markets.end, "2019-04", now().date() + timedelta(days=2))
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    assert [(entry.operation, entry.resource_id) for entry in entries] == [
        ("put_market_list_in_force", "2019-04"),
        ("end_market_list", "2019-04"),
    ]
