"""Messages to the outside world, written in the transaction of the act they tell of and sent afterwards."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from csp_web.db import Base, now


class OutboxState(enum.StrEnum):
    """Waiting, sent, or given up and shown to the operator."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class OutboxMessage(Base):
    """One mail. The Message-ID is fixed when it is written, so a mail sent twice is seen as one."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index(None, "state", "next_try_at"), Index(None, "customer_id", "created_at", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partners.id"))
    customer_id: Mapped[int | None]  # whose timeline shows it: what went to the partner's people about this customer
    link_id: Mapped[int | None] = mapped_column(ForeignKey("download_links.id"))  # whose address it brings
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[OutboxState] = mapped_column(default=OutboxState.WAITING)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime] = mapped_column(default=now)
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(500), default="")
