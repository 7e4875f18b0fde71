"""Support requests in every state, and cancellations: requested, declined, completed (R36-R43, D3, D5)."""

from __future__ import annotations

import io
from collections.abc import Mapping

from sqlalchemy import select

from csp_web.db import now, session
from csp_web.demo.story import Story
from csp_web.domain.support import attachments, cancellations, tickets
from csp_web.domain.support.problem_types import REFUND
from csp_web.domain.support.tickets import TicketDetails
from csp_web.domain.upkeep.configured import file_store, settings
from csp_web.models import Cancellation, Impact
from csp_web.money import plain

HOUR = 1 / 24

REQUESTED = "Humongous Insurance, Inc., 12 days, windows standard"
DECLINED = "Coho Vineyard, 61 days, windows standard"
COMPLETED = "Fourth Coffee, 21 days, windows standard"
OF_FABRIKAM = "Wide World Importers, 18 days, windows datacenter"
OLDER_KEY = "Alpine Ski House, 57.5 days, sql standard"
RUSSIAN = "Датум Логистика, 28 days, windows standard"

LOG_FILE = (
    "setup.log",
    b"[09:14:02] Reading the product key\n[09:14:03] Error 0x8007000D: The data is invalid\n[09:14:03] Setup ends\n",
)


def plan_requests(story: Story) -> None:
    """Plan all support requests."""
    _plan_questions(story)
    _plan_cancellations(story)


def _plan_questions(story: Story) -> None:
    ask(
        story, 41, "slow", "helen", "downloads", Impact.MINIMAL, "Download stops at night",
        "The customer starts the download at 22:00 and it stops at midnight. Can it be resumed?",
        line=OLDER_KEY, facts={"version": "SQL Server 2025"},
    )  # fmt: skip
    answer(
        story, 40.9, "slow", "sam", "Yes: open the link again and press Download, then choose Resume in the browser."
    )
    answer(story, 40.5, "slow", "helen", "That worked, thank you.")
    story.ago(40.4, lambda: tickets.close(story.tickets["slow"], by=story.person("sam")))
    ask(
        story, 6, "activation", "alice", "product_key", Impact.MODERATE, "Key is not accepted on the second server",
        "Setup says that the data is invalid. The log is added.",
        line=RUSSIAN, facts={"version": "Windows Server 2025", "error_message": "0x8007000D"}, file=LOG_FILE,
    )  # fmt: skip
    assign(story, 5.9, "activation")
    note(story, 5.85, "activation", "The same error as last week: the image is of another edition than the key.")
    answer(story, 5.8, "activation", "sam", "Which image was used? Please send the name of the ISO file.")
    ask(
        story, 4, "invoice", "bill", "order", Impact.MINIMAL, "Purchase order number on the invoice",
        "Can the invoice show our own purchase order number?", line="Adventure Works, 59 days, access",
    )  # fmt: skip
    answer(story, 3.8, "invoice", "sam", "Yes, it is taken from the field Reference of the order. Is it there?")
    answer(story, 3, "invoice", "bill", "It is. It was missing on the invoice of last month, though.")
    ask(
        story, 5 * HOUR, "outage", "helen", "downloads", Impact.CRITICAL, "No download works for Relecloud",
        "All links answer, but the transfer does not start. Their proxy was changed this morning.",
        facts={"customer": "customer13.example"},
    )  # fmt: skip
    ask(
        story, 1.5 * HOUR, "profile", "bob", "profile", Impact.MINIMAL, "Cannot change my phone number",
        "The page says that the number is not valid, but it is.", facts={"error_message": "Not a phone number"},
    )  # fmt: skip
    ask(
        story, 2, "of Fabrikam", "charlie", "other", Impact.MODERATE, "Training for new colleagues",
        "Two colleagues start next month. Is there a training installation?", facts={"customer": "customer18.example"},
    )  # fmt: skip


def _plan_cancellations(story: Story) -> None:
    cancel(story, 15, "completed", COMPLETED, "Bought twice by mistake.")
    assign(story, 14.9, "completed")
    story.ago(14.8, lambda: cancellations.approve(_cancellation(story, "completed"), by=story.person("sam")))
    cancel(story, 30, "declined", DECLINED, "The project was postponed.")
    reason = "The key is in use: it was activated on two servers. Please confirm that they were shut down."
    story.ago(
        29.5, lambda: cancellations.decline(_cancellation(story, "declined"), by=story.person("sam"), reason=reason)
    )
    cancel(story, 3 * HOUR, "requested", REQUESTED, "The customer needs Datacenter instead of Standard.")


def ask(
    story: Story,
    days: float,
    name: str,
    by: str,
    type_code: str,
    impact: Impact,
    title: str,
    description: str,
    *,
    line: str = "",
    facts: Mapping[str, str] | None = None,
    file: tuple[str, bytes] | None = None,
) -> None:
    """Open a request; it is known by a name afterwards. ``line`` is what it is about."""

    def act() -> None:
        actor, token = story.person(by), story.form()
        about = {"order_or_subscription": str(story.lines[line].uuid)} if line else {}
        details = TicketDetails(
            type_code, impact, title, description, actor.name, actor.email, actor.phone, {**about, **(facts or {})}
        )
        if file is not None:
            _add_file(story, by, token, *file)
        story.tickets[name] = tickets.open_ticket(details, by=actor, token=token)

    story.ago(days, act)


def cancel(story: Story, days: float, name: str, line: str, reason: str) -> None:
    """**Cancel**: the request with its four facts, for all that was paid (R35)."""

    def act() -> None:
        actor, bought = story.person("alice"), story.lines[line]
        facts = {
            "customer": bought.customer.domain,
            "order_or_subscription": str(bought.uuid),
            "refund_reason": reason,
            "amount": plain(bought.total, bought.currency),
        }
        title = f"Cancel {bought.product_title}"
        details = TicketDetails(REFUND, Impact.MODERATE, title, "", actor.name, actor.email, actor.phone, facts)
        story.tickets[name] = tickets.open_ticket(details, by=actor, token=story.form())

    story.ago(days, act)


def _add_file(story: Story, by: str, token: str, name: str, content: bytes) -> None:
    limits = attachments.limits_of(settings())
    taken, problems = attachments.receive(
        [(name, io.BytesIO(content))], store=file_store(), limits=limits, room=limits.together
    )
    if problems:
        raise ValueError(problems[0])
    attachments.keep(taken, by=story.person(by), token=token, at=now())


def answer(story: Story, days: float, name: str, by: str, text: str) -> None:
    """**Reply**, of either side."""
    story.ago(days, lambda: tickets.reply(story.tickets[name], text, by=story.person(by), token=story.form()))


def note(story: Story, days: float, name: str, text: str) -> None:
    """**Internal note** of the support agent."""
    story.ago(
        days, lambda: tickets.internal_note(story.tickets[name], text, by=story.person("sam"), token=story.form())
    )


def assign(story: Story, days: float, name: str) -> None:
    """The support agent takes a request."""
    story.ago(days, lambda: tickets.assign(story.tickets[name], story.person("sam").id, by=story.person("sam")))


def _cancellation(story: Story, name: str) -> Cancellation:
    return session.scalars(select(Cancellation).filter_by(ticket_id=story.tickets[name].id)).one()
