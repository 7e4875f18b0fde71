"""Keys: handed out exactly once, waiting, shown as an audited act, revoked into quarantine (R18, R19, R30, D11, D12, B3)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from csp_web.db import now, session, transaction
from csp_web.domain.long_work import periodic
from csp_web.domain.stock.keys import (
    find_assignment,
    find_entitlement,
    hand_out_own_version,
    import_keys,
    key_for_version,
    revoke_keys,
    show_key,
)
from csp_web.errors import Forbidden, NotFound, Refused
from csp_web.models import (
    AuditEntry,
    Entitlement,
    KeyAssignment,
    KeyState,
    KeyWait,
    OutboxMessage,
    ProductKey,
    Subscription,
)
from tests.support.stock import bought, new_key, pool_of, row_of, sheet, sku_of, stock
from tests.world import World, make_offer

OWN, OLDER = "Windows Server 2025", "Windows Server 2019"


def hand_out(subscription: Subscription, world: World) -> None:
    with transaction():
        hand_out_own_version(subscription, by=world.actor("bob"))


def states() -> dict[str, int]:
    rows = session.execute(select(ProductKey.state, func.count()).group_by(ProductKey.state))
    return {state.value: count for state, count in rows}


def operations() -> list[str]:
    return list(session.scalars(select(AuditEntry.operation).order_by(AuditEntry.seq)))


def the_key_of(subscription: Subscription) -> KeyAssignment:
    return session.scalars(select(KeyAssignment).filter_by(subscription_id=subscription.id)).one()


def suite(world: World) -> Subscription:
    """A line with two entitlements: the product's own, and an included one."""
    subscription = bought(world)
    with transaction():
        other = sku_of(world, "sql-US")
        session.add(
            Entitlement(subscription_id=subscription.id, product_id=other.product_id, sku_id=other.id, quantity=1)
        )
    return subscription


# ---------------------------------------------------------------- handing out


def test_r18_the_key_of_the_own_version_is_taken_with_the_order(world: World) -> None:
    stock(sku_of(world), OWN, 3)
    subscription = bought(world)
    hand_out(subscription, world)
    assert the_key_of(subscription).version == OWN
    assert states() == {"free": 2, "handed_out": 1}


def test_b3_handing_out_twice_takes_one_key(world: World) -> None:
    stock(sku_of(world), OWN, 3)
    subscription = bought(world)
    hand_out(subscription, world)
    hand_out(subscription, world)
    assert states() == {"free": 2, "handed_out": 1}


def test_b3_a_thousand_activations_are_one_key(world: World) -> None:
    """The quantity is the number of the key's activations, not a number of keys."""
    stock(sku_of(world), OWN, 2)
    subscription = bought(world)
    with transaction():
        session.get_one(Subscription, subscription.id).quantity = 1000
    hand_out(subscription, world)
    assert states() == {"free": 1, "handed_out": 1}


def test_b6_after_the_term_no_new_key_is_taken_and_the_old_one_stays(world: World) -> None:
    for version in (OWN, OLDER):
        stock(sku_of(world), version, 1)
    subscription = bought(world)
    hand_out(subscription, world)
    with transaction():
        session.get_one(Subscription, subscription.id).ends_at = now()
    entitlement = session.scalars(select(Entitlement).filter_by(subscription_id=subscription.id)).one()
    with transaction():
        assert key_for_version(entitlement, OWN, by=world.actor("alice")) is the_key_of(subscription)
    with pytest.raises(Refused, match="term of this subscription ended"), transaction():
        key_for_version(entitlement, OLDER, by=world.actor("alice"))
    assert states() == {"free": 1, "handed_out": 1}


def test_every_entitlement_of_a_suite_gets_its_own_key(world: World) -> None:
    stock(sku_of(world), OWN, 1)
    stock(sku_of(world, "sql-US"), "SQL Server 2025", 1)
    subscription = suite(world)
    hand_out(subscription, world)
    versions = session.scalars(select(KeyAssignment.version).filter_by(subscription_id=subscription.id))
    assert sorted(versions) == ["SQL Server 2025", OWN]


