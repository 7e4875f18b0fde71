"""Two support agents approve the same cancellation at the same instant: one refund, one answer (T8, D5, D6)."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest

from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain import audit
from csp_web.domain.support.cancellations import approve
from csp_web.domain.support.refunds import refundable
from csp_web.errors import Conflict, Refused
from csp_web.models import AccountEntry, AuditEntry, Cancellation, Refund, Role, Ticket, TicketNote
from tests.support.tickets import file_refund, file_ticket, install_types, line, line_of, refund_details
from tests.world import World, make_user

PATIENCE = 60.0
processes = multiprocessing.get_context("fork")


@pytest.fixture
def ticket(world: World) -> Ticket:
    install_types()
    with transaction():
        for number in range(2):
            made = make_user(world.partners["northwind"], f"agent{number}@northwind.example", [Role.SUPPORT_AGENT])
            world.people[f"agent{number}"] = made.id
    return file_refund(world, line_of(world))


def approve_as(world: World, who: str, wanted: int) -> str:
    """What came of it, in a word."""
    try:
        with transaction():
            approve(session.get_one(Cancellation, wanted), by=world.actor(who))
    except Conflict:
        return "too late"
    finally:
        session.remove()
    return "approved"


def assert_one_refund(ticket_id: int) -> None:
    session.rollback()
    session.expire_all()
    assert [refund.amount for refund in session.query(Refund)] == [107_800]
    assert sorted(entry.amount for entry in session.query(AccountEntry)) == [-107_800, 107_800]
    assert session.query(TicketNote).filter_by(ticket_id=ticket_id).count() == 1
    assert session.query(AuditEntry).filter_by(operation="approve_cancellation").count() == 1
    assert refundable(line(1)) == 0
    assert list(audit.broken_links()) == []


def test_t8_two_threads_approve_once(world: World, ticket: Ticket) -> None:
    wanted, ticket_id = session.query(Cancellation).one().id, ticket.id
    session.remove()
    together, said = threading.Barrier(2), SimpleQueue[str]()

    def work(who: str) -> None:
        together.wait(PATIENCE)
        said.put(approve_as(world, who, wanted))

    threads = [threading.Thread(target=work, args=(f"agent{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(said.get(timeout=1) for _thread in threads) == ["approved", "too late"]
    assert_one_refund(ticket_id)


def in_process(url: str, together: Any, said: Any, act: Callable[[], str]) -> None:
    """What a process of its own does: connections of its own, then the act at the same instant as the other's."""
    db.configure(url)
    together.wait(PATIENCE)
    said.put(act())


def race(url: str, acts: list[Callable[[], str]]) -> list[str]:
    """Run each act in a process of its own, all at once; what they said, sorted."""
    session.remove()
    db.engine().dispose()
    together, said = processes.Barrier(len(acts)), processes.Queue()
    children = [processes.Process(target=in_process, args=(url, together, said, act)) for act in acts]
    for child in children:
        child.start()
    words = sorted(said.get(timeout=PATIENCE) for _child in children)
    for child in children:
        child.join(PATIENCE)
    return words


def test_t8_two_processes_approve_once(world: World, ticket: Ticket, database_url: str) -> None:
    wanted, ticket_id = session.query(Cancellation).one().id, ticket.id
    acts = [partial(approve_as, world, f"agent{number}", wanted) for number in range(2)]
    assert race(database_url, list(acts)) == ["approved", "too late"]
    assert_one_refund(ticket_id)


def file_again(world: World, number: int, token: str) -> str:
    try:
        file_ticket(world, refund_details(line(number)), token=token)
    except Refused:
        return "already requested"
    finally:
        session.remove()
    return "filed"


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (
            ("form-number-one", "form-number-two", "form-number-three"),
            ["already requested", "already requested", "filed"],
        ),
        (("the-same-form", "the-same-form", "the-same-form"), ["filed", "filed", "filed"]),
    ],
    ids=["three forms", "one form sent three times"],
)
def test_t6_d5_a_line_is_requested_once_however_many_ask(
    world: World, database_url: str, tokens: tuple[str, ...], words: list[str]
) -> None:
    install_types()
    number = line_of(world)
    assert race(database_url, [partial(file_again, world, number, token) for token in tokens]) == words
    assert session.query(Cancellation).count() == 1
    assert session.query(Ticket).count() == 1
