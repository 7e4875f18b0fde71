"""The activity log: append-only, hash-chained (B11). The database itself refuses UPDATE and DELETE on it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from csp_web.db import Base


class AuditStatus(enum.StrEnum):
    """Whether the act was done or refused."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"


class AuditEntry(Base):
    """One act or refusal. ``seq`` has no gaps; ``hash`` covers the row and the hash of the one before."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "partner_id", "seq"),
        Index("ix_audit_entries_timeline", "customer_id", "at", "seq", "operation", "status"),
        Index(None, "partner_id", "status", "at"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partners.id"))  # whose log shows it
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    customer_name: Mapped[str] = mapped_column(default="")
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_email: Mapped[str] = mapped_column(default="")
    operation: Mapped[str] = mapped_column(String(60))
    resource_type: Mapped[str] = mapped_column(String(40))
    resource_id: Mapped[str] = mapped_column(default="")
    status: Mapped[AuditStatus]
    details: Mapped[dict[str, Any]]
    address: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str] = mapped_column(default="")
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)


class AuditHead(Base):
    """The end of the chain: one row, locked last in every transaction, so the chain has one order."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
