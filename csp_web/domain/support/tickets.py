"""Support requests: open, answer, note, assign, close (R36-R43, D3, D4, B10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from csp_web.db import for_update, now, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, refusal, require
from csp_web.domain.support.attachments import attach_kept
from csp_web.domain.support.cancellation_window import cancellation_terms
from csp_web.domain.support.cancellations import request_cancellation
from csp_web.domain.support.ticket_facts import Subject, amount_asked, find_subject, written_description
from csp_web.domain.support.ticket_mail import tell_partner, tell_support
from csp_web.domain.support.ticket_thread import (
    add_note,
    change_assignee,
    change_status,
    first_step,
    hold,
    works_for_support,
)
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text, new_ticket_number
from csp_web.models import (
    Cancellation,
    CancellationState,
    Impact,
    Partner,
    ProblemType,
    Role,
    Subscription,
    Ticket,
    TicketNote,
    TicketStatus,
    User,
    UserRole,
)
from csp_web.said import again, stored

ANSWER_WITHIN = {
    Impact.CRITICAL: timedelta(hours=2),
    Impact.MODERATE: timedelta(hours=4),
    Impact.MINIMAL: timedelta(hours=8),
}


@dataclass(frozen=True, slots=True)
class TicketDetails:
    """What the form holds, as it was typed; its shape was checked. ``facts`` are the extra fields of the type.

    ``prefilled`` is the description that the page had written: when it still stands, it is written anew from the facts.
    """

    type_code: str
    impact: Impact
    title: str
    description: str
    contact_name: str
    contact_email: str
    contact_phone: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    line: str = ""
    prefilled: str = ""


def open_ticket(details: TicketDetails, *, by: Actor, token: str, at: datetime | None = None) -> Ticket:
    """File a support request; a refund request asks for the cancellation of its line in the same act (R37-R43, D5).

    Files that the form has kept become the ticket's. The same form sent twice is one ticket.

    Raises:
        Forbidden: the role may not, or the type asks for a cancellation and only admin agents cancel (R31).
        Invalid: a fact does not fit the records. Refused: the line may not be cancelled (any more).
    """
    require(by, "tickets.open")
    problem_type = _type(details.type_code)
    if problem_type.is_refund:
        require(by, "subscriptions.cancel")
    content = {**asdict(details), "facts": sorted(details.facts.items())}
    before = once.first_time(token, purpose="open_ticket", content=content, by=by)
    if before is not None:
        return session.scalars(select(Ticket).filter_by(number=before)).one()
    at = at or now()
    facts = {name: clean_text(details.facts.get(name, "")) for name in problem_type.fields}
    subject = find_subject(facts, line=details.line, by=by)
    if problem_type.is_refund:
        subject = _refund_subject(subject, facts, at)
    ticket = _file(details, problem_type, facts, subject, by=by, at=at)
    attach_kept(ticket, by=by, token=token, at=at)
    if problem_type.is_refund and subject.subscription is not None and subject.amount is not None:
        reason = facts["refund_reason"]
        request_cancellation(subject.subscription, ticket=ticket, amount=subject.amount, reason=reason, by=by, at=at)
    _announce(ticket)
    once.done(token, by=by, result=ticket.number)
    return ticket


def _type(code: str) -> ProblemType:
    row = session.get(ProblemType, code)
    if row is None or row.retired_at is not None:
        raise Invalid({"problem_type": _("Choose a type of problem.")})
    return row


def _refund_subject(subject: Subject, facts: Mapping[str, str], at: datetime) -> Subject:
    """The line, the window and the amount of a refund request, checked in this order."""
    line = subject.subscription
    if line is None:
        choose = _("This order has several lines. Choose the one to cancel.")
        raise Invalid({"line" if subject.lines else "order_or_subscription": choose})
    line = for_update(Subscription, line.id)  # before rows that refer to it: two who ask at once wait for each other
    terms = cancellation_terms(line, at)
    if not terms.may:
        raise Refused(terms.reason, rule=terms.rule)
    return Subject(subject.customer, line, amount_asked(facts["amount"], line, at), subject.lines)


def _file(
    details: TicketDetails,
    problem_type: ProblemType,
    facts: Mapping[str, str],
    subject: Subject,
    *,
    by: Actor,
    at: datetime,
) -> Ticket:
    ticket = Ticket(
        number=_free_number(at),
        partner_id=by.partner_id,
        customer_id=subject.customer.id if subject.customer else None,
        subscription_id=subject.subscription.id if subject.subscription else None,
        type_code=problem_type.code,
        impact=details.impact,
        title=" ".join(clean_text(details.title).split()),
        description=stored(_description(details, facts, subject)),
        facts={name: text for name, text in facts.items() if text},
        contact_name=clean_text(details.contact_name),
        contact_email=details.contact_email.strip(),
        contact_phone=clean_text(details.contact_phone),
        created_at=at,
        created_by_id=by.id,
        updated_at=at,
        updated_by_id=by.id,
        first_answer_due_at=at + ANSWER_WITHIN[details.impact],
    )
    session.add(ticket)
    session.flush()
    first_step(ticket, by=by, at=at)
    audit.record(
        "open_ticket",
        by=by,
        resource=("ticket", ticket.number),
        customer=subject.customer,
        type=problem_type.code,
        impact=details.impact,
        subscription=subject.subscription.uuid if subject.subscription else None,
    )
    return ticket


def _free_number(at: datetime) -> str:
    """A number that no ticket has; eight random digits a day rarely meet."""
    while True:
        number = new_ticket_number(at)
        if session.scalar(select(Ticket.id).filter_by(number=number)) is None:
            return number


def _description(details: TicketDetails, facts: Mapping[str, str], subject: Subject) -> str:
    typed, page = clean_text(details.description), clean_text(details.prefilled)
    line, customer = subject.subscription, subject.customer
    if subject.amount is None or line is None or customer is None or (typed and typed != page):
        return typed
    return written_description(
        customer, line, reason=facts["refund_reason"], amount=subject.amount, order_id=line.order.order_id
    )


def _announce(ticket: Ticket) -> None:
    tell_support(
        ticket,
        subject=lambda: _("New support request"),
        body=lambda: _(
            "%(name)s of %(partner)s reports a problem:\n\n%(text)s",
            name=ticket.contact_name,
            partner=ticket.partner.name,
            text=again(ticket.description),
        ),
    )


def why_no_reply(ticket: Ticket, actor: Actor) -> str:
    """Why somebody may not reply, naming the roles that may; empty when allowed (D14)."""
    return refusal(actor, "support.work" if works_for_support(ticket, actor) else "tickets.open")


def reply(ticket: Ticket, text: str, *, by: Actor, token: str, at: datetime | None = None) -> TicketNote:
    """Write to the other side: a partner's reply opens the ticket (again), support's waits for the partner (D3).

    Raises:
        Forbidden: auditors and strangers to tickets only read.
    """
    why_not = why_no_reply(ticket, by)
    if why_not:
        raise Forbidden(why_not, permission="tickets.open")
    known = _sent_before(ticket, text, purpose="reply", by=by, token=token)
    if known is not None:
        return known
    at, ticket = at or now(), hold(ticket)
    note = add_note(ticket, clean_text(text), by=by, at=at)
    attach_kept(ticket, note=note, by=by, token=token, at=at)
    of_support = works_for_support(ticket, by)
    change_status(ticket, TicketStatus.ATTENTION_NEEDED if of_support else TicketStatus.OPEN, by=by, at=at)
    audit.record("reply_to_ticket", by=by, resource=("ticket", ticket.number), partner_id=ticket.partner_id)
    tell = tell_partner if of_support else tell_support
    tell(
        ticket,
        subject=lambda: _("Reply to a support request"),
        body=lambda: _("%(name)s wrote:\n\n%(text)s", name=by.name, text=note.text),
    )
    once.done(token, by=by, result=note.id)
    return note


def internal_note(ticket: Ticket, text: str, *, by: Actor, token: str, at: datetime | None = None) -> TicketNote:
    """Write to colleagues of the support desk; the partner never sees it, its files included (B10)."""
    require(by, "support.work")
    known = _sent_before(ticket, text, purpose="internal_note", by=by, token=token)
    if known is not None:
        return known
    at, ticket = at or now(), hold(ticket)
    note = add_note(ticket, clean_text(text), by=by, at=at, internal=True)
    attach_kept(ticket, note=note, by=by, token=token, at=at)
    audit.record("note_on_ticket", by=by, resource=("ticket", ticket.number))
    once.done(token, by=by, result=note.id)
    return note


def _sent_before(ticket: Ticket, text: str, *, purpose: str, by: Actor, token: str) -> TicketNote | None:
    content = {"ticket": ticket.number, "text": text}
    before = once.first_time(token, purpose=purpose, content=content, by=by)
    return session.get_one(TicketNote, int(before)) if before is not None else None


def assign(ticket: Ticket, user_id: int | None, *, by: Actor, at: datetime | None = None) -> Ticket:
    """Give a ticket to a support agent, or back to the queue with None.

    Raises:
        Invalid: this person is not a support agent (any more).
    """
    require(by, "support.work")
    if user_id is not None and user_id not in {person.id for person in support_agents()}:
        raise Invalid({"assigned_to": _("Choose a support agent.")})
    ticket = hold(ticket)
    if change_assignee(ticket, user_id, by=by, at=at or now()):
        audit.record(
            "assign_ticket", by=by, resource=("ticket", ticket.number), partner_id=ticket.partner_id, to=user_id
        )
    return ticket


def why_no_close(ticket: Ticket, actor: Actor, *, undecided: bool) -> str:
    """Why somebody may not close a ticket (D3, D5); empty when allowed. ``undecided``: a cancellation waits in it."""
    if refused := refusal(actor, "support.work"):
        return refused
    if undecided:
        return _("Its cancellation has not been decided yet. Approve it or decline it first.")
    return _("This request is closed. A reply opens it again.") if ticket.status is TicketStatus.CLOSED else ""


def close(ticket: Ticket, *, by: Actor, at: datetime | None = None) -> Ticket:
    """Close a ticket; a reply opens it again.

    Raises:
        Conflict: it asks for a cancellation that nobody has decided.
    """
    require(by, "support.work")
    ticket = hold(ticket)
    waiting = select(Cancellation.id).filter_by(ticket_id=ticket.id, state=CancellationState.REQUESTED)
    if session.scalar(waiting) is not None:
        raise Conflict(why_no_close(ticket, by, undecided=True), rule="D5")
    if change_status(ticket, TicketStatus.CLOSED, by=by, at=at or now()):
        audit.record("close_ticket", by=by, resource=("ticket", ticket.number), partner_id=ticket.partner_id)
        tell_partner(
            ticket,
            subject=lambda: _("Support request closed"),
            body=lambda: _("%(name)s closed your support request. A reply opens it again.", name=by.name),
        )
    return ticket


def support_agents() -> list[User]:
    """Everybody whom a ticket can be assigned to."""
    statement = (
        select(User)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Partner, Partner.id == User.partner_id)
        .where(Partner.is_operator, UserRole.role == Role.SUPPORT_AGENT, User.disabled_at.is_(None))
        .order_by(User.name, User.id)
    )
    return list(session.scalars(statement))
