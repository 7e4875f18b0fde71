"""Cancellations and what they give back (R30-R34, D5-D7)."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.models.accounts import User
from csp_web.models.orders import Subscription
from csp_web.models.tickets import Ticket


class CancellationState(enum.StrEnum):
    """Requested, then declined, or approved and in the same act completed (D5)."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    COMPLETED = "completed"


class Cancellation(Base):
    """A request to cancel one subscription. At most one that is not declined exists per subscription."""

    __tablename__ = "cancellations"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "subscription_id"], ["subscriptions.partner_id", "subscriptions.id"]),
        Index(
            "uq_cancellations_live",
            "subscription_id",
            unique=True,
            sqlite_where=text("state <> 'declined'"),
            postgresql_where=text("state <> 'declined'"),
        ),
        CheckConstraint("amount_requested >= 0", name="amount_positive"),  # 0: a line that cost nothing
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int]
    subscription_id: Mapped[int]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), unique=True)
    state: Mapped[CancellationState] = mapped_column(default=CancellationState.REQUESTED)
    reason: Mapped[str]
    amount_requested: Mapped[int] = mapped_column(BigInteger)  # minor units of the line's currency
    currency: Mapped[str] = mapped_column(String(3))
    requested_at: Mapped[datetime] = mapped_column(default=now)  # this instant decides (D1)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    subscription: Mapped[Subscription] = relationship(viewonly=True)
    ticket: Mapped[Ticket] = relationship()
    steps: Mapped[list[CancellationStep]] = relationship(order_by="CancellationStep.id")
    refund: Mapped[Refund | None] = relationship(back_populates="cancellation")


class CancellationStep(Base):
    """One state of a cancellation, with who and when."""

    __tablename__ = "cancellation_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    cancellation_id: Mapped[int] = mapped_column(ForeignKey("cancellations.id"), index=True)
    state: Mapped[CancellationState]
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    by: Mapped[User] = relationship()


class Refund(Base):
    """Money returned for a cancellation: one per cancellation, never more than was paid (D6)."""

    __tablename__ = "refunds"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cancellation_id: Mapped[int] = mapped_column(ForeignKey("cancellations.id"), unique=True)
    account_entry_id: Mapped[int] = mapped_column(ForeignKey("account_entries.id"), unique=True)
    amount: Mapped[int] = mapped_column(BigInteger)  # minor units
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime] = mapped_column(default=now)
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    cancellation: Mapped[Cancellation] = relationship(back_populates="refund")
