"""Pages of support requests: form, list, thread, work; strangers, roles and hostile input (R37-R43, D3, D14, B10, S-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event

from csp_web import db
from csp_web.db import session
from csp_web.domain.access.sessions import end_all
from csp_web.models import Ticket, TicketNote, TicketStatus
from tests.support.plain import PlainBrowser
from tests.support.tickets import ORDERED, file_ticket, install_types, other_details
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def browser(world: World, app: Flask, who: str = "alice") -> PlainBrowser:
    return PlainBrowser(world.sign_in(app, who))


def opened(world: World, **changes: Any) -> str:
    """The number of a ticket of Contoso's."""
    by = changes.pop("by", "bob")
    return file_ticket(world, other_details(**changes), by=by).number


def status_of(page: PlainBrowser) -> int:
    assert page.answer is not None
    return page.answer.status_code


def hidden(page: PlainBrowser, name: str) -> str:
    found = page.page.find("input", attrs={"name": name})
    assert found is not None
    return str(found["value"])


def filled(page: PlainBrowser, **changes: str) -> PlainBrowser:
    """The form for a problem that is not about money."""
    texts = {"Type of problem": "Other", "Title": "It stops", "Description": "At 40 per cent.", "Impact": "Minimal"}
    page.open("/tickets/new")
    for label, text in (texts | changes).items():
        page.fill(label, text)
    return page


# ------------------------------------------------------------------ the form


def test_r37_r43_a_request_is_filed_and_listed(app: Flask, world: World) -> None:
    page = filled(browser(world, app, "helen"), Impact="Critical", Phone="+1 425 555 0100")
    page.press("Submit")
    ticket = session.query(Ticket).one()
    assert page.address == f"/tickets/{ticket.number}"
    assert (ticket.impact.value, ticket.contact_phone) == ("critical", "+1 425 555 0100")
    assert f"The request was filed. Its number is {ticket.number}." in page.text
    page.open("/tickets").follow("It stops")
    assert page.heading == "It stops"


def test_r38_r39_types_and_impacts_are_those_of_the_contract(app: Flask, world: World) -> None:
    page = browser(world, app).open("/tickets/new")
    options = [option.get_text() for option in page._control("Type of problem").find_all("option")]
    assert options.count("CSP Purchase/Refund on behalf of customers") == 1
    assert [option.get_text() for option in page._control("Impact").find_all("option")] == [
        "Critical",
        "Moderate",
        "Minimal",
    ]
    assert "First answer within 2 hours when critical, 4 when moderate, 8 when minimal." in page.text


def test_d4_each_type_shows_its_own_fields_and_keeps_what_was_typed(app: Flask, world: World) -> None:
    page = browser(world, app).open("/tickets/new")
    page.fill("Title", "Kept").fill("Description", "Kept too").fill("Type of problem", "Downloads")
    page.press("Show the fields of this type")
    assert status_of(page) == 200
    labels = [label.get_text() for label in page.page.find_all("label")]
    assert {"Product version", "Error message", "Customer domain or GUID"} <= set(labels)
    assert "Amount requested" not in labels
    assert "Kept too" in page.text
    assert 'value="Kept"' in str(page._control("Title"))


