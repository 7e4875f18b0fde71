"""The list of support requests and the page of one: who sees what, filters, pages, statements (B10, S-1)."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy import event

from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain.support import tickets
from csp_web.domain.support.ticket_list import TicketFilter, list_tickets, name_of_customer
from csp_web.domain.support.ticket_page import ticket_page
from csp_web.errors import NotFound
from csp_web.models import (
    Impact,
    Subscription,
    Ticket,
    TicketStatus,
)
from tests.support.tickets import (
    ORDERED,
    file_refund,
    file_ticket,
    install_types,
    line_of,
    new_token,
    other_details,
)
from tests.world import World, make_subscription


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def numbers(world: World, who: str, **wanted: object) -> set[str]:
    return {row.number for row in list_tickets(world.actor(who), TicketFilter(**wanted)).rows}  # type: ignore[arg-type]


def test_b10_s1_the_whole_team_sees_its_own_and_support_sees_all(world: World) -> None:
    own = file_ticket(world, other_details(), by="bob").number
    foreign = file_ticket(world, other_details(), by="charlie").number
    for who in ("alice", "bob", "helen", "bill", "audrey"):
        assert numbers(world, who) == {own}
    assert numbers(world, "charlie") == {foreign}
    assert numbers(world, "sam") == {own, foreign}


def test_the_list_is_narrowed_by_each_of_its_filters(world: World) -> None:
    refund = file_refund(world, line_of(world)).number
    other = file_ticket(world, other_details(title="Ёлка: 100 % of it_fails"), by="bob")
    with transaction():
        tickets.close(other, by=world.actor("sam"))
        tickets.assign(other, world.people["sam"], by=world.actor("sam"))
    other_number = other.number
    assert numbers(world, "alice", text="елка") == {other_number}
    assert numbers(world, "alice", text="100 %") == {other_number}
    assert numbers(world, "alice", text="it_fails") == {other_number}
    assert numbers(world, "alice", text="it.fails") == numbers(world, "alice", text="\\") == set()
    assert numbers(world, "alice", text=refund[3:12]) == {refund} | numbers(world, "alice", text=refund[3:12])
    assert numbers(world, "alice", text=refund) == {refund}
    assert numbers(world, "alice", status=TicketStatus.CLOSED) == {other_number}
    assert numbers(world, "alice", type_code="refund") == {refund}
    assert numbers(world, "alice", customer=world.customer("coho").uuid) == {refund}
    assert numbers(world, "alice", mine=True) == {refund}
    assert numbers(world, "sam", mine=True) == {other_number}


def test_s1_the_list_of_a_strangers_customer_is_not_found(world: World) -> None:
    guid = world.customer("tailspin").uuid
    with pytest.raises(NotFound):
        name_of_customer(world.actor("alice"), guid)
    with pytest.raises(NotFound):
        name_of_customer(world.actor("sam"), guid)
    bought = line_of(world, "windows-DE", customer="tailspin", by="charlie")
    file_refund(world, bought, by="charlie")
    assert name_of_customer(world.actor("sam"), guid) == "Tailspin"


def many(world: World, count: int) -> None:
    with transaction():
        made = make_subscription(world.customer("coho"), world.offer("windows-US"), by=world.actor("alice"))
        for number in range(count):
            session.add(
                Ticket(
                    number=f"6{number:014}",
                    partner_id=world.partners["contoso"],
                    customer_id=world.customers["coho"],
                    subscription_id=made.id,
                    type_code="other",
                    impact=Impact.MINIMAL,
                    title=f"Ticket {number}",
                    description="",
                    facts={},
                    contact_name="",
                    contact_email="",
                    contact_phone="",
                    created_by_id=world.people["alice"],
                    updated_at=ORDERED + timedelta(minutes=number // 2),
                    first_answer_due_at=ORDERED,
                )
            )


def test_pages_of_50_lead_through_the_whole_list_and_back(world: World) -> None:
    many(world, 120)
    actor, cursor, seen = world.actor("alice"), None, []
    while True:
        page = list_tickets(actor, TicketFilter(), cursor=cursor)
        seen.append([row.number for row in page.rows])
        if page.next is None:
            break
        cursor = page.next
    assert [len(part) for part in seen] == [50, 50, 20]
    everything = list(chain.from_iterable(seen))
    assert everything == sorted(everything, reverse=True)
    back = list_tickets(actor, TicketFilter(), cursor=page.previous)
    assert [row.number for row in back.rows] == seen[1]


@pytest.mark.parametrize("who", ["alice", "sam"])
def test_the_list_is_one_statement_whatever_its_size(world: World, who: str) -> None:
    many(world, 60)
    actor, statements = world.actor(who), []
    event.listen(db.engine(), "before_cursor_execute", lambda *a: statements.append(a[2]))
    list_tickets(actor, TicketFilter())
    assert len(statements) == 1


def test_the_page_of_a_ticket_takes_the_same_statements_for_one_note_and_for_thirty(world: World) -> None:
    ticket = file_refund(world, line_of(world))

    def count() -> int:
        actor, statements = world.actor("sam"), []
        session.expire_all()
        found = session.get_one(Ticket, ticket.id)
        listen = lambda *a: statements.append(a[2])  # noqa: E731
        event.listen(db.engine(), "before_cursor_execute", listen)
        page = ticket_page(found, actor)
        assert [(note.author.partner.name, len(note.files)) for note in page.notes]
        event.remove(db.engine(), "before_cursor_execute", listen)
        return len(statements)

    with transaction():
        tickets.reply(ticket, "1", by=world.actor("alice"), token=new_token())
    few = count()
    for number in range(30):
        with transaction():
            tickets.reply(ticket, str(number), by=world.actor(("alice", "sam")[number % 2]), token=new_token())
    assert count() == few


def test_the_subscription_is_unused_where_nothing_was_named(world: World) -> None:
    ticket = file_ticket(world, other_details(facts={"customer": world.customer("coho").domain}))
    assert (ticket.customer_id, ticket.subscription_id) == (world.customers["coho"], None)
    assert session.query(Subscription).count() == 0
