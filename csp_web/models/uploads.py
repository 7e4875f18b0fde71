"""Installer files on their way in: what has come so far, of what, and what it will be offered as (R22)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.models.accounts import User
from csp_web.models.catalogue import Product


class Upload(Base):
    """A file that goes up in pieces. Its bytes lie in the data directory under ``key`` until all of them are there.

    The same file is known again by name, size, time of its last change and the SHA-256 of its first bytes. ``received``
    bytes are safe on the disk; ``option_id`` is set once it is offered.
    """

    __tablename__ = "uploads"
    __table_args__ = (CheckConstraint("received >= 0 AND received <= size", name="received_within_size"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    version: Mapped[str]
    language: Mapped[str]
    file_type: Mapped[str]
    file_name: Mapped[str]
    replace: Mapped[bool] = mapped_column(default=False)
    expected_sha256: Mapped[str] = mapped_column(String(64), default="")  # what it has to be; empty: nobody said
    signature: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    signature_kind: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    modified: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970, as the browser says
    head_sha256: Mapped[str] = mapped_column(String(64))
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    begun_at: Mapped[datetime] = mapped_column(default=now)
    touched_at: Mapped[datetime] = mapped_column(default=now)  # when the last piece came
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    option_id: Mapped[int | None] = mapped_column(ForeignKey("download_options.id"))

    product: Mapped[Product] = relationship()
    begun_by: Mapped[User] = relationship()
