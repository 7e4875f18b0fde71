"""Races for keys, and what they show: who got what, by the buyers' pages and by the tables, and every fault (B3, R-4)."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from csp_web.db import now, session, transaction
from csp_web.models import KeyAssignment, KeyState, KeyWait, ProductKey
from tests.race.buyers import AGAIN, GOT, LOOK, OPEN, PRESS, WAITS, beginning, new_buyers
from tests.support.crowd import Crowd
from tests.support.stock import sku_of, stock

if TYPE_CHECKING:
    from csp_web.config import Settings
    from tests.race.fault import Fault
    from tests.world import World

OWN = "Windows Server 2025"
PLACED, OPENED = "303", "200 OK"


@dataclass
class Tally:
    """What some rounds showed. ``seconds`` are those between the press and the last answer."""

    rounds: int = 0
    buyers: int = 0
    keys: int = 0
    handed_out: int = 0
    duplicates: int = 0
    waiting: int = 0
    again: int = 0  # presses that were answered by "Many people are saving at the moment … please try again" (503)
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    last: int = 0  # the number of the last hand-out that is counted, or was there before

    def count(self, buyers: int, keys: int, pressed: Counter[str], seen: Counter[str]) -> None:
        """Take one round in: what the buyers were told, then what the tables say."""
        rows = session.execute(_HANDED_OUT.where(KeyAssignment.id > self.last)).all()
        self.last = max([self.last, *(number for number, _key, _line in rows)])
        got = Counter(key for _number, key, _line in rows)
        waiting = session.scalar(_WAITING) or 0
        session.rollback()
        self.rounds, self.buyers, self.keys = self.rounds + 1, self.buyers + buyers, self.keys + keys
        self.handed_out, self.waiting = self.handed_out + len(rows), self.waiting + waiting
        self.duplicates += sum(got.values()) - len(got)
        expected = min(buyers, keys)
        self._expect("answers to the press", pressed, Counter({PLACED: buyers}))
        self._expect("what the buyers see", seen, Counter({GOT: expected, WAITS: buyers - expected}))
        self._expect("keys handed out", len(rows), expected)
        self._expect("different keys handed out", len(got), expected)
        self._expect("different lines that got one", len({line for _number, _key, line in rows}), expected)
        self._expect("lines that wait", waiting, buyers - expected)

    def _expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.faults.append(f"round {self.rounds}: {what}: {_plain(found)} instead of {_plain(wanted)}")


_HANDED_OUT = select(KeyAssignment.id, KeyAssignment.product_key_id, KeyAssignment.subscription_id)
_WAITING = select(func.count(func.distinct(KeyWait.subscription_id))).where(KeyWait.ended_at.is_(None))


def _plain(value: object) -> str:
    return str(dict(sorted(value.items()))) if isinstance(value, Counter) else str(value)


def race(
    world: World,
    settings: Settings,
    *,
    rounds: int,
    buyers: int,
    keys: int,
    clients: int = 64,
    fault: Fault | None = None,
) -> Tally:
    """So many rounds, each with its own buyers and keys; the clients are spread over two processes."""
    tally = Tally(last=session.scalar(select(func.max(KeyAssignment.id))) or 0)
    with Crowd(beginning(world, settings, fault), count=2, threads=clients // 2) as crowd:
        for _round in range(rounds):
            _one_round(world, crowd, tally, buyers, keys)
    return tally


def _one_round(world: World, crowd: Crowd, tally: Tally, buyers: int, keys: int) -> None:
    _give_up_waiting()
    stock(sku_of(world), OWN, keys)
    names = new_buyers(world, buyers)
    opened = Counter(crowd.act([(OPEN, name) for name in names]))
    assert opened == Counter({OPENED: buyers}), opened
    start = time.monotonic()
    answers = crowd.act([(PRESS, name) for name in names])
    tally.seconds += time.monotonic() - start
    tally.again += sum(answer.count(AGAIN) for answer in answers)
    pressed = Counter(answer.removesuffix(AGAIN * answer.count(AGAIN)) for answer in answers)
    tally.count(buyers, keys, pressed, Counter(crowd.act([(LOOK, name) for name in names])))


def _give_up_waiting() -> None:
    """Nobody of an earlier round stands in the queue, and no key of it is free: the rounds are alike."""
    with transaction():
        session.execute(update(KeyWait).where(KeyWait.ended_at.is_(None)).values(ended_at=now(), outcome="cancelled"))
        free = update(ProductKey).where(ProductKey.state == KeyState.FREE).values(state=KeyState.QUARANTINED)
        session.execute(free)
