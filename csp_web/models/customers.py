"""The companies that a partner sells to."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, Folded, now
from csp_web.identifiers import new_uuid
from csp_web.models.accounts import Partner


class Customer(Base):
    """A commercial customer (R3). ``uuid`` is what the original calls the Microsoft ID, the tenant's GUID."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("partner_id", "id"),
        UniqueConstraint("partner_id", "domain"),
        UniqueConstraint("partner_id", "uuid"),  # a company may buy from several partners
        Index(None, "partner_id", "name_folded", "id"),
        Index(None, "partner_id", "country", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[uuid.UUID] = mapped_column(default=new_uuid)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    company_name: Mapped[str]
    name_folded: Mapped[str] = mapped_column(Folded)  # identifiers.fold(company_name): the order of the list
    search_text: Mapped[str]  # folded name, domain and GUID: what the search looks through
    domain: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    line1: Mapped[str] = mapped_column(default="")
    line2: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="")
    postal_code: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="")
    last_name: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    registration_number: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1)  # goes up with every edit; a stale form is told what changed

    partner: Mapped[Partner] = relationship()

    __mapper_args__ = {"version_id_col": version}
