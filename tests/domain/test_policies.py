"""Cancellation policies: windows, words, and which one is in force (R32-R34, D1, D8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csp_web.db import now, select, session, transaction
from csp_web.domain.sales import policies
from csp_web.domain.upkeep.installation import install_rules
from csp_web.errors import Forbidden, Refused
from csp_web.i18n import use_place
from csp_web.models import CancellationPolicy, ProductType
from tests.world import World, build_world

SEED: dict[str, Any] = {"steps": [{"until_hours": 1440, "refund": "full"}], "fee_percent": 0}


@pytest.fixture
def rules(database: None) -> World:
    world = build_world()
    with transaction():
        install_rules()
    return world


def by_code(code: str) -> CancellationPolicy:
    return session.scalars(select(CancellationPolicy).filter_by(code=code)).one()


@pytest.mark.parametrize(
    ("ordered", "first_refused"),
    [
        ("2026-03-01T10:00:00", "2026-04-30T10:00:00"),  # over the start of summer time in Berlin
        ("2026-10-01T10:00:00", "2026-11-30T10:00:00"),  # over its end
        ("2028-01-15T00:00:00", "2028-03-15T00:00:00"),  # over a leap day
        ("2026-12-31T23:59:59", "2027-03-01T23:59:59"),  # over the end of a year
    ],
)
def test_d1_the_window_is_sixty_times_24_hours(ordered: str, first_refused: str) -> None:
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (ordered, first_refused))
    assert policies.cancel_until(SEED, begin) == end


def test_the_last_step_decides_and_an_open_step_or_none_has_no_end() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    steps = [{"until_hours": 24, "refund": "full"}, {"until_hours": 168, "refund": "prorata"}]
    assert policies.cancel_until({"steps": steps}, at) == at + timedelta(days=7)
    assert policies.cancel_until({"steps": [{"until_hours": None, "refund": "prorata"}]}, at) is None
    assert policies.cancel_until({"steps": []}, at) is None
    assert policies.cancel_until({}, at) is None


def test_r32_r33_the_seeds_policy_counts_for_software_from_the_start(rules: World) -> None:
    found = policies.policies_in_force(now())
    software = found[ProductType.SOFTWARE_SUBSCRIPTION]
    assert software.code == "seed-2018"
    assert software.terms["steps"] == [{"until_hours": 60 * 24, "refund": "full"}]
    assert software.terms["fee_percent"] == 0
    assert software.terms["channel"] == "ticket"


def test_d8_reservations_have_a_policy_of_their_own_without_a_window(rules: World) -> None:
    reservation = policies.policies_in_force(now())[ProductType.RESERVATION]
    assert reservation.code == "reservation"
    assert reservation.terms["channel"] == "ticket"
    assert policies.cancel_until(reservation.terms, now()) is None


def test_d8_the_later_policies_are_shipped_and_wait(rules: World) -> None:
    waiting = [row.code for row in policies.cancellation_policies() if row.in_force_from is None]
    assert waiting == [
        "2019-12-perpetual",
        "2019-12-subscription",
        "2021-06-perpetual",
        "2021-06-subscription",
        "2022-07-subscription",
        "linux-plan",
        "membership",
    ]


def test_installing_twice_adds_nothing(rules: World) -> None:
    with transaction():
        install_rules()
    assert len(policies.cancellation_policies()) == 9


def test_d8_another_policy_ends_the_one_before(rules: World) -> None:
    policy = by_code("2022-07-subscription")
    with transaction():
        policies.put_in_force(policy, day=now().date() + timedelta(days=1), by=rules.actor("olga"))
    begin = by_code("2022-07-subscription").in_force_from
    assert begin is not None
    assert by_code("seed-2018").in_force_to == begin
    software = ProductType.SOFTWARE_SUBSCRIPTION
    assert policies.policies_in_force(begin - timedelta(seconds=1))[software].code == "seed-2018"
    assert policies.policies_in_force(begin)[software].code == "2022-07-subscription"
    assert policies.policies_in_force(begin)[ProductType.RESERVATION].code == "reservation"


def test_d14_only_the_operator_chooses_policies_and_not_the_one_in_force(rules: World) -> None:
    policy = by_code("2022-07-subscription")
    with pytest.raises(Forbidden), transaction():
        policies.put_in_force(policy, day=now().date(), by=rules.actor("alice"))
    seed = by_code("seed-2018")
    with pytest.raises(Refused), transaction():
        policies.put_in_force(seed, day=now().date(), by=rules.actor("olga"))


def test_the_terms_are_said_in_words(rules: World) -> None:
    said = {row.code: policies.describe(row.terms) for row in policies.cancellation_policies()}
    assert said["seed-2018"] == "Within 60 days of the order: full refund. There is no fee."
    assert "Within 24 hours" in said["2022-07-subscription"]
    assert "Within 7 days of the order: the unused time" in said["2022-07-subscription"]
    assert "at any time" in said["reservation"]
    assert "12 %" in said["reservation"]
    assert "$50,000.00" in said["reservation"]
    assert said["linux-plan"] == "This cannot be cancelled."
    assert "no key has been shown" in said["membership"]


def test_windows_are_said_in_days_where_they_are_whole_days() -> None:
    with use_place("en"):
        assert [policies.window_in_words(hours) for hours in (24, 36, 48, 50, 1440)] == [
            "24 hours",
            "36 hours",
            "2 days",
            "50 hours",
            "60 days",
        ]
