"""B4: of 24 presses of **Show key** at once, over two processes, exactly as many show a key as the day has left."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from csp_web import db
from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.access.actors import Actor
from csp_web.domain.stock import key_showing
from csp_web.domain.stock.keys import hand_out_own_version, show_key
from csp_web.domain.upkeep import configured
from csp_web.errors import Refused
from csp_web.models import AuditEntry, KeyAssignment, KeyShowings, Subscription
from tests.support.crowd import Part, all_at_once, processes
from tests.support.stock import bought, sku_of, stock
from tests.world import World

QUOTA, PRESSES = 5, 24


def keys_of(world: World) -> list[int]:
    """Keys of lines of their own: nobody waits for another's line."""
    stock(sku_of(world), "Windows Server 2025", PRESSES)
    lines = [bought(world).id for _press in range(PRESSES)]
    with transaction():
        alice = world.actor("alice")
        return [hand_out_own_version(session.get_one(Subscription, line), by=alice)[0].id for line in lines]


def crowd(world: World, settings: Settings, keys: list[int], *, planted: bool = False) -> Counter[str]:
    """What one person is told who presses everywhere at once. ``planted``: with the mistake below."""
    everybody_looks = processes.Barrier(PRESSES)

    def count_what_was_seen(by: Actor) -> None:
        """The planted mistake: how many were shown is read first, and one more is written afterwards."""
        if seen.count >= QUOTA:
            raise Refused("used up")
        session.merge(KeyShowings(user_id=by.id, day=now().date(), count=seen.count + 1))

    seen = threading.local()

    def press(key: int) -> str:
        if planted:
            seen.count = session.scalar(select(KeyShowings.count)) or 0
            session.rollback()
            everybody_looks.wait(20)
        try:
            with transaction():
                show_key(session.get_one(KeyAssignment, key), by=world.actor("alice"))
            return "shown"
        except Refused as refusal:
            return refusal.rule or "refused"

    def begin() -> Part:
        db.configure(settings.database_url)
        configured.configure(replace(settings, show_key_quota=QUOTA))
        if planted:
            key_showing._count = count_what_was_seen
        return press

    return Counter(all_at_once(begin, keys, threads=PRESSES // 2))


def check(outcomes: Counter[str]) -> None:
    """As many as the day has, the rest refused by the rule, the log says the same, and nobody saw an error."""
    assert outcomes == Counter({"shown": QUOTA, "B4": PRESSES - QUOTA})
    assert session.scalar(select(KeyShowings.count)) == QUOTA
    assert session.scalar(select(func.count()).select_from(AuditEntry).filter_by(operation="show_key")) == QUOTA


def test_b4_over_two_processes_the_limit_of_the_day_is_exact(world: World, settings: Settings) -> None:
    check(crowd(world, settings, keys_of(world)))


def test_the_proof_sees_a_limit_that_is_read_before_it_is_written(world: World, settings: Settings) -> None:
    """With the planted mistake the same check must fail, for more keys are shown than the day has."""
    keys = keys_of(world)
    with transaction():
        session.add(KeyShowings(user_id=world.people["alice"], day=now().date(), count=0))
    outcomes = crowd(world, settings, keys, planted=True)
    assert outcomes["shown"] > QUOTA
    with pytest.raises(AssertionError):
        check(outcomes)