def test_d12_fewer_keys_than_needed_none_is_taken_and_the_line_waits(world: World) -> None:
    stock(sku_of(world), OWN, 5)
    subscription = suite(world)
    hand_out(subscription, world)
    assert states() == {"free": 5}
    assert session.scalar(select(func.count()).select_from(KeyWait).filter_by(subscription_id=subscription.id)) == 2


def test_d12_the_operator_is_told_once_per_pool_and_not_the_key(world: World) -> None:
    for _line in range(3):
        hand_out(bought(world), world)
    mails = session.scalars(select(OutboxMessage)).all()
    assert [mail.recipient for mail in mails] == ["olga@northwind.example"]
    assert OWN in mails[0].subject


def test_b3_the_operator_is_told_when_stock_falls_to_its_limit(world: World) -> None:
    stock(sku_of(world), OWN, 4)
    told = []
    for _line in range(4):
        hand_out(bought(world), world)
        told.append(session.scalar(select(func.count()).select_from(OutboxMessage)))
    assert told == [0, 1, 1, 1], "at two free keys, and only then"


def test_a_product_without_keys_takes_none_and_does_not_wait(world: World) -> None:
    subscription = bought(world, "reservation-US")
    hand_out(subscription, world)
    assert states() == {}
    assert session.scalar(select(func.count()).select_from(KeyWait)) == 0


# ---------------------------------------------------------------- older versions


def entitlement_of(subscription: Subscription) -> Entitlement:
    return session.scalars(select(Entitlement).filter_by(subscription_id=subscription.id).limit(1)).one()


def ask(world: World, subscription: Subscription, version: str, by: str = "alice") -> int:
    with transaction():
        got = key_for_version(entitlement_of(subscription), version, by=world.actor(by))
        return got.product_key_id if isinstance(got, KeyAssignment) else 0


def test_r28_an_older_version_has_a_key_of_its_own_and_asked_again_the_same(world: World) -> None:
    stock(sku_of(world), OLDER, 2)
    subscription = bought(world)
    first = ask(world, subscription, OLDER)
    assert first
    assert ask(world, subscription, OLDER) == first
    assert states() == {"free": 1, "handed_out": 1}


def test_d12_a_version_without_stock_waits_once(world: World) -> None:
    subscription = bought(world)
    assert ask(world, subscription, OLDER) == ask(world, subscription, OLDER) == 0
    assert session.scalar(select(func.count()).select_from(KeyWait)) == 1


@pytest.mark.parametrize("person", ["bob", "helen", "bill", "audrey", "sam", "olga"])
def test_r19_only_an_admin_agent_gets_a_key(world: World, person: str) -> None:
    stock(sku_of(world), OLDER, 1)
    subscription = bought(world)
    with pytest.raises(Forbidden):
        ask(world, subscription, OLDER, by=person)
    assert states() == {"free": 1}


# ---------------------------------------------------------------- import


def test_d12_stock_that_arrives_fills_the_oldest_first(world: World) -> None:
    lines = [bought(world) for _each in range(3)]
    for line in lines:
        hand_out(line, world)
    assert stock(sku_of(world), OWN, 2).filled == 2
    have = set(session.scalars(select(KeyAssignment.subscription_id)))
    assert have == {lines[0].id, lines[1].id}
    assert states() == {"handed_out": 2}


def test_d12_a_suite_is_filled_wholly_or_not_and_holds_up_nobody(world: World) -> None:
    both, single = suite(world), bought(world)
    for line in (both, single):
        hand_out(line, world)
    stock(sku_of(world), OWN, 1)
    assert set(session.scalars(select(KeyAssignment.subscription_id))) == {single.id}
    stock(sku_of(world), OWN, 1)
    assert stock(sku_of(world, "sql-US"), "SQL Server 2025", 1).filled == 1
    assert session.scalar(select(func.count()).select_from(KeyAssignment).filter_by(subscription_id=both.id)) == 2


