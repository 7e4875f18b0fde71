"""Forms that were already carried out: what makes a double click one act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from csp_web.db import Base, now


class FormToken(Base):
    """A form's token, what was sent with it, and what came of it."""

    __tablename__ = "form_tokens"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40))
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    result: Mapped[str | None]  # names what was made; None while the act is in hand
    at: Mapped[datetime] = mapped_column(default=now)
