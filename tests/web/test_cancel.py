"""**Cancel** over HTTP: the form it leads to, the deadline by the server's clock, the decision (R31-R43, D1, B1, B5)."""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask

from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.domain.support.cancellations import decline
from csp_web.models import (
    AuditEntry,
    AuditStatus,
    Cancellation,
    CancellationState,
    Customer,
    KeyAssignment,
    Refund,
    SubscriptionStatus,
    Ticket,
    TicketNote,
    TicketStatus,
)
from csp_web.said import again
from tests.support.plain import PlainBrowser
from tests.support.stock import sku_of, stock
from tests.support.tickets import DAYS_60, ORDERED, SECOND, cancellation, file_refund, install_types, line, line_of
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

START = "/tickets/new?subscription="


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def at(moment: datetime) -> time_machine.travel:
    """The clock of the server, standing still."""
    return time_machine.travel(moment, tick=False)


def browser(world: World, app: Flask, who: str = "alice") -> PlainBrowser:
    return PlainBrowser(world.sign_in(app, who))


def value(page: PlainBrowser, label: str) -> str:
    control = page._control(label)
    if control.name == "select":
        chosen = control.find("option", selected=True)
        return chosen.get_text() if chosen else ""
    return control.get_text().strip("\n") if control.name == "textarea" else str(control.get("value", ""))


def test_r37_r41_cancel_leads_to_the_form_with_everything_known_filled_in(app: Flask, world: World) -> None:
    with at(ORDERED + timedelta(days=58, hours=1)):
        bought = line_of(world)
        guid = str(line(bought).uuid)
        page = browser(world, app).open(START + guid)
        domain = world.customer("coho").domain
        assert page.heading == "Report a problem with CSP Web"
        assert value(page, "Type of problem") == "CSP Purchase/Refund on behalf of customers"
        assert value(page, "Customer domain or GUID") == domain
        assert value(page, "Order ID or subscription ID") == guid
        assert value(page, "Amount requested") == "1078.00"
        assert "Coho" in value(page, "Title")
        assert guid in value(page, "Description")
        assert (value(page, "Name"), value(page, "E-mail")) == ("Alice", "alice@contoso.example")
        for label in ("Details", "Contact"):
            assert any(legend.get_text() == label for legend in page.page.find_all("legend"))
        assert "2026-04-30 10:00:00 UTC" in page.text
        assert "1 day 23 hours" in page.text
        assert "In USD. At most $1,078.00 can be refunded." in page.text
        assert "Up to 10 files, 25 MiB each, 100 MiB together." in page.text


def test_r32_one_second_before_the_end_the_request_is_taken(app: Flask, world: World) -> None:
    bought = line_of(world)
    with at(ORDERED + DAYS_60 - SECOND):
        page = browser(world, app).open(START + str(line(bought).uuid))
        page.fill("Refund reason", "Ordered by mistake").fill("Impact", "Moderate").press("Submit")
    ticket = session.query(Ticket).one()
    assert page.address == f"/tickets/{ticket.number}"
    assert (ticket.subscription_id, ticket.impact.value) == (bought, "moderate")
    assert "Refund reason: Ordered by mistake" in again(ticket.description)
    assert session.query(Cancellation).one().requested_at == ORDERED + DAYS_60 - SECOND