def test_d12_a_key_that_lies_free_beside_a_waiting_line_is_given_by_the_periodic_job(world: World) -> None:
    """As when the order that was taking it failed after the line had been told to wait."""
    subscription = bought(world)
    hand_out(subscription, world)
    stock(sku_of(world), OLDER, 1)
    own = pool_of(sku_of(world), OWN).id
    with transaction():
        session.scalars(select(ProductKey)).one().pool_id = own
    job = next(each.job for each in periodic.rounds() if "idle keys" in each.name)
    assert [job(now()), job(now())] == [1, 0]
    assert the_key_of(subscription).version == OWN


def test_d11_a_key_is_not_in_the_database_and_not_in_the_log(world: World) -> None:
    key = new_key()
    sku = sku_of(world)
    with transaction():
        import_keys(sheet(row_of(sku, OWN, key)), by=world.actor("olga"))
    rows = session.execute(select(ProductKey)).scalars().all()
    assert rows[0].last_five == key[-5:]
    assert key.encode() not in rows[0].ciphertext
    assert all(key not in str(entry.details) for entry in session.scalars(select(AuditEntry)))


def test_d11_a_duplicate_is_named_by_its_line_and_nothing_is_imported(world: World) -> None:
    sku, key = sku_of(world), new_key()
    with transaction():
        import_keys(sheet(row_of(sku, OWN, key)), by=None)
    again, twice = new_key(), new_key()
    with transaction():
        report = import_keys(
            sheet(row_of(sku, OWN, again), row_of(sku, OWN, key), row_of(sku, OWN, twice), row_of(sku, OLDER, twice)),
            by=None,
        )
    assert [error.line for error in report.errors] == [3, 5]
    said = " ".join(map(str, report.errors))
    assert not any(secret in said for secret in (key, twice))
    assert states() == {"free": 1}


def test_an_unknown_product_is_an_error_of_its_row(world: World) -> None:
    sku = sku_of(world)
    cal = f"{sku.product.product_id},9999,{OWN},{new_key()}"
    reservation = row_of(sku_of(world, "reservation-US"), "x", new_key())
    with transaction():
        report = import_keys(sheet(row_of(sku, OWN, new_key()), cal, reservation), by=None)
    assert [error.line for error in report.errors] == [3, 4]
    assert states() == {}


def test_a_dry_run_says_the_same_and_stores_nothing(world: World) -> None:
    hand_out(bought(world), world)
    sku = sku_of(world)
    with transaction():
        report = import_keys(sheet(row_of(sku, OWN, new_key()), row_of(sku, OWN, new_key())), by=None, dry_run=True)
    assert (report.rows, report.added, report.filled, report.errors) == (2, 2, 1, [])
    assert states() == {}


@pytest.mark.parametrize("person", ["alice", "sam", "bob"])
def test_d14_only_an_operator_admin_imports(world: World, person: str) -> None:
    with pytest.raises(Forbidden), transaction():
        import_keys(sheet(row_of(sku_of(world), OWN, new_key())), by=world.actor(person))


def test_b11_an_import_and_every_key_it_hands_out_are_in_the_log(world: World) -> None:
    hand_out(bought(world), world)
    stock(sku_of(world), OWN, 1)
    assert operations() == ["wait_for_key", "hand_out_key", "import_keys"]


# ---------------------------------------------------------------- show


def test_r18_show_key_gives_the_key_and_marks_it_shown(world: World) -> None:
    key = new_key()
    sku = sku_of(world)
    with transaction():
        import_keys(sheet(row_of(sku, OWN, key)), by=None)
    subscription = bought(world)
    hand_out(subscription, world)
    with transaction():
        shown = show_key(the_key_of(subscription), by=world.actor("alice"))
    assert shown.reveal() == key
    assert the_key_of(subscription).first_shown_by_id == world.people["alice"]
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    assert (entry.operation, entry.actor_email) == ("show_key", "alice@contoso.example")
    assert key not in str(entry.details)


