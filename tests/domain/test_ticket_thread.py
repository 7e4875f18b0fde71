"""The thread of a support request: replies, internal notes, assignment, closing, mails (D3, D5, D14, B10)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csp_web.db import session, transaction
from csp_web.domain.support import ticket_mail, tickets
from csp_web.domain.support.ticket_page import ticket_page
from csp_web.errors import Conflict, Forbidden, Invalid
from csp_web.i18n import language
from csp_web.models import (
    OutboxMessage,
    Role,
    Ticket,
    TicketNote,
    TicketStatus,
    User,
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
from tests.world import World, make_user

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def read(ticket: Ticket) -> Ticket:
    session.expire_all()
    return session.get_one(Ticket, ticket.id)


def test_d3_a_reply_moves_the_ticket_to_the_other_side_and_stops_the_clock(world: World) -> None:
    ticket = file_ticket(world, other_details())
    with transaction():
        tickets.reply(ticket, "Which version?", by=world.actor("sam"), token=new_token(), at=ORDERED + HOUR)
    assert read(ticket).status is TicketStatus.ATTENTION_NEEDED
    assert read(ticket).first_answered_at == ORDERED + HOUR
    with transaction():
        tickets.reply(ticket, "2025.", by=world.actor("helen"), token=new_token(), at=ORDERED + 2 * HOUR)
    assert read(ticket).status is TicketStatus.OPEN
    assert read(ticket).first_answered_at == ORDERED + HOUR


def test_d3_closing_is_a_step_and_a_reply_opens_again(world: World) -> None:
    ticket = file_ticket(world, other_details())
    with transaction():
        tickets.close(ticket, by=world.actor("sam"))
    with transaction():
        tickets.reply(ticket, "Not solved.", by=world.actor("alice"), token=new_token())
    steps = [(step.old, step.new) for step in ticket_page(read(ticket), world.actor("alice")).steps]
    assert steps == [(None, "open"), ("open", "closed"), ("closed", "open")]


def test_d5_a_request_for_cancellation_is_not_closed_undecided(world: World) -> None:
    ticket = file_refund(world, line_of(world))
    with pytest.raises(Conflict, match="decided"), transaction():
        tickets.close(ticket, by=world.actor("sam"))


def test_b10_internal_notes_are_for_support_alone_and_move_nothing(world: World) -> None:
    ticket = file_ticket(world, other_details())
    with transaction():
        tickets.internal_note(ticket, "Looks like their proxy.", by=world.actor("sam"), token=new_token())
    assert (read(ticket).status, read(ticket).first_answered_at) == (TicketStatus.OPEN, None)
    assert [note.text for note in ticket_page(read(ticket), world.actor("sam")).notes] == ["Looks like their proxy."]
    for who in ("alice", "audrey"):
        assert ticket_page(read(ticket), world.actor(who)).notes == []
    for mail in session.query(OutboxMessage):
        assert "proxy" not in mail.body


@pytest.mark.parametrize("verb", ["internal_note", "assign", "close"])
@pytest.mark.parametrize("who", ["alice", "olga"])
def test_d14_only_support_works_on_tickets(world: World, verb: str, who: str) -> None:
    ticket = file_ticket(world, other_details())
    calls = {
        "internal_note": lambda: tickets.internal_note(ticket, "x", by=world.actor(who), token=new_token()),
        "assign": lambda: tickets.assign(ticket, world.people["sam"], by=world.actor(who)),
        "close": lambda: tickets.close(ticket, by=world.actor(who)),
    }
    with pytest.raises(Forbidden, match="Support agent"), transaction():
        calls[verb]()


def test_d14_auditors_read_and_do_not_write(world: World) -> None:
    ticket = file_ticket(world, other_details())
    with pytest.raises(Forbidden, match="Helpdesk agent"), transaction():
        tickets.reply(ticket, "x", by=world.actor("audrey"), token=new_token())


def test_t6_a_reply_sent_twice_is_one_note(world: World) -> None:
    ticket, token = file_ticket(world, other_details()), new_token()
    for _time in range(2):
        with transaction():
            tickets.reply(ticket, "Any news?", by=world.actor("alice"), token=token)
    assert session.query(TicketNote).count() == 1


def test_b10_assigning_goes_to_support_agents_and_back_to_the_queue(world: World) -> None:
    ticket = file_ticket(world, other_details())
    for person in (world.people["sam"], None):
        with transaction():
            tickets.assign(ticket, person, by=world.actor("sam"))
        assert read(ticket).assigned_to_id == person
    with pytest.raises(Invalid), transaction():
        tickets.assign(ticket, world.people["alice"], by=world.actor("sam"))


def test_a_single_reseller_is_operator_and_partner_at_once(world: World) -> None:
    with transaction():
        for name, roles in (("ann", [Role.ADMIN_AGENT, Role.SUPPORT_AGENT]), ("sid", [Role.SUPPORT_AGENT])):
            made = make_user(world.partners["northwind"], f"{name}@northwind.example", roles)
            world.people[name] = made.id
    ticket = file_ticket(world, other_details(), by="ann")
    with transaction():
        tickets.reply(ticket, "Still so.", by=world.actor("ann"), token=new_token())
    assert (read(ticket).status, read(ticket).first_answered_at) == (TicketStatus.OPEN, None)
    with transaction():
        tickets.reply(ticket, "Solved.", by=world.actor("sid"), token=new_token())
    assert read(ticket).status is TicketStatus.ATTENTION_NEEDED


def mails(recipient: str) -> list[OutboxMessage]:
    return session.query(OutboxMessage).filter_by(recipient=recipient).order_by(OutboxMessage.id).all()


def test_mails_go_to_the_other_side_with_the_number(world: World) -> None:
    ticket = file_ticket(world, other_details(contact_email="desk@contoso.example"))
    with transaction():
        tickets.reply(ticket, "Try again.", by=world.actor("sam"), token=new_token())
    with transaction():
        tickets.reply(ticket, "It works.", by=world.actor("alice"), token=new_token())
    assert [("New" in mail.subject, ticket.number in mail.subject) for mail in mails("sam@northwind.example")] == [
        (True, True),
        (False, True),
    ]
    answer = mails("desk@contoso.example")[0]
    assert "Try again." in answer.body
    assert f"http://localhost/tickets/{ticket.number}" in answer.body


def test_mails_go_to_whoever_works_on_the_ticket_alone(world: World) -> None:
    with transaction():
        made = make_user(world.partners["northwind"], "sonja@northwind.example", [Role.SUPPORT_AGENT])
        world.people["sonja"] = made.id
    ticket = file_ticket(world, other_details())
    assert len(mails("sonja@northwind.example")) == len(mails("sam@northwind.example")) == 1
    with transaction():
        tickets.assign(ticket, world.people["sonja"], by=world.actor("sam"))
        tickets.reply(ticket, "More.", by=world.actor("alice"), token=new_token())
    assert len(mails("sonja@northwind.example")) == 2
    assert len(mails("sam@northwind.example")) == 1


def test_every_reader_is_written_to_in_their_own_language(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction():
        session.get_one(User, world.people["sam"]).language = "ru"
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(ticket_mail, "queue_mail", lambda *, recipient, **_rest: said.append((recipient, language())))
    ticket = file_ticket(world, other_details())
    with transaction():
        tickets.reply(ticket, "Done.", by=world.actor("sam"), token=new_token())
    assert said == [("sam@northwind.example", "ru"), ("bob@contoso.example", "en")]
