"""Mails about tickets: to the other side, in the reader's language, in the transaction of the act they tell of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.outbox import queue_mail
from csp_web.domain.upkeep import configured
from csp_web.i18n import gettext as _
from csp_web.i18n import use_place
from csp_web.models import Partner, Role, Ticket, User, UserRole

Say = Callable[[], str]  # says a text in the language in force when it is called


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a mail, and how to speak to them."""

    email: str
    language: str = "en"
    time_zone: str = "UTC"


def tell_partner(ticket: Ticket, *, subject: Say, body: Say) -> None:
    """Write to the ticket's contact, in the language of the colleague who opened it."""
    opener = ticket.created_by
    reader = Reader(ticket.contact_email, opener.language, opener.time_zone)
    _send(ticket, reader, subject, body, customer_id=ticket.customer_id)


def tell_support(ticket: Ticket, *, subject: Say, body: Say) -> None:
    """Write to whoever works on the ticket, else to the support desk."""
    for reader in _support(ticket):
        _send(ticket, reader, subject, body)


def _support(ticket: Ticket) -> Iterator[Reader]:
    if ticket.assigned_to is not None and ticket.assigned_to.is_active:
        person = ticket.assigned_to
        yield Reader(person.email, person.language, person.time_zone)
        return
    desk = session.scalar(select(Partner.support_email).where(Partner.is_operator, Partner.support_email.is_not(None)))
    if desk:
        yield Reader(desk)
        return
    agents = (
        select(User.email, User.language, User.time_zone)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Partner, Partner.id == User.partner_id)
        .where(Partner.is_operator, UserRole.role == Role.SUPPORT_AGENT, User.disabled_at.is_(None))
        .order_by(User.id)
    )
    for row in session.execute(agents):
        yield Reader(row.email, row.language, row.time_zone)


def _send(ticket: Ticket, reader: Reader, subject: Say, body: Say, *, customer_id: int | None = None) -> None:
    address = f"{configured.settings().public_url}/tickets/{ticket.number}"
    with use_place(reader.language, reader.time_zone):
        foot = _("Support request %(number)s: %(title)s", number=ticket.number, title=ticket.title)
        queue_mail(
            recipient=reader.email,
            subject=f"{subject()} ({ticket.number})",
            body=f"{body()}\n\n-- \n{foot}\n{address}\n",
            partner_id=ticket.partner_id,
            customer_id=customer_id,
        )
