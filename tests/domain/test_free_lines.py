"""A line that cost nothing can be cancelled like any other: nothing goes back, its key is revoked (R30, R32, D6)."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from csp_web.db import now, session, transaction
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.errors import Invalid, Refused
from csp_web.models import (
    AccountEntry,
    CancellationState,
    KeyAssignment,
    KeyState,
    ProductKey,
    Refund,
    SubscriptionStatus,
    TicketNote,
)
from csp_web.said import again
from tests.support.stock import sku_of, stock
from tests.support.tickets import (
    DAYS_60,
    ORDERED,
    approve_ticket,
    cancellation,
    file_refund,
    install_types,
    line,
    line_of,
)
from tests.world import World


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def free_line(world: World, **more: object) -> int:
    """A line of an offer that costs nothing."""
    with transaction():
        world.offer("windows-US").unit_price = 0
    return line_of(world, **more)  # type: ignore[arg-type]


def test_r30_a_line_that_cost_nothing_is_cancelled_and_its_key_revoked(world: World) -> None:
    stock(sku_of(world), "Windows Server 2025", 1)
    number = free_line(world, at=now())
    with transaction():
        hand_out_own_version(line(number), by=world.actor("alice"))
    ticket = file_refund(world, number, at=now())
    assert "Amount requested: $0.00" in again(ticket.description)
    approve_ticket(world, ticket)
    assert line(number).status is SubscriptionStatus.CANCELLED
    assert session.query(KeyAssignment).one().revoked_at is not None
    assert session.query(ProductKey).one().state is KeyState.QUARANTINED
    assert cancellation(ticket).state is CancellationState.COMPLETED
    assert session.query(Refund).count() == 0
    assert [entry.amount for entry in session.query(AccountEntry)] == [0]
    assert "$0.00" in session.query(TicketNote).one().text


def test_r34_its_window_ends_like_that_of_any_other(world: World) -> None:
    with pytest.raises(Refused, match="right to cancel ended"):
        file_refund(world, free_line(world), at=ORDERED + DAYS_60)


@pytest.mark.parametrize("amount", ["0", "0.00"])
def test_d6_where_something_is_due_nothing_cannot_be_asked_for(world: World, amount: str) -> None:
    with pytest.raises(Invalid) as refusal:
        file_refund(world, line_of(world), facts={"amount": amount})
    assert refusal.value.problems == {"amount": "Enter an amount above zero."}


def test_d6_more_than_nothing_cannot_be_asked_for_what_cost_nothing(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        file_refund(world, free_line(world), facts={"amount": "0.01"})
    assert set(refusal.value.problems) == {"amount"}


def test_d6_the_database_refuses_less_than_nothing(world: World) -> None:
    ticket = file_refund(world, free_line(world))
    with pytest.raises(IntegrityError), transaction():
        cancellation(ticket).amount_requested = -1
