"""Refunds: by the line's own policy, exact, never above what was paid (R33, D6, D8, T8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from csp_web.db import session, transaction
from csp_web.domain.support.refunds import record_refund, refund_due, refundable
from csp_web.errors import Invalid, Refused
from csp_web.models import AccountEntry, AccountEntryKind, Refund, Subscription
from tests.support.tickets import (
    ORDERED,
    approve_ticket,
    cancellation,
    file_refund,
    install_types,
    line,
    line_of,
)
from tests.world import World

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def prorated(number: int, **terms: Any) -> None:
    steps = [{"until_hours": 24, "refund": "full"}, {"until_hours": 720, "refund": "prorata"}]
    with transaction():
        line(number).policy_terms = {"steps": steps, **terms}


def test_r33_within_the_window_everything_comes_back_without_a_fee(world: World) -> None:
    bought = line(line_of(world, quantity=3))
    assert refund_due(bought, ORDERED + 59 * DAY) == refundable(bought) == 3 * 107_800


def test_after_the_last_step_nothing_comes_back(world: World) -> None:
    assert refund_due(line(line_of(world)), ORDERED + 60 * DAY) == 0


@pytest.mark.parametrize(
    ("after", "share"),
    [
        (timedelta(0), 365),
        (DAY - timedelta(seconds=1), 365),
        (DAY, 363),  # the second day has begun
        (2 * DAY - timedelta(seconds=1), 363),
        (2 * DAY, 362),
        (30 * DAY - timedelta(seconds=1), 335),
    ],
)
def test_d8_a_prorated_step_gives_back_the_days_that_have_not_begun(world: World, after: timedelta, share: int) -> None:
    number = line_of(world)
    prorated(number)
    assert refund_due(line(number), ORDERED + after) == 107_800 * share // 365


def test_d8_a_fee_of_the_policy_is_taken_off(world: World) -> None:
    number = line_of(world)
    with transaction():
        line(number).policy_terms = {"steps": [{"until_hours": 1440, "refund": "full"}], "fee_percent": 12.5}
    assert refund_due(line(number), ORDERED) == 107_800 - 13_475


def test_d6_a_refund_is_one_entry_and_leaves_nothing_to_refund(world: World) -> None:
    number = line_of(world)
    approve_ticket(world, file_refund(world, number))
    assert refundable(line(number)) == 0
    entry = session.scalars(select(AccountEntry).filter_by(kind=AccountEntryKind.REFUND)).one()
    assert (entry.amount, entry.currency) == (-107_800, "USD")


def test_d6_less_may_be_asked_for_and_only_that_comes_back(world: World) -> None:
    number = line_of(world)
    approve_ticket(world, file_refund(world, number, facts={"amount": "100.5"}))
    assert session.scalars(select(Refund)).one().amount == 10_050
    assert refundable(line(number)) == 97_750


@pytest.mark.parametrize("amount", ["1078.01", "2000", "99999999999"])
def test_t8_nobody_asks_for_more_than_was_paid(world: World, amount: str) -> None:
    with pytest.raises(Invalid) as refusal:
        file_refund(world, line_of(world), facts={"amount": amount})
    assert "1,078.00" in refusal.value.problems["amount"]


@pytest.mark.parametrize("amount", ["0", "0.00", "-5", "1.234", "1e3", "NaN", "ten", "1078.001", "9" * 40, "٠"])
def test_amounts_that_cannot_be_get_a_sentence(world: World, amount: str) -> None:
    with pytest.raises(Invalid) as refusal:
        file_refund(world, line_of(world), facts={"amount": amount})
    assert set(refusal.value.problems) == {"amount"}


@pytest.mark.parametrize("amount", ["1,078.00", "1 078,00", "1.078,00", "1078", " 1'078.00 ", "1\u00a0078,00"])
def test_amounts_with_commas_and_spaces_are_read(world: World, amount: str) -> None:
    ticket = file_refund(world, line_of(world), facts={"amount": amount})
    assert cancellation(ticket).amount_requested == 107_800


def test_t8_what_was_refunded_meanwhile_is_not_refunded_again(world: World) -> None:
    number = line_of(world)
    ticket = file_refund(world, number)
    credit(number, 107_000)
    approve_ticket(world, ticket)
    assert session.scalars(select(Refund)).one().amount == 800
    assert balance(number) == 0


def test_a_line_that_was_refunded_already_is_cancelled_without_a_refund(world: World) -> None:
    number = line_of(world)
    ticket = file_refund(world, number)
    credit(number, 107_800)
    approve_ticket(world, ticket)
    assert session.scalars(select(Refund)).all() == []
    assert line(number).is_cancelled


def test_d6_the_verb_itself_refuses_more_than_is_left(world: World) -> None:
    ticket = file_refund(world, line_of(world))
    with pytest.raises(Refused, match="At most"), transaction():
        record_refund(cancellation(ticket), 107_801, by=world.actor("sam"), at=ORDERED)


def credit(number: int, amount: int) -> None:
    """A refund by other means, as later versions may have them."""
    with transaction():
        bought = line(number)
        session.add(
            AccountEntry(
                partner_id=bought.partner_id,
                subscription_id=bought.id,
                kind=AccountEntryKind.REFUND,
                amount=-amount,
                currency=bought.currency,
                at=ORDERED,
            )
        )


def balance(number: int) -> int:
    entries = select(func.sum(AccountEntry.amount)).where(AccountEntry.subscription_id == number)
    return int(session.scalar(entries) or 0)


@given(
    paid=st.integers(0, 10**12),
    term=st.integers(1, 1100),
    seconds=st.integers(0, 90_000_000),
    percent=st.integers(0, 100),
    kinds=st.lists(st.sampled_from(["full", "prorata", "none"]), max_size=3),
)
def test_d6_no_policy_gives_back_more_than_was_paid_or_less_than_nothing(
    paid: int, term: int, seconds: int, percent: int, kinds: list[str]
) -> None:
    bought = Subscription(
        ordered_at=ORDERED,
        ends_at=ORDERED + term * DAY,
        policy_terms={
            "steps": [{"until_hours": 24 * (n + 1), "refund": kind} for n, kind in enumerate(kinds)],
            "fee_percent": percent,
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("csp_web.domain.support.refunds.refundable", lambda _line: paid)
        due = refund_due(bought, ORDERED + timedelta(seconds=seconds))
    assert 0 <= due <= paid
