"""Support requests: form, notes, files, states (R36-R43, D3, D4, B10)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.identifiers import fold
from csp_web.models.accounts import Partner, User
from csp_web.models.customers import Customer
from csp_web.models.orders import Subscription
from csp_web.models.scans import Scanned


class Impact(enum.StrEnum):
    """How bad it is; decides when the first answer is due: 2, 4 or 8 hours (D3)."""

    CRITICAL = "critical"
    MODERATE = "moderate"
    MINIMAL = "minimal"


class TicketStatus(enum.StrEnum):
    """Open waits for support, attention needed waits for the partner (D3)."""

    OPEN = "open"
    ATTENTION_NEEDED = "attention needed"
    CLOSED = "closed"


class ProblemType(Base):
    """A type of problem with the extra fields that its form asks for (D4). Data, not code; names in both languages."""

    __tablename__ = "problem_types"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    names: Mapped[dict[str, Any]]  # {"en": …, "ru": …}
    fields: Mapped[list[str]]  # names of the extra fields
    is_refund: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(Integer)
    retired_at: Mapped[datetime | None]


def search_text(number: str, title: str) -> str:
    """What the search looks through: the number and the folded title."""
    return f"{number} {fold(title)}"


def _search_text(context: Any) -> str:
    given = context.get_current_parameters()
    return search_text(given["number"], given["title"])


class Ticket(Base):
    """A support request of a partner; its whole team sees it (B10)."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("partner_id", "id"),
        ForeignKeyConstraint(["partner_id", "customer_id"], ["customers.partner_id", "customers.id"]),
        ForeignKeyConstraint(["partner_id", "subscription_id"], ["subscriptions.partner_id", "subscriptions.id"]),
        Index(None, "partner_id", "updated_at", "id"),
        Index(None, "partner_id", "status", "updated_at", "id"),
        Index(None, "updated_at", "id"),
        Index(None, "subscription_id"),
        Index(None, "customer_id", "updated_at", "id"),
        Index(
            "ix_tickets_unsettled",
            "first_answer_due_at",
            "status",
            "impact",
            "first_answered_at",
            sqlite_where=text("status <> 'closed'"),
            postgresql_where=text("status <> 'closed'"),
        ),
        Index(None, "first_answered_at", "first_answer_due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(15), unique=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    customer_id: Mapped[int | None]
    subscription_id: Mapped[int | None]
    type_code: Mapped[str] = mapped_column(ForeignKey("problem_types.code"))
    impact: Mapped[Impact]
    title: Mapped[str]
    search_text: Mapped[str] = mapped_column(default=_search_text, server_default="")
    description: Mapped[str]
    facts: Mapped[dict[str, Any]]  # the type's extra fields, as they were entered
    contact_name: Mapped[str]
    contact_email: Mapped[str]
    contact_phone: Mapped[str]
    status: Mapped[TicketStatus] = mapped_column(default=TicketStatus.OPEN)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    updated_at: Mapped[datetime] = mapped_column(default=now)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    first_answer_due_at: Mapped[datetime]
    first_answered_at: Mapped[datetime | None]
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    partner: Mapped[Partner] = relationship()
    customer: Mapped[Customer | None] = relationship(viewonly=True)
    subscription: Mapped[Subscription | None] = relationship(viewonly=True)
    problem_type: Mapped[ProblemType] = relationship()
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])
    assigned_to: Mapped[User | None] = relationship(foreign_keys=[assigned_to_id])
    notes: Mapped[list[TicketNote]] = relationship(back_populates="ticket", order_by="TicketNote.id")
    files: Mapped[list[TicketFile]] = relationship(back_populates="ticket", order_by="TicketFile.id")


class TicketNote(Base):
    """What somebody wrote; append-only. Internal ones are seen by the operator's people alone."""

    __tablename__ = "ticket_notes"
    __table_args__ = (Index(None, "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    internal: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)

    ticket: Mapped[Ticket] = relationship(back_populates="notes")
    author: Mapped[User] = relationship()
    files: Mapped[list[TicketFile]] = relationship(back_populates="note", order_by="TicketFile.id")


class TicketFile(Scanned, Base):
    """An attachment: stored under a random name and only ever served inert (D13)."""

    __tablename__ = "ticket_files"
    __table_args__ = (
        Index(None, "ticket_id", "id"),
        Index(
            "ix_ticket_files_to_scan",
            "id",
            sqlite_where=text("scan_at IS NULL"),
            postgresql_where=text("scan_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    note_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_notes.id"))
    original_name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(unique=True)
    added_at: Mapped[datetime] = mapped_column(default=now)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    ticket: Mapped[Ticket] = relationship(back_populates="files")
    note: Mapped[TicketNote | None] = relationship(back_populates="files")


class PendingFile(Base):
    """A file chosen in a form that came back with errors: kept for this person and this form, for a day."""

    __tablename__ = "pending_files"
    __table_args__ = (Index(None, "user_id", "form_token"), Index(None, "added_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    form_token: Mapped[str] = mapped_column(String(64))
    original_name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(unique=True)
    added_at: Mapped[datetime] = mapped_column(default=now)


class TicketStep(Base):
    """One change of a ticket's status or assignment, with who and when."""

    __tablename__ = "ticket_steps"
    __table_args__ = (Index(None, "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[str] = mapped_column(String(20))  # status or assignment
    old: Mapped[str | None]
    new: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=now)
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
