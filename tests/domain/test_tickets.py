"""Support requests: facts checked against the records, the thread, states, who sees and does what (R35-R43, D3, D4, B10)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from csp_web.db import session, transaction
from csp_web.domain.support import tickets
from csp_web.domain.support.problem_types import TypeOfProblem, install_problem_types, types_of_problem
from csp_web.errors import Conflict, Forbidden, Invalid
from csp_web.i18n import use_place
from csp_web.models import (
    AuditEntry,
    Cancellation,
    Impact,
    Order,
    ProblemType,
    Ticket,
    TicketNote,
    TicketStatus,
)
from csp_web.said import again
from tests.support.tickets import (
    ORDERED,
    file_refund,
    file_ticket,
    install_types,
    line,
    line_of,
    new_token,
    other_details,
    refund_details,
)
from tests.world import World

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def read(ticket: Ticket) -> Ticket:
    session.expire_all()
    return session.get_one(Ticket, ticket.id)


# ------------------------------------------------------------------ types and the form's facts


def test_r38_the_type_that_the_seed_names_is_there_in_both_languages() -> None:
    with use_place("en"):
        refund = types_of_problem()[0]
        assert (refund.name, refund.is_refund) == ("CSP Purchase/Refund on behalf of customers", True)
        assert refund.fields == ("customer", "order_or_subscription", "refund_reason", "amount")
    with use_place("ru"):
        assert all(each.name != english.name for each, english in zip(types_of_problem(), _english(), strict=True))


def _english() -> list[TypeOfProblem]:
    with use_place("en"):
        return list(types_of_problem())


def test_d4_installing_the_types_again_changes_nothing_that_was_edited() -> None:
    with transaction():
        session.get_one(ProblemType, "other").names = {"en": "Anything else", "ru": "Прочее"}
        assert install_problem_types() == 0
    assert session.get_one(ProblemType, "other").names["en"] == "Anything else"


def test_d4_a_retired_type_is_not_offered(world: World) -> None:
    with transaction():
        session.get_one(ProblemType, "other").retired_at = ORDERED
    assert "other" not in {each.code for each in types_of_problem()}
    with pytest.raises(Invalid) as refusal:
        file_ticket(world, other_details())
    assert "problem_type" in refusal.value.problems


def test_r35_r40_the_four_facts_are_kept_and_written_into_the_description(world: World) -> None:
    bought = line_of(world)
    ticket = file_refund(world, bought)
    customer, order = world.customer("coho"), session.get_one(Order, line(bought).order_id)
    for fact in (customer.domain, str(customer.uuid), order.order_id, str(line(bought).uuid)):
        assert fact in again(ticket.description)
    assert "Ordered by mistake" in again(ticket.description)
    assert "$1,078.00" in again(ticket.description)
    assert ticket.facts["refund_reason"] == "Ordered by mistake"
    assert (ticket.customer_id, ticket.subscription_id) == (customer.id, bought)


def test_d4_a_description_that_was_edited_stands_one_that_the_page_wrote_is_written_anew(world: World) -> None:
    edited = file_refund(world, line_of(world), description="My own words", prefilled="Page's words")
    assert edited.description == "My own words"
    untouched = file_refund(world, line_of(world), description="Page's\r\nwords", prefilled="Page's\nwords")
    assert "Refund reason: Ordered by mistake" in again(untouched.description)


def named(world: World, bought: int) -> list[str]:
    order = session.get_one(Order, line(bought).order_id)
    return [
        order.order_id,
        order.alternate_id,
        order.alternate_id.upper(),
        f" {line(bought).uuid} ",
        f"{{{line(bought).uuid}}}".upper(),
        f"\u200b{order.order_id}\ufeff",
    ]


@pytest.mark.parametrize("way", range(6))
def test_d10_the_line_is_found_by_any_of_its_identifiers(world: World, way: int) -> None:
    bought = line_of(world)
    ticket = file_refund(world, bought, facts={"order_or_subscription": named(world, bought)[way]})
    assert ticket.subscription_id == bought


@pytest.mark.parametrize("write", ["{domain}", "{DOMAIN}.", "https://{domain}/x", "{guid}", "{{{guid}}}"])
def test_r35_the_customer_is_found_by_domain_or_guid(world: World, write: str) -> None:
    customer = world.customer("coho")
    text = write.format(domain=customer.domain, DOMAIN=customer.domain.upper(), guid=customer.uuid)
    assert file_refund(world, line_of(world), facts={"customer": text}).customer_id == customer.id


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("customer", "not a guid"),
        ("customer", "45411344-b09d-47e7-9653"),
        ("customer", "5f0c1d7e-93a4-4b0e-8d52-6a1f3c2b7e90"),
        ("customer", "nobody.example"),
        ("customer", "🦄.example"),
        ("order_or_subscription", "5f0c1d7e-93a4-4b0e-8d52-6a1f3c2b7e90"),
        ("order_or_subscription", "' OR 1=1 --"),
        ("order_or_subscription", "x" * 300),
        ("amount", "much"),
    ],
)
def test_r35_what_the_records_do_not_know_gets_a_sentence_beside_its_field(world: World, fact: str, text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        file_refund(world, line_of(world), facts={fact: text})
    assert set(refusal.value.problems) == {fact}
    assert session.query(Ticket).count() == 0


def test_s1_another_partners_ids_are_as_unknown_as_made_up_ones(world: World) -> None:
    own, foreign = line_of(world), line_of(world, "windows-DE", customer="tailspin", by="charlie")
    order = session.get_one(Order, line(foreign).order_id).order_id
    tailspin = world.customer("tailspin")

    def sentence(**facts: str) -> str:
        with pytest.raises(Invalid) as refusal:
            file_refund(world, own, facts=facts)
        return next(iter(refusal.value.problems.values()))

    assert sentence(customer=str(tailspin.uuid)) == sentence(customer=str(uuid.uuid4()))
    assert sentence(customer=tailspin.domain) == sentence(customer="made-up.example")
    for text in (str(line(foreign).uuid), order):
        assert sentence(order_or_subscription=text) == sentence(order_or_subscription=str(uuid.uuid4()))


def test_r35_the_line_has_to_be_the_named_customers(world: World) -> None:
    of_datum = line_of(world, "windows-RU", customer="datum")
    with pytest.raises(Invalid) as refusal:
        file_refund(world, of_datum, facts={"customer": world.customer("coho").domain})
    assert "Coho" in refusal.value.problems["order_or_subscription"]


def two_lines(world: World) -> tuple[int, int, str]:
    first, second = line_of(world), line_of(world, "sql-US")
    with transaction():
        moved = line(second)
        moved.order_id, moved.line_number = line(first).order_id, 1
    return first, second, session.get_one(Order, line(first).order_id).order_id


def test_d7_an_order_with_several_lines_asks_which(world: World) -> None:
    _first, second, order = two_lines(world)
    with pytest.raises(Invalid) as refusal:
        file_refund(world, second, facts={"order_or_subscription": order})
    assert set(refusal.value.problems) == {"line"}
    chosen = str(line(second).uuid)
    assert file_refund(world, second, facts={"order_or_subscription": order}, line=chosen).subscription_id == second


def test_d7_a_line_of_another_order_is_not_taken_for_one_of_this(world: World) -> None:
    first, _second, order = two_lines(world)
    other = str(line(line_of(world)).uuid)
    with pytest.raises(Invalid):
        file_refund(world, first, facts={"order_or_subscription": order}, line=other)


def test_d6_the_amount_is_in_the_lines_currency(world: World) -> None:
    roubles = line_of(world, "windows-RU", customer="datum")
    ticket = file_refund(world, roubles, facts={"amount": "1 078,00"})
    assert session.query(Cancellation).filter_by(ticket_id=ticket.id).one().currency == "RUB"


# ------------------------------------------------------------------ opening


@pytest.mark.parametrize(("impact", "hours"), [(Impact.CRITICAL, 2), (Impact.MODERATE, 4), (Impact.MINIMAL, 8)])
def test_d3_the_first_answer_is_due_by_impact(world: World, impact: Impact, hours: int) -> None:
    ticket = file_ticket(world, other_details(impact=impact))
    assert ticket.first_answer_due_at == ORDERED + hours * HOUR


def test_r39_r41_r43_a_ticket_has_a_number_and_what_was_entered(world: World) -> None:
    ticket = file_ticket(world, other_details(title="  Two\r\nlines ", contact_phone="+1 425 555 0100"), by="bob")
    assert (len(ticket.number), ticket.number[:7]) == (15, "6260301")
    assert (ticket.title, ticket.status) == ("Two lines", TicketStatus.OPEN)
    assert (ticket.contact_name, ticket.contact_email) == ("Bob", "bob@contoso.example")
    assert session.query(AuditEntry).filter_by(operation="open_ticket", resource_id=ticket.number).count() == 1


def test_t6_the_same_form_twice_is_one_ticket_and_with_other_content_a_conflict(world: World) -> None:
    token = new_token()
    first = file_ticket(world, other_details(), token=token)
    assert file_ticket(world, other_details(), token=token).id == first.id
    with pytest.raises(Conflict):
        file_ticket(world, other_details(title="Something else"), token=token)


def test_t6_a_refund_form_sent_twice_is_one_request(world: World) -> None:
    details, token = refund_details(line(line_of(world))), new_token()
    assert file_ticket(world, details, token=token).id == file_ticket(world, details, token=token).id
    assert session.query(Cancellation).count() == 1


@pytest.mark.parametrize("who", ["audrey", "sam", "olga"])
def test_d14_who_may_not_open_is_told_who_may(world: World, who: str) -> None:
    with pytest.raises(Forbidden, match="Helpdesk agent"):
        file_ticket(world, other_details(), by=who)


@pytest.mark.parametrize("who", ["alice", "bob", "helen", "bill"])
def test_d14_the_team_opens_other_requests(world: World, who: str) -> None:
    assert file_ticket(world, other_details(), by=who).created_by_id == world.people[who]


TEXTS = [
    "مرحبا بالعالم",
    "\u200fעברית\u200e",
    "👩‍👩‍👧‍👦 🇷🇺",
    "a\u0301" * 50,
    "<script>alert(1)</script>",
    "=1+1",
    "%(name)s {0} {{ 7*7 }}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_every_script_come_back_unchanged(world: World, text: str) -> None:
    ticket = file_ticket(world, other_details(title=text, description=text))
    with transaction():
        tickets.reply(ticket, text, by=world.actor("alice"), token=new_token())
    assert (read(ticket).title, read(ticket).description) == (text, text)
    assert session.query(TicketNote).one().text == text
