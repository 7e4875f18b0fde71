"""Showing a key: a fresh password, a limit per day that holds for many at once, a reason in the log (B4, D11)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.access.confirming import NotConfirmed, is_confirmed
from csp_web.domain.stock import key_showing
from csp_web.domain.stock.key_showing import showings_left
from csp_web.domain.stock.keys import hand_out_own_version, show_key
from csp_web.domain.upkeep import configured
from csp_web.errors import Invalid, Refused
from csp_web.models import AuditEntry, KeyAssignment
from tests.support.stock import bought, sku_of, stock
from tests.world import World

OWN = "Windows Server 2025"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PATIENCE = 30.0


def ready(world: World) -> int:
    """A key that was handed out; its assignment's number."""
    stock(sku_of(world), OWN, 1)
    line = bought(world)
    with transaction():
        return hand_out_own_version(line, by=world.actor("bob"))[0].id


def show(number: int, by: object, **more: str) -> str:
    with transaction():
        return show_key(session.get_one(KeyAssignment, number), by=by, **more).reveal()  # type: ignore[arg-type]


def shown() -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).filter_by(operation="show_key").order_by(AuditEntry.seq)))


@pytest.mark.parametrize(("ago", "fresh"), [(299, True), (300, False), (301, False)])
def test_b4_a_password_is_fresh_for_five_minutes_half_open(world: World, ago: int, fresh: bool) -> None:
    number = ready(world)
    with time_machine.travel(NOON, tick=False):
        alice = replace(world.actor("alice"), confirmed_at=NOON - timedelta(seconds=ago))
        assert is_confirmed(alice, now()) is fresh
        if fresh:
            assert show(number, alice)
            return
        with pytest.raises(NotConfirmed):
            show(number, alice)
        assert shown() == []


def test_b4_a_person_without_a_session_is_not_confirmed(world: World) -> None:
    with pytest.raises(NotConfirmed):
        show(ready(world), replace(world.actor("alice"), confirmed_at=None))


def test_b4_what_for_is_written_into_the_log_before_the_key_is_given(world: World) -> None:
    show(ready(world), world.actor("alice"), reason="  Ticket\u2028 612, installation ")
    assert shown()[0].details["reason"] == "Ticket 612, installation"


def test_b4_a_reason_that_is_too_long_is_refused_and_nothing_is_shown(world: World) -> None:
    with pytest.raises(Invalid):
        show(ready(world), world.actor("alice"), reason="x" * 201)
    assert shown() == []


def test_b4_the_limit_of_a_day_is_exact_and_ends_at_midnight(world: World, settings: Settings) -> None:
    configured.configure(replace(settings, show_key_quota=3))
    number = ready(world)
    with time_machine.travel(NOON, tick=False) as clock:
        alice = world.actor("alice")
        for left in (2, 1, 0):
            show(number, alice)
            assert showings_left(alice) == left
        with pytest.raises(Refused, match=r"You have shown 3 keys today\. More can be shown from"):
            show(number, alice)
        assert len(shown()) == 3
        clock.move_to(NOON.replace(hour=23, minute=59, second=59))
        with pytest.raises(Refused):
            show(number, world.actor("alice"))
        clock.move_to(NOON.replace(hour=0) + timedelta(days=1))
        assert show(number, world.actor("alice"))


def test_b4_what_was_refused_is_not_counted(world: World, settings: Settings) -> None:
    configured.configure(replace(settings, show_key_quota=1))
    number = ready(world)
    for _each in range(3):
        with pytest.raises(NotConfirmed):
            show(number, replace(world.actor("alice"), confirmed_at=None))
    assert showings_left(world.actor("alice")) == 1


def crowd(world: World, number: int, count: int) -> list[str]:
    """What so many at once are told: "shown" or "refused"."""
    alice, said, gate = world.actor("alice"), [], threading.Barrier(count)

    def one() -> None:
        try:
            gate.wait(PATIENCE)
            show(number, alice)
            said.append("shown")
        except Refused:
            said.append("refused")
        finally:
            session.remove()

    threads = [threading.Thread(target=one) for _each in range(count)]
    session.remove()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return said


def test_b4_of_many_at_once_exactly_as_many_as_the_limit_are_shown(world: World, settings: Settings) -> None:
    configured.configure(replace(settings, show_key_quota=5))
    said = crowd(world, ready(world), 8)
    assert sorted(said) == ["refused"] * 3 + ["shown"] * 5
    assert len(shown()) == 5


def test_b4_a_limit_that_is_read_and_then_written_would_be_caught(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault, planted: nothing is counted, so nobody is refused."""
    configured.configure(replace(settings, show_key_quota=5))
    monkeypatch.setattr(key_showing, "_count", lambda _by: None)
    assert crowd(world, ready(world), 8).count("shown") == 8
