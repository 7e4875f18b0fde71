"""Views of lists that people keep under a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.models.accounts import User

LONGEST_NAME = 60
LONGEST_QUERY = 4000  # a text of 200 characters of any script, and what else there is


class SavedView(Base):
    """What the list of all software was narrowed to, under a name: a person's own, or shown to the colleagues too.

    ``query`` is the query string of the list's address, so that a view is nothing but a link.
    """

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("owner_id", "name_folded"), Index(None, "partner_id", "name_folded"))

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    name_folded: Mapped[str] = mapped_column(String(LONGEST_NAME * 3))  # names that differ in case only are one name
    query: Mapped[str] = mapped_column(String(LONGEST_QUERY))
    shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)

    owner: Mapped[User] = relationship()
