"""Wrong keys replaced, keys in doubt out of stock and deliberately back, waiting lines told (B3, D12, R19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from csp_web.db import now, session, transaction
from csp_web.domain.stock.key_quarantine import quarantine, release, set_threshold
from csp_web.domain.stock.key_replacement import MOST_GENERATIONS, replace_key
from csp_web.domain.stock.keys import hand_out_own_version, show_key
from csp_web.domain.support.problem_types import install_problem_types
from csp_web.errors import Forbidden, Invalid, Refused
from csp_web.models import AuditEntry, KeyAssignment, KeyState, KeyWait, OutboxMessage, ProductKey, Subscription
from tests.support.stock import bought, pool_of, sku_of, stock
from tests.support.tickets import file_refund
from tests.world import World

OWN = "Windows Server 2025"


def handed_out(world: World, spare: int = 1) -> KeyAssignment:
    """A key that a line has, with so many more in stock."""
    stock(sku_of(world), OWN, 1 + spare)
    line = bought(world)
    with transaction():
        return hand_out_own_version(line, by=world.actor("bob"))[0]


def replace(
    world: World, assignment: KeyAssignment, reason: str = "The installer refuses it", by: str = "alice"
) -> int:
    with transaction():
        return replace_key(session.get_one(KeyAssignment, assignment.id), by=world.actor(by), reason=reason).id


def free_keys() -> list[ProductKey]:
    return list(session.scalars(select(ProductKey).filter_by(state=KeyState.FREE).order_by(ProductKey.id)))


def entries(operation: str) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).filter_by(operation=operation)))


# ---------------------------------------------------------------- replacement


def test_b3_a_wrong_key_is_struck_out_and_another_takes_its_place(world: World) -> None:
    wrong = handed_out(world)
    made = session.get_one(KeyAssignment, replace(world, wrong))
    wrong = session.get_one(KeyAssignment, wrong.id)
    assert (made.generation, made.version, made.entitlement_id) == (2, OWN, wrong.entitlement_id)
    assert made.product_key_id != wrong.product_key_id
    assert wrong.revoked_reason == "The installer refuses it"
    assert wrong.product_key.state is KeyState.QUARANTINED
    assert made.product_key.state is KeyState.HANDED_OUT
    assert entries("replace_key")[0].details["reason"] == "The installer refuses it"
    with pytest.raises(Refused, match="was revoked"), transaction():
        show_key(wrong, by=world.actor("alice"))


def test_b3_replaced_twice_at_once_it_is_replaced_once(world: World) -> None:
    wrong = handed_out(world, spare=2)
    replace(world, wrong)
    with pytest.raises(Refused, match="This key was revoked on"):
        replace(world, wrong)
    assert len(free_keys()) == 1


def test_b3_without_another_key_in_stock_the_line_keeps_the_one_that_it_has(world: World) -> None:
    wrong = handed_out(world, spare=0)
    with pytest.raises(Refused, match="no other key of this version in stock"):
        replace(world, wrong)
    assert session.get_one(KeyAssignment, wrong.id).revoked_at is None
    assert session.scalars(select(KeyWait)).all() == []


def test_r19_only_an_admin_agent_replaces_and_only_with_a_reason(world: World) -> None:
    wrong = handed_out(world)
    with pytest.raises(Forbidden):
        replace(world, wrong, by="bob")
    with pytest.raises(Invalid):
        replace(world, wrong, reason="  ")


def test_b3_a_line_cannot_eat_the_stock(world: World) -> None:
    key = handed_out(world, spare=MOST_GENERATIONS + 2).id
    for _each in range(MOST_GENERATIONS - 1):
        key = replace(world, session.get_one(KeyAssignment, key))
    with pytest.raises(Refused, match="Open a support request"):
        replace(world, session.get_one(KeyAssignment, key))


def test_d5_while_a_cancellation_is_decided_no_key_is_replaced(world: World) -> None:
    wrong = handed_out(world)
    with transaction():
        install_problem_types()
    file_refund(world, wrong.subscription_id, at=now())
    with pytest.raises(Refused, match="cancellation was requested in ticket"):
        replace(world, wrong)


def test_b3_after_the_term_no_key_is_replaced(world: World) -> None:
    wrong = handed_out(world)
    ends = session.get_one(Subscription, wrong.subscription_id).ends_at
    with time_machine.travel(ends, tick=False), pytest.raises(Refused, match="term of this subscription ended"):
        replace(world, wrong)


# ---------------------------------------------------------------- quarantine


def test_b3_a_free_key_in_doubt_is_handed_out_to_nobody_until_it_is_released(world: World) -> None:
    sku = sku_of(world)
    stock(sku, OWN, 1)
    pool, ending = pool_of(sku, OWN), free_keys()[0].last_five
    with transaction():
        assert quarantine(pool, [ending.lower()], by=world.actor("olga"), reason="Misprint?") == 1
    line = bought(world)
    with transaction():
        assert hand_out_own_version(line, by=world.actor("bob")) == []
    key = session.scalars(select(ProductKey)).one()
    with transaction():
        assert release(key, by=world.actor("olga"), reason="The vendor says it is good") == 1
    assert session.scalars(select(KeyAssignment)).one().product_key_id == key.id
    assert [entry.details["reason"] for entry in entries("release_key")] == ["The vendor says it is good"]


def test_b3_a_key_that_somebody_had_never_comes_back(world: World) -> None:
    """I1: a key belongs to one subscription ever."""
    wrong = handed_out(world)
    replace(world, wrong)
    key = session.get_one(ProductKey, wrong.product_key_id)
    with pytest.raises(Refused, match="belongs to one subscription ever"), transaction():
        release(key, by=world.actor("olga"), reason="Give it back")


def test_b3_endings_that_no_free_key_has_are_named_and_nothing_is_taken(world: World) -> None:
    sku = sku_of(world)
    stock(sku, OWN, 2)
    with pytest.raises(Invalid) as refusal, transaction():
        quarantine(pool_of(sku, OWN), [free_keys()[0].last_five, "ZZZZZ"], by=world.actor("olga"), reason="Doubt")
    assert "ZZZZZ" in refusal.value.problems["endings"]
    assert len(free_keys()) == 2


@pytest.mark.parametrize("person", ["alice", "sam"])
def test_d14_only_an_operator_admin_touches_the_stock(world: World, person: str) -> None:
    sku = sku_of(world)
    stock(sku, OWN, 1)
    pool, key = pool_of(sku, OWN), free_keys()[0]
    for act in (
        lambda: quarantine(pool, [key.last_five], by=world.actor(person), reason="Doubt"),
        lambda: release(key, by=world.actor(person), reason="Doubt"),
        lambda: set_threshold(pool, 5, by=world.actor(person)),
    ):
        with pytest.raises(Forbidden), transaction():
            act()


def test_d12_the_threshold_of_a_pool_decides_when_the_operator_is_told(world: World) -> None:
    sku = sku_of(world)
    stock(sku, OWN, 8)
    with transaction():
        set_threshold(pool_of(sku, OWN), 7, by=world.actor("olga"))
    line = bought(world)
    with transaction():
        hand_out_own_version(line, by=world.actor("bob"))
    assert next(mail.subject for mail in session.scalars(select(OutboxMessage))).startswith("Few keys left")
    assert entries("set_low_stock")[0].details == {
        "pools": [f"{sku_of(world).product.product_id}:{sku_of(world).sku_id} {OWN}"],
        "old": "2",
        "new": "7",
    }


def test_d12_the_operator_is_told_when_quarantine_makes_a_pool_low(world: World) -> None:
    sku = sku_of(world)
    stock(sku, OWN, 6)
    endings = [key.last_five for key in free_keys()]
    for some, mails in ((endings[:3], 0), (endings[3:5], 1), (endings[5:], 1)):
        with transaction():
            quarantine(pool_of(sku, OWN), some, by=world.actor("olga"), reason="Misprints")
        found = session.scalars(select(OutboxMessage).where(OutboxMessage.subject.startswith("Few keys left"))).all()
        assert [mail.recipient for mail in found] == [world.actor("olga").email] * mails


# ---------------------------------------------------------------- waiting lines


def wait(world: World) -> Subscription:
    line = bought(world)
    with transaction():
        hand_out_own_version(line, by=world.actor("bob"))
    return line


def test_d12_the_partner_is_told_that_a_waiting_line_has_its_key_and_not_which(world: World) -> None:
    line = wait(world)
    stock(sku_of(world), OWN, 1)
    mails = session.scalars(select(OutboxMessage).where(OutboxMessage.subject.startswith("Keys are ready"))).all()
    assert [mail.recipient for mail in mails] == [world.actor("alice").email]
    assert f"/software?open={session.get_one(Subscription, line.id).uuid}" in mails[0].body
    assert session.scalars(select(ProductKey)).one().last_five not in mails[0].body


def test_d12_a_line_whose_term_ended_waits_no_longer_and_takes_no_key(world: World) -> None:
    line = wait(world)
    with time_machine.travel(session.get_one(Subscription, line.id).ends_at + timedelta(seconds=1), tick=False):
        stock(sku_of(world), OWN, 1)
        assert len(free_keys()) == 1
        ended = session.scalars(select(KeyWait)).one()
        assert (ended.outcome, ended.ended_at) == ("ended", now())
