"""Cancelling: who, until when, with which effects, all or nothing (R30-R36, D1, D5, D7, B1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from csp_web.db import session, transaction
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.domain.stock.keys import hand_out_own_version, show_key
from csp_web.domain.support import cancellations as module
from csp_web.domain.support.cancellations import approve, cancellation_terms, decline
from csp_web.errors import Conflict, Forbidden, Refused
from csp_web.i18n import use_place
from csp_web.models import (
    AccountEntry,
    AuditEntry,
    Cancellation,
    CancellationState,
    CancellationStep,
    DownloadLink,
    DownloadOption,
    Entitlement,
    KeyAssignment,
    KeyState,
    KeyWait,
    OutboxMessage,
    ProductKey,
    Refund,
    Role,
    SubscriptionStatus,
    Ticket,
    TicketNote,
    TicketStatus,
    User,
)
from tests.support.files import add_option
from tests.support.stock import sku_of, stock
from tests.support.tickets import (
    DAYS_60,
    ORDERED,
    SECOND,
    approve_ticket,
    cancellation,
    file_refund,
    install_types,
    line,
    line_of,
)
from tests.world import World, make_customer, make_user


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WINDOWS = [  # expected instants worked out by hand
    ("spring clock change", "2026-03-01T10:00:00", "2026-04-30T09:59:59", "2026-04-30T10:00:00"),
    ("autumn clock change", "2026-10-01T10:00:00", "2026-11-30T09:59:59", "2026-11-30T10:00:00"),
    ("leap day", "2028-01-15T00:00:00", "2028-03-14T23:59:59", "2028-03-15T00:00:00"),
    ("year end", "2026-12-31T23:59:59", "2027-03-01T23:59:58", "2027-03-01T23:59:59"),
]


@pytest.mark.parametrize(("start", "last", "first"), [case[1:] for case in WINDOWS], ids=[case[0] for case in WINDOWS])
def test_r32_r34_d1_the_window_is_60_times_24_hours_and_half_open(
    world: World, start: str, last: str, first: str
) -> None:
    bought = line(line_of(world, at=utc(start)))
    assert cancellation_terms(bought, utc(last)).may
    assert cancellation_terms(bought, utc(last)).left == SECOND
    refused = cancellation_terms(bought, utc(first))
    assert (refused.may, refused.rule, refused.left) == (False, "R34", timedelta(0))
    assert refused.until == utc(first)
    assert first.replace("T", " ") in refused.reason


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin", "UTC"])
def test_d1_the_instant_is_the_same_in_every_zone_and_shown_in_the_readers(world: World, zone: str) -> None:
    bought = line(line_of(world))
    with use_place("en", zone):
        assert cancellation_terms(bought, ORDERED + DAYS_60 - SECOND).may
        assert not cancellation_terms(bought, ORDERED + DAYS_60).may
        shown = cancellation_terms(bought, ORDERED + DAYS_60).reason
    local = {"Pacific/Kiritimati": "1 May 2026, 00:00", "Etc/GMT+12": "29 Apr 2026, 22:00"}
    assert local.get(zone, "30 Apr 2026, 1") in shown


def test_r32_r34_the_request_one_second_before_the_end_is_taken_at_the_end_it_is_refused(world: World) -> None:
    early, late = line_of(world), line_of(world)
    taken = file_refund(world, early, at=ORDERED + DAYS_60 - SECOND)
    assert cancellation(taken).requested_at == ORDERED + DAYS_60 - SECOND
    with pytest.raises(Refused) as refusal:
        file_refund(world, late, at=ORDERED + DAYS_60)
    assert refusal.value.rule == "R34"
    assert session.query(Ticket).count() == 1


def test_d1_the_instant_of_the_request_decides_however_late_support_acts(world: World) -> None:
    ticket = file_refund(world, line_of(world), at=ORDERED + DAYS_60 - SECOND)
    with transaction():
        approve(cancellation(ticket), by=world.actor("sam"), at=ORDERED + timedelta(days=200))
    assert cancellation(ticket).state is CancellationState.COMPLETED


@pytest.mark.parametrize("who", ["bob", "helen", "bill", "sam", "olga"])
def test_r31_only_an_admin_agent_cancels(world: World, who: str) -> None:
    bought = line_of(world)
    with pytest.raises(Forbidden) as refusal:
        file_refund(world, bought, by=who)
    assert "agent" in refusal.value.sentence
    assert session.query(Ticket).count() == 0


def test_r31_the_refusal_names_the_role(world: World) -> None:
    with pytest.raises(Forbidden, match="Admin agent"):
        file_refund(world, line_of(world), by="helen")


def test_d5_one_live_request_per_line_and_the_reason_names_its_ticket(world: World) -> None:
    bought = line_of(world)
    first = file_refund(world, bought)
    with pytest.raises(Refused, match=first.number):
        file_refund(world, bought)
    terms = cancellation_terms(line(bought), ORDERED)
    assert (terms.may, terms.ticket) == (False, first.number)


def test_d8_a_reservation_has_a_policy_of_its_own(world: World) -> None:
    terms = cancellation_terms(line(line_of(world, "reservation-US")), ORDERED)
    assert (terms.may, terms.rule) == (False, "D8")
    assert "reservations" in terms.reason


def test_d8_the_policy_frozen_on_the_line_decides(world: World) -> None:
    short = line_of(world)
    with transaction():
        line(short).policy_terms = {"steps": [{"until_hours": 168, "refund": "full"}]}
        line(short).cancel_until = ORDERED + timedelta(hours=168)
    terms = cancellation_terms(line(short), ORDERED + timedelta(days=10))
    assert not terms.may
    assert "7 days" in terms.reason


def furnished(world: World) -> int:
    """A line with a key, a waiting older version and a live link."""
    stock(sku_of(world), "Windows Server 2025", 1)
    option = add_option(world).id
    bought = line_of(world, at=datetime.now(UTC))
    with transaction():
        hand_out_own_version(line(bought), by=world.actor("alice"))
        get_keys_and_downloads(line(bought), session.get_one(DownloadOption, option), by=world.actor("alice"))
        entitlement = session.query(Entitlement).filter_by(subscription_id=bought).one()
        pool = session.get_one(ProductKey, 1).pool_id
        session.add(
            KeyWait(pool_id=pool, subscription_id=bought, entitlement_id=entitlement.id, version="Windows Server 2019")
        )
    return bought


def test_r30_b1_approving_does_everything_in_one_act(world: World) -> None:
    bought = furnished(world)
    ticket = file_refund(world, bought, at=datetime.now(UTC))
    approve_ticket(world, ticket, note="Done.")
    done = cancellation(ticket)
    assert line(bought).status is SubscriptionStatus.CANCELLED
    assert line(bought).cancelled_at is not None
    assert session.query(KeyAssignment).one().revoked_at is not None
    assert session.query(ProductKey).one().state is KeyState.QUARANTINED
    assert session.query(KeyWait).one().outcome == "cancelled"
    assert session.query(DownloadLink).one().revoked_at is not None
    assert [step.state.value for step in done.steps] == ["requested", "approved", "completed"]
    assert done.refund is not None
    assert (done.refund.amount, done.refund.currency) == (107_800, "USD")
    assert sorted(entry.amount for entry in session.query(AccountEntry)) == [-107_800, 107_800]
    assert session.get_one(Ticket, ticket.id).status is TicketStatus.CLOSED
    note = session.query(TicketNote).one()
    assert note.text.startswith("Done.")
    assert "1,078.00" in note.text
    assert session.get_one(Ticket, ticket.id).first_answered_at is not None


def test_b11_approving_is_in_the_partners_log(world: World) -> None:
    ticket = file_refund(world, line_of(world))
    approve_ticket(world, ticket)
    told = session.query(AuditEntry).filter_by(partner_id=world.partners["contoso"])
    operations = [entry.operation for entry in told.order_by(AuditEntry.seq)]
    assert operations == ["open_ticket", "request_cancellation", "refund", "approve_cancellation"]


def test_d5_the_answer_speaks_the_language_of_whoever_asked(world: World) -> None:
    with transaction():
        session.get_one(User, world.people["alice"]).language = "ru"
    ticket = file_refund(world, line_of(world))
    session.query(OutboxMessage).delete()
    session.commit()
    approve_ticket(world, ticket)
    note, mail = session.query(TicketNote).one(), session.query(OutboxMessage).one()
    assert mail.recipient == "alice@contoso.example"
    assert note.text in mail.body
    assert "1 078,00" in note.text.replace("\xa0", " ")


STEPS = ("revoke_keys", "revoke_links", "record_refund", "add_note", "change_status", "tell_partner")


@pytest.mark.parametrize("step", STEPS)
def test_b1_when_any_step_fails_nothing_happened(world: World, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    bought = furnished(world)
    ticket = file_refund(world, bought, at=datetime.now(UTC))
    before = everything()
    monkeypatch.setattr(module, step, breaking)
    with pytest.raises(RuntimeError, match="broken"):
        approve_ticket(world, ticket)
    assert everything() == before


def test_b11_without_audit_there_is_no_act(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = file_refund(world, furnished(world), at=datetime.now(UTC))
    before = everything()
    monkeypatch.setattr("csp_web.domain.audit.digest", breaking)
    with pytest.raises(RuntimeError, match="broken"):
        approve_ticket(world, ticket)
    assert everything() == before


def breaking(*_args: Any, **_more: Any) -> None:
    raise RuntimeError("broken")


def everything() -> list[Any]:
    """What approving would change, as the database has it now."""
    session.rollback()
    session.expire_all()
    rows: list[Callable[[], Any]] = [
        lambda: [(c.state, len(c.steps)) for c in session.query(Cancellation)],
        lambda: [(t.status, t.updated_at, t.first_answered_at) for t in session.query(Ticket)],
        lambda: [a.revoked_at for a in session.query(KeyAssignment)],
        lambda: [k.state for k in session.query(ProductKey)],
        lambda: [w.ended_at for w in session.query(KeyWait)],
        lambda: [x.revoked_at for x in session.query(DownloadLink)],
        lambda: [session.query(m).count() for m in (AccountEntry, Refund, TicketNote, CancellationStep, OutboxMessage)],
        lambda: session.query(AuditEntry).count(),
    ]
    return [read() for read in rows]


def test_d5_approving_twice_by_the_same_person_is_one_act(world: World) -> None:
    ticket = file_refund(world, line_of(world))
    approve_ticket(world, ticket)
    approve_ticket(world, ticket)
    assert session.query(Refund).count() == 1
    assert session.query(TicketNote).count() == 1


def test_d5_a_colleagues_decision_stands_and_is_named(world: World) -> None:
    with transaction():
        world.people["sonja"] = make_user(
            world.partners["northwind"], "sonja@northwind.example", [Role.SUPPORT_AGENT]
        ).id
    ticket = file_refund(world, line_of(world))
    approve_ticket(world, ticket)
    with pytest.raises(Conflict, match="Sam"):
        approve_ticket(world, ticket, by="sonja")
    with pytest.raises(Conflict, match="approved"), transaction():
        decline(cancellation(ticket), by=world.actor("sonja"), reason="No.")


def test_d5_a_single_resellers_support_agent_decides_about_its_own_request(world: World) -> None:
    with transaction():
        world.customers["own"] = make_customer(world.partners["northwind"], "Own").id
        roles = [Role.ADMIN_AGENT, Role.SUPPORT_AGENT]
        world.people["ann"] = make_user(world.partners["northwind"], "ann@northwind.example", roles).id
    ticket = file_refund(world, line_of(world, customer="own", by="ann"), by="ann")
    approve_ticket(world, ticket, by="ann")
    assert cancellation(ticket).state is CancellationState.COMPLETED


@pytest.mark.parametrize("who", ["alice", "audrey", "charlie", "olga"])
def test_d5_only_support_decides(world: World, who: str) -> None:
    ticket = file_refund(world, line_of(world))
    with pytest.raises(Forbidden, match="Support agent"):
        approve_ticket(world, ticket, by=who)
    with pytest.raises(Forbidden, match="Support agent"), transaction():
        decline(cancellation(ticket), by=world.actor(who), reason="No.")


@pytest.mark.parametrize(("close", "status"), [(False, TicketStatus.ATTENTION_NEEDED), (True, TicketStatus.CLOSED)])
def test_d5_declining_tells_why_and_touches_nothing_else(world: World, close: bool, status: TicketStatus) -> None:
    with time_machine.travel(ORDERED + timedelta(days=1), tick=False):
        bought = line_of(world)
        ticket = file_refund(world, bought)
        with transaction():
            decline(cancellation(ticket), by=world.actor("sam"), reason="The key was used.", close=close)
        assert cancellation(ticket).state is CancellationState.DECLINED
        assert session.get_one(Ticket, ticket.id).status is status
        note = session.query(TicketNote).one().text
        assert "The key was used." in note
        assert "2026-04-30 10:00:00 UTC" in note
        assert line(bought).status is SubscriptionStatus.ACTIVE
        assert session.query(Refund).count() == 0


def test_d5_after_a_refusal_it_may_be_requested_again_while_the_window_is_open(world: World) -> None:
    bought = line_of(world)
    first = file_refund(world, bought)
    with transaction():
        decline(cancellation(first), by=world.actor("sam"), reason="Which key?")
    again = file_refund(world, bought, at=ORDERED + DAYS_60 - SECOND)
    approve_ticket(world, again)
    with pytest.raises(Refused, match="cancelled on"):
        file_refund(world, bought)


def test_p24_p25_only_the_cancelled_line_ends(world: World) -> None:
    kept, cancelled = line_of(world), line_of(world)
    approve_ticket(world, file_refund(world, cancelled))
    assert line(kept).status is SubscriptionStatus.ACTIVE
    assert line(cancelled).status is SubscriptionStatus.CANCELLED


def line_with_unseen_key(world: World) -> int:
    """A line under terms by which it can be cancelled only while no key has been shown."""
    stock(sku_of(world), "Windows Server 2025", 1)
    number = line_of(world)
    with transaction():
        bought = line(number)
        bought.policy_terms = {**bought.policy_terms, "requires_key_unseen": True}
        hand_out_own_version(bought, by=world.actor("alice"))
    return number


def show_its_key(world: World, number: int) -> None:
    with transaction():
        show_key(session.query(KeyAssignment).filter_by(subscription_id=number).one(), by=world.actor("alice"))


def test_d8_once_a_key_was_shown_its_line_cannot_be_cancelled_where_the_terms_say_so(world: World) -> None:
    number = line_with_unseen_key(world)
    assert cancellation_terms(line(number), ORDERED).may
    show_its_key(world, number)
    assert "only while no key has been shown" in cancellation_terms(line(number), ORDERED).reason
    with pytest.raises(Refused, match="only while no key"):
        file_refund(world, number)


def test_d8_where_the_terms_say_so_no_key_is_shown_of_a_line_that_is_to_be_cancelled(world: World) -> None:
    """Else it would be asked for first, seen then, and paid back after that."""
    number = line_with_unseen_key(world)
    ticket = file_refund(world, number)
    with pytest.raises(Refused, match=ticket.number):
        show_its_key(world, number)
    assert session.query(KeyAssignment).one().first_shown_at is None
    with transaction():
        decline(cancellation(ticket), by=world.actor("sam"), reason="Not yet")
    show_its_key(world, number)
    assert session.query(KeyAssignment).one().first_shown_at is not None