def test_d4_htmx_gets_the_fields_alone(app: Flask, world: World) -> None:
    page = browser(world, app).open("/tickets/new")
    sent = {name: hidden(page, name) for name in ("csrf_token", "form_token")}
    answer = page.client.post(
        "/tickets/new", data={**sent, "step": "fields", "problem_type": "refund"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'id="type-fields"' in answer.text
    assert "Refund reason" in answer.text
    assert 'hx-swap-oob="true"' in answer.text


def test_the_customers_page_leads_to_a_form_that_names_the_customer(app: Flask, world: World) -> None:
    customer = world.customer("coho")
    guid, domain = customer.uuid, customer.domain
    page = browser(world, app).open(f"/tickets/new?customer={guid}&type=other")
    assert domain in str(page._control("Customer domain or GUID"))
    page.fill("Title", "x").fill("Description", "y").press("Submit")
    assert session.query(Ticket).one().customer_id == world.customers["coho"]


LONG = {"Title": 200, "Description": 20_000, "Name": 200, "Phone": 40, "Customer domain or GUID": 300}


@pytest.mark.parametrize(("label", "most"), LONG.items())
def test_100_000_characters_get_a_sentence_with_both_numbers(app: Flask, world: World, label: str, most: int) -> None:
    page = browser(world, app).open("/tickets/new?type=other")
    page.fill("Title", "x").fill("Description", "y").fill(label, "ж" * 100_000).press("Submit")
    assert status_of(page) == 422
    assert f"At most {most:,} characters fit here; this text has 100,000." in page.text
    assert page.answer is not None
    assert "ж" * 100_000 in page.answer.text


@pytest.mark.parametrize("label", ["Title", "Description", "Name"])
def test_nul_bytes_are_refused_with_a_sentence(app: Flask, world: World, label: str) -> None:
    page = filled(browser(world, app), **{label: "a\x00b"}).press("Submit")
    assert status_of(page) == 422
    assert "characters that cannot be stored" in page.text
    assert session.query(Ticket).count() == 0


@pytest.mark.parametrize(
    "text", ["مرحبا", "\u200fשלום\u200e", "🦄👩\u200d👩\u200d👧", "<script>alert(1)</script>", "{{ 7*7 }} %(x)s"]
)
def test_texts_of_every_script_come_back_unchanged_and_inert(app: Flask, world: World, text: str) -> None:
    page = filled(browser(world, app), Title=text, Description=text).press("Submit")
    ticket = session.query(Ticket).one()
    assert (ticket.title, ticket.description) == (text, text)
    assert page.heading == " ".join(text.split())
    assert page.answer is not None
    assert "<script>alert" not in page.answer.text
    described = page.page.find("p", class_="prewrap")
    assert described is not None
    assert (described.get_text(), described["dir"]) == (text, "auto")


def test_s4_a_product_key_does_not_get_into_a_ticket(app: Flask, world: World) -> None:
    page = filled(browser(world, app), Description="It is ABCDE-12345-fghij-67890-KLMNO, thanks").press("Submit")
    assert status_of(page) == 422
    assert "This holds a product key." in page.text
    number = opened(world)
    reply = browser(world, app).open(f"/tickets/{number}").fill("Your reply", "ABCDE-12345-FGHIJ-67890-KLMNO")
    assert status_of(reply.press("Reply")) == 422
    assert session.query(TicketNote).count() == 0


@pytest.mark.parametrize("missing", ["Title", "Description", "Name", "E-mail"])
def test_what_is_missing_is_asked_for_beside_its_field(app: Flask, world: World, missing: str) -> None:
    page = filled(browser(world, app), **{missing: " "}).press("Submit")
    assert status_of(page) == 422
    assert page._control(missing)["aria-invalid"] == "true"
    assert page.page.find("div", class_="error-summary") is not None


def test_a_form_without_a_known_type_or_impact_is_422(app: Flask, world: World) -> None:
    page = browser(world, app).open("/tickets/new")
    sent = {name: hidden(page, name) for name in ("csrf_token", "form_token")}
    wrong: tuple[dict[str, str], ...] = (
        {"problem_type": "nothing", "impact": "minimal"},
        {"problem_type": "other", "impact": "huge"},
        {},
    )
    for values in wrong:
        answer = page.client.post("/tickets/new", data={**sent, **values, "title": "x", "description": "y"})
        assert answer.status_code == 422


def test_t6_sent_twice_it_is_one_ticket(app: Flask, world: World) -> None:
    page = browser(world, app).open("/tickets/new?type=other")
    sent = {name: hidden(page, name) for name in ("csrf_token", "form_token")}
    sent |= {"problem_type": "other", "impact": "minimal", "title": "x", "description": "y"}
    sent |= {"contact_name": "A", "contact_email": "a@contoso.example"}
    answers = [page.client.post("/tickets/new", data=sent) for _time in range(3)]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    assert session.query(Ticket).count() == 1
    assert page.client.post("/tickets/new", data={**sent, "title": "z"}).status_code == 409


def test_an_ended_session_keeps_what_was_typed(app: Flask, world: World) -> None:
    page = filled(browser(world, app), Title="Typed before the end")
    with db.transaction():
        end_all(world.people["alice"], by=world.actor("alice"), resource="alice")
    session.remove()
    page.press("Submit")
    assert page.address.startswith("/sign-in")
    assert "kept=" in page.address


# ------------------------------------------------------------------ thread and work


def test_d3_both_sides_write_and_the_status_follows(app: Flask, world: World) -> None:
    number = opened(world)
    support = browser(world, app, "sam").open(f"/tickets/{number}")
    support.fill("Your reply", "Which version?").press("Reply")
    assert "Attention needed" in support.text
    partner = browser(world, app, "helen").open(f"/tickets/{number}")
    assert "Which version?" in partner.text
    partner.fill("Your reply", "2025").press("Reply")
    assert session.query(Ticket).one().status is TicketStatus.OPEN
    support.open(f"/tickets/{number}").press("Close")
    assert session.query(Ticket).one().status is TicketStatus.CLOSED
    partner.open(f"/tickets/{number}")
    assert "A reply opens the request again." in partner.text
    partner.fill("Your reply", "Again!").press("Reply")
    assert session.query(Ticket).one().status is TicketStatus.OPEN


def test_b10_internal_notes_are_nowhere_in_the_partners_pages(app: Flask, world: World) -> None:
    number = opened(world)
    support = browser(world, app, "sam").open(f"/tickets/{number}")
    support.fill("Note", "CANARY of the desk").press("Internal note")
    assert "CANARY of the desk" in support.text
    for who in ("alice", "bob", "audrey"):
        page = browser(world, app, who).open(f"/tickets/{number}")
        assert status_of(page) == 200
        assert "CANARY" not in page.text
        assert "Internal note" not in page.text


def test_b10_assigning_shows_who_works_on_it(app: Flask, world: World) -> None:
    number = opened(world)
    support = browser(world, app, "sam").open(f"/tickets/{number}").fill("Assigned to", "Sam").press("Assign")
    assert session.query(Ticket).one().assigned_to_id == world.people["sam"]
    assert "assigned to Sam" in support.text
    assert "It stops" not in support.open("/tickets?mine=1").text
    assert number in support.text
    support.open(f"/tickets/{number}").fill("Assigned to", "Nobody yet").press("Assign")
    assert session.query(Ticket).one().assigned_to_id is None


def test_empty_replies_are_asked_for_and_keep_the_page(app: Flask, world: World) -> None:
    number = opened(world)
    page = browser(world, app).open(f"/tickets/{number}").fill("Your reply", "  ").press("Reply")
    assert status_of(page) == 422
    assert "Write something first." in page.text


def test_d14_the_auditor_reads_and_is_told_who_may_write(app: Flask, world: World) -> None:
    number = opened(world)
    page = browser(world, app, "audrey").open(f"/tickets/{number}")
    assert "This needs the role: Admin agent, Sales agent, Helpdesk agent, Billing admin." in page.text
    assert page.page.find("textarea") is None
    answer = page.client.post(f"/tickets/{number}/replies", data={"csrf_token": hidden(page, "csrf_token")})
    assert answer.status_code == 403
    assert page.client.get("/tickets/new").status_code == 403


POSTS = ("replies", "internal-notes", "assignment", "closing", "cancellation/approval", "cancellation/refusal")


@pytest.mark.parametrize("who", ["charlie", "olga"])
def test_s1_strangers_find_nothing_on_any_route(app: Flask, world: World, who: str) -> None:
    number = opened(world)
    client = world.sign_in(app, who)
    token = hidden(PlainBrowser(client).open("/account"), "csrf_token")
    before = (session.query(TicketNote).count(), session.query(Ticket).one().updated_at)
    for unknown in (number, "6" + "0" * 14, "x", "0", "' OR 1=1"):
        assert client.get(f"/tickets/{unknown}").status_code == 404
        assert client.get(f"/tickets/{unknown}/files/1").status_code == 404
        for path in POSTS:
            assert client.post(f"/tickets/{unknown}/{path}", data={"csrf_token": token}).status_code == 404
    assert (session.query(TicketNote).count(), session.query(Ticket).one().updated_at) == before


@pytest.mark.parametrize("who", ["alice", "bill", "audrey"])
def test_d14_the_work_of_support_is_403_for_the_partner(app: Flask, world: World, who: str) -> None:
    number = opened(world)
    client = world.sign_in(app, who)
    token = hidden(PlainBrowser(client).open("/account"), "csrf_token")
    for path in POSTS[1:]:
        assert client.post(f"/tickets/{number}/{path}", data={"csrf_token": token}).status_code == 403


def test_s3_a_post_without_the_token_does_nothing(app: Flask, world: World) -> None:
    number = opened(world)
    client = world.sign_in(app, "sam")
    for path in POSTS:
        assert client.post(f"/tickets/{number}/{path}").status_code == 400
    assert session.query(Ticket).one().status is TicketStatus.OPEN


# ------------------------------------------------------------------ the list


def test_the_list_says_overdue_and_answered(app: Flask, world: World) -> None:
    opened(world, title="Late")
    with time_machine.travel(ORDERED + timedelta(hours=1), tick=False):
        assert "Overdue" not in browser(world, app).open("/tickets").text
    with time_machine.travel(ORDERED + timedelta(hours=4), tick=False):
        page = browser(world, app).open("/tickets")
        assert "Overdue" in page.text
        support = browser(world, app, "sam").open("/tickets").follow("Late")
        support.fill("Your reply", "Here we are.").press("Reply")
        assert "Answered" in page.open("/tickets").text
        assert "Overdue" not in page.text


def test_support_sees_the_partner_and_partners_see_their_own(app: Flask, world: World) -> None:
    opened(world, title="Of Contoso")
    opened(world, title="Of Fabrikam", by="charlie")
    support = browser(world, app, "sam").open("/tickets")
    assert {"Of Contoso", "Of Fabrikam"} <= {link.get_text() for link in support.page.find_all("a")}
    assert "Fabrikam" in support.text
    partner = browser(world, app).open("/tickets")
    assert "Of Contoso" in partner.text
    assert "Fabrikam" not in partner.text


def test_filters_are_plain_addresses_and_htmx_gets_the_list_alone(app: Flask, world: World) -> None:
    number = opened(world, title="Ёлка не ставится")
    page = browser(world, app)
    assert number in page.open("/tickets?q=елка&status=open&type=other").text
    assert "No request matches" in page.open("/tickets?status=closed").text
    assert number in page.open("/tickets?status=nonsense&page=nonsense").text
    answer = page.client.get("/tickets?q=елка", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert number in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_the_list_of_one_customer(app: Flask, world: World) -> None:
    customer = world.customer("coho")
    guid, domain = customer.uuid, customer.domain
    opened(world, title="Of Coho", facts={"customer": domain})
    opened(world, title="Of nobody")
    page = browser(world, app).open(f"/tickets?customer={guid}")
    assert "Of Coho" in page.text
    assert "Of nobody" not in page.text
    assert status_of(page.open("/tickets?customer=x")) == 404


def test_an_empty_list_says_what_belongs_here(app: Flask, world: World) -> None:
    assert "No support requests yet" in browser(world, app).open("/tickets").text


def test_the_list_page_takes_the_same_few_statements_whatever_its_size(app: Flask, world: World) -> None:
    client = world.sign_in(app, "alice")

    def count() -> int:
        statements: list[str] = []

        def listen(*arguments: Any) -> None:
            statements.append(arguments[2])

        event.listen(db.engine(), "before_cursor_execute", listen)
        assert client.get("/tickets").status_code == 200
        event.remove(db.engine(), "before_cursor_execute", listen)
        return len(statements)

    client.get("/tickets")
    opened(world)
    few = count()
    for number in range(20):
        opened(world, title=f"{number}", facts={"customer": world.customer("coho").domain})
    assert count() == few
    assert few <= 4