def test_d11_no_log_no_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log cannot be written the act fails: nothing is marked as shown."""
    stock(sku_of(world), OWN, 1)
    subscription = bought(world)
    hand_out(subscription, world)

    def broken(entry: object) -> None:
        raise OSError("no log")

    monkeypatch.setattr("csp_web.domain.audit._append", broken)
    with pytest.raises(OSError, match="no log"), transaction():
        show_key(the_key_of(subscription), by=world.actor("alice"))
    assert the_key_of(subscription).first_shown_at is None


@pytest.mark.parametrize("person", ["bob", "helen", "audrey", "sam", "olga"])
def test_r19_only_an_admin_agent_sees_a_key(world: World, person: str) -> None:
    stock(sku_of(world), OWN, 1)
    subscription = bought(world)
    hand_out(subscription, world)
    with pytest.raises(Forbidden), transaction():
        show_key(the_key_of(subscription), by=world.actor(person))


# ---------------------------------------------------------------- revoke


def test_r30_revoked_keys_go_to_quarantine_and_are_not_shown(world: World) -> None:
    stock(sku_of(world), OWN, 1)
    subscription = bought(world)
    hand_out(subscription, world)
    with transaction():
        assert revoke_keys(subscription, by=world.actor("sam"), reason="cancelled") == 1
    assert states() == {"quarantined": 1}
    with pytest.raises(Refused, match="cancelled"), transaction():
        show_key(the_key_of(subscription), by=world.actor("alice"))


def test_r30_revoking_twice_is_once_and_ends_the_waiting(world: World) -> None:
    subscription = suite(world)
    hand_out(subscription, world)
    with transaction():
        assert revoke_keys(subscription, by=world.actor("sam"), reason="cancelled") == 0
    with transaction():
        revoke_keys(subscription, by=world.actor("sam"), reason="again")
    assert set(session.scalars(select(KeyWait.outcome))) == {"cancelled"}
    assert operations().count("revoke_keys") == 1
    assert stock(sku_of(world), OWN, 1).filled == 0


def test_b3_a_revoked_key_is_never_handed_out_again(world: World) -> None:
    stock(sku_of(world), OWN, 1)
    first, second = bought(world), bought(world)
    hand_out(first, world)
    with transaction():
        revoke_keys(first, by=world.actor("sam"), reason="cancelled")
    hand_out(second, world)
    assert states() == {"quarantined": 1}
    assert session.scalar(select(func.count()).select_from(KeyAssignment).filter_by(subscription_id=second.id)) == 0


def test_i1_no_key_is_free_and_handed_out_or_with_two(world: World) -> None:
    stock(sku_of(world), OWN, 4)
    for _line in range(6):
        hand_out(bought(world), world)
    free_but_given = select(KeyAssignment).join(ProductKey).where(ProductKey.state == KeyState.FREE)
    assert session.scalars(free_but_given).all() == []
    assert session.scalar(select(func.count(func.distinct(KeyAssignment.product_key_id)))) == 4


def test_ids_of_another_line_are_not_found(world: World) -> None:
    stock(sku_of(world), OWN, 1)
    mine, other = bought(world), bought(world, "windows-DE", customer="tailspin", by="charlie")
    hand_out(mine, world)
    with pytest.raises(NotFound):
        find_assignment(other, the_key_of(mine).id)
    with pytest.raises(NotFound):
        find_entitlement(other, entitlement_of(mine).id)


def test_pools_are_told_apart_by_version(world: World) -> None:
    with transaction():
        make_offer("windows", market="FR", currency="EUR")
    stock(sku_of(world), OWN, 1)
    stock(sku_of(world), OLDER, 1)
    assert pool_of(sku_of(world), OWN).id != pool_of(sku_of(world), OLDER).id