def test_d1_the_instant_of_the_request_decides_not_that_of_its_turn(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent in the last second, it waits for other writers until the window is over."""
    bought = line_of(world)
    with at(ORDERED + DAYS_60 - SECOND) as clock:
        page = browser(world, app).open(START + str(line(bought).uuid)).fill("Refund reason", "Ordered by mistake")

        def long_wait() -> nullcontext[None]:
            clock.shift(5)
            return nullcontext()

        monkeypatch.setattr(db, "_turn", long_wait)
        page.press("Submit")
        monkeypatch.undo()
    assert session.query(Cancellation).one().requested_at == ORDERED + DAYS_60 - SECOND


def test_r34_b5_at_the_end_the_page_says_the_date_and_has_no_submit(app: Flask, world: World) -> None:
    bought = line_of(world)
    with at(ORDERED + DAYS_60):
        page = browser(world, app).open(START + str(line(bought).uuid))
    assert page.answer is not None
    assert page.answer.status_code == 200
    assert "The right to cancel ended on 30 Apr 2026, 10:00 (2026-04-30 10:00:00 UTC), 60 days after" in page.text
    assert not any(button.get_text().strip() == "Submit" for button in page.page.find_all("button"))


def test_r34_d1_a_form_opened_in_time_and_sent_too_late_is_refused_and_keeps_what_was_typed(
    app: Flask, world: World
) -> None:
    bought = line_of(world)
    with at(ORDERED + DAYS_60 - SECOND) as clock:
        page = browser(world, app).open(START + str(line(bought).uuid))
        page.fill("Refund reason", "Typed with care")
        clock.shift(1)
        page.press("Submit")
    assert page.answer is not None
    assert page.answer.status_code == 409
    assert "The right to cancel ended on" in page.text
    assert "Typed with care" in page.answer.text
    assert session.query(Ticket).count() == 0
    refusal = session.query(AuditEntry).filter_by(status=AuditStatus.DECLINED).one()
    assert (refusal.operation, refusal.details["rule"]) == ("request_cancellation", "R34")


def test_r34_the_type_opened_by_hand_is_held_to_the_same_window(app: Flask, world: World) -> None:
    bought = line_of(world)
    with at(ORDERED + DAYS_60):
        page = by_hand(browser(world, app), world, str(line(bought).uuid))
        assert page.press("Submit").answer.status_code == 409  # type: ignore[union-attr]
    assert session.query(Ticket).count() == 0


def by_hand(page: PlainBrowser, world: World, line_id: str, customer: str = "") -> PlainBrowser:
    """Open the refund type without Cancel: choose the type, show its fields, fill them in."""
    page.open("/tickets/new").fill("Type of problem", "CSP Purchase/Refund on behalf of customers")
    page.fill("Title", "A refund, please").press("Show the fields of this type")
    page.fill("Customer domain or GUID", customer or session.get_one(Customer, world.customers["coho"]).domain)
    page.fill("Order ID or subscription ID", line_id).fill("Amount requested", "1,078.00")
    return page.fill("Refund reason", "By hand").fill("Impact", "Critical")


def test_r35_d4_the_type_opened_by_hand_asks_for_the_same_facts(app: Flask, world: World) -> None:
    bought = line_of(world, at=datetime.now(ORDERED.tzinfo))
    page = by_hand(browser(world, app), world, str(line(bought).uuid))
    assert value(page, "Title") == "A refund, please"  # what was typed before stays
    page.press("Submit")
    assert session.query(Cancellation).one().subscription_id == bought


@pytest.mark.parametrize("who", ["bob", "helen", "bill"])
def test_r31_who_is_not_an_admin_agent_is_told_which_role_is_needed(app: Flask, world: World, who: str) -> None:
    bought = line_of(world, at=datetime.now(ORDERED.tzinfo))
    guid = str(line(bought).uuid)
    page = browser(world, app, who).open(START + guid)
    assert page.answer is not None
    assert page.answer.status_code == 403
    assert "Admin agent" in page.text
    page = browser(world, app, who)
    by_hand(page, world, guid)
    assert "This needs the role: Admin agent" in page.text
    assert not any(button.get_text().strip() == "Submit" for button in page.page.find_all("button"))


def test_r31_a_form_that_is_sent_all_the_same_is_403_and_audited(app: Flask, world: World) -> None:
    bought = line_of(world, at=datetime.now(ORDERED.tzinfo))
    client = world.sign_in(app, "helen")
    page = PlainBrowser(client).open("/tickets/new")
    sent = {
        "csrf_token": value_of(page, "csrf_token"),
        "form_token": value_of(page, "form_token"),
        "problem_type": "refund",
        "impact": "minimal",
        "title": "x",
        "customer": world.customer("coho").domain,
        "order_or_subscription": str(line(bought).uuid),
        "refund_reason": "x",
        "amount": "1",
        "contact_name": "Helen",
        "contact_email": "helen@contoso.example",
    }
    assert client.post("/tickets/new", data=sent).status_code == 403
    assert session.query(AuditEntry).filter_by(status=AuditStatus.DECLINED).count() == 1
    assert session.query(Ticket).count() == 0


def value_of(page: PlainBrowser, name: str) -> str:
    found = page.page.find("input", attrs={"name": name})
    assert found is not None
    return str(found["value"])


@pytest.mark.parametrize("text", [str(uuid.uuid4()), "no-guid", "", "%00", "../../x", "1'--"])
def test_unknown_subscriptions_are_not_found(app: Flask, world: World, text: str) -> None:
    assert world.sign_in(app, "alice").get(START + text).status_code == 404


def test_s1_another_partners_subscription_is_not_found_and_not_a_customer_either(app: Flask, world: World) -> None:
    line_guid = str(line(line_of(world, "windows-DE", customer="tailspin", by="charlie")).uuid)
    guid, domain = world.customer("tailspin").uuid, world.customer("tailspin").domain
    client = world.sign_in(app, "alice")
    assert client.get(f"{START}{line_guid}").status_code == 404
    assert client.get(f"/tickets/new?customer={guid}").status_code == 404
    assert client.get(f"/tickets?customer={guid}").status_code == 404
    page = by_hand(browser(world, app), world, line_guid, domain).press("Submit")
    assert page.answer is not None
    assert page.answer.status_code == 422
    assert "You have no customer with this domain or GUID." in page.text
    assert "Tailspin" not in page.text


def test_r42_errors_lose_neither_texts_nor_files(app: Flask, world: World) -> None:
    bought = line_of(world, at=datetime.now(ORDERED.tzinfo))
    page = browser(world, app).open(START + str(line(bought).uuid))
    page.fill("Refund reason", "Причина 🧾").fill("Amount requested", "9,999.00").fill("E-mail", "nobody")
    page.fill("Add files", [("счёт.pdf", b"%PDF-1.7"), ("leer.txt", b"")]).press("Submit")
    assert page.answer is not None
    assert page.answer.status_code == 422
    for kept in ("Причина 🧾", "9,999.00", "счёт.pdf", "“leer.txt” is empty.", "This is not an e-mail address."):
        assert kept in page.answer.text
    page.fill("E-mail", "alice@contoso.example").press("Submit")
    assert page.answer.status_code == 422
    assert "At most $1,078.00 can be refunded for this line." in page.text
    page.fill("Amount requested", "1,078.00").press("Submit")
    assert page.answer.status_code == 200
    assert [file.original_name for file in session.query(Ticket).one().files] == ["счёт.pdf"]


def test_d7_an_order_with_several_lines_is_answered_by_the_choice_of_one(app: Flask, world: World) -> None:
    now = datetime.now(ORDERED.tzinfo)
    first, second = line_of(world, at=now), line_of(world, "sql-US", at=now)
    with transaction():
        line(second).order_id, line(second).line_number = line(first).order_id, 1
    page = by_hand(browser(world, app), world, line(first).order.order_id).press("Submit")
    assert page.answer is not None
    assert page.answer.status_code == 422
    guid = str(line(second).uuid)
    page.fill("SQL Server 2025 Standard · SQL Server 2025 Standard - 1 year × 1 · $1,078.00", guid).press("Submit")
    assert session.query(Cancellation).one().subscription_id == second


# ------------------------------------------------------------------ the decision


def requested(world: World) -> tuple[int, str]:
    stock(sku_of(world), "Windows Server 2025", 1)
    bought = line_of(world, at=datetime.now(ORDERED.tzinfo))
    with transaction():
        hand_out_own_version(line(bought), by=world.actor("alice"))
    return bought, file_refund(world, bought, at=datetime.now(ORDERED.tzinfo)).number


def ticket_of(number: str) -> Ticket:
    return session.query(Ticket).filter_by(number=number).one()


def test_b1_support_sees_what_approving_does_and_does_it(app: Flask, world: World) -> None:
    bought, number = requested(world)
    page = browser(world, app, "sam").open("/tickets").follow("Please cancel")
    for effect in ("$1,078.00 are refunded to the account of Contoso.", "1 key is revoked.", "0 download links end."):
        assert effect in page.text
    page.fill("Note to the partner", "With our regrets.").press("Approve cancellation")
    assert "The cancellation was approved and carried out." in page.text
    assert line(bought).status is SubscriptionStatus.CANCELLED
    assert session.query(KeyAssignment).one().revoked_at is not None
    assert session.query(Refund).one().amount == 107_800
    partner = browser(world, app).open(f"/tickets/{number}")
    for text in ("Completed", "Sam", "With our regrets.", "Refunded $1,078.00", "Closed"):
        assert text in partner.text
    assert "Approve cancellation" not in partner.text


def test_d5_declining_needs_a_reason_and_the_window_stays(app: Flask, world: World) -> None:
    bought, number = requested(world)
    page = browser(world, app, "sam").open(f"/tickets/{number}").press("Decline")
    assert page.answer is not None
    assert page.answer.status_code == 422
    assert "Say why, so that the partner knows what to do." in page.text
    page.fill("Reason for declining", "The key is in use.").press("Decline")
    assert session.query(Cancellation).one().state is CancellationState.DECLINED
    assert ticket_of(number).status is TicketStatus.ATTENTION_NEEDED
    again = browser(world, app).open(START + str(line(bought).uuid))
    again.fill("Refund reason", "It is not").press("Submit")
    assert session.query(Cancellation).count() == 2


def test_d5_a_note_that_does_not_fit_is_kept_and_nothing_is_decided(app: Flask, world: World) -> None:
    _bought, number = requested(world)
    page = browser(world, app, "sam").open(f"/tickets/{number}")
    page.fill("Note to the partner", "x" * 2001).press("Approve cancellation")
    assert page.answer is not None
    assert page.answer.status_code == 422
    assert "x" * 2001 in page.answer.text
    assert session.query(Cancellation).one().state is CancellationState.REQUESTED


def test_d5_while_it_waits_cancel_leads_to_its_ticket(app: Flask, world: World) -> None:
    bought, number = requested(world)
    page = browser(world, app).open(START + str(line(bought).uuid))
    assert f"Its cancellation was requested in ticket {number}." in page.text
    page.follow(f"Open ticket {number}")
    assert page.heading == "Please cancel"


def test_d5_a_page_opened_before_a_colleague_decided_is_told_so(app: Flask, world: World) -> None:
    _bought, number = requested(world)
    stale = browser(world, app, "sam").open(f"/tickets/{number}")
    with transaction():
        decline(cancellation(ticket_of(number)), by=world.actor("sam"), reason="No.")
    stale.press("Approve cancellation")
    assert stale.answer is not None
    assert stale.answer.status_code == 409
    assert "already declined by Sam" in stale.text


@pytest.mark.parametrize("who", ["alice", "audrey", "olga"])
@pytest.mark.parametrize("act", ["approval", "refusal"])
def test_d5_only_support_decides(app: Flask, world: World, who: str, act: str) -> None:
    _bought, number = requested(world)
    client = world.sign_in(app, who)
    token = value_of(PlainBrowser(client).open("/tickets" if who != "olga" else "/account"), "csrf_token")
    answer = client.post(f"/tickets/{number}/cancellation/{act}", data={"csrf_token": token})
    assert answer.status_code == (404 if who == "olga" else 403)
    assert session.query(TicketNote).count() == 0


def test_a_ticket_without_a_cancellation_has_nothing_to_decide(app: Flask, world: World) -> None:
    page = browser(world, app)
    page.open("/tickets/new").fill("Type of problem", "Other").fill("Title", "x").fill("Description", "y").press(
        "Submit"
    )
    support = browser(world, app, "sam").open(page.address)
    assert "Approve cancellation" not in support.text
    token = value_of(support, "csrf_token")
    assert support.client.post(f"{page.address}/cancellation/approval", data={"csrf_token": token}).status_code == 404
