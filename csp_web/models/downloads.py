"""Installer files, the links to them, and the transfers that links open (R24-R29, D2)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.models.accounts import User
from csp_web.models.catalogue import Product
from csp_web.models.orders import Subscription
from csp_web.models.scans import Scanned


class DownloadOption(Scanned, Base):
    """One file: version x language x file type/OS of a product (R22). A replaced file is withdrawn, its row stays."""

    __tablename__ = "download_options"
    __table_args__ = (
        Index(
            "uq_download_options_offered",
            "product_id",
            "version",
            "language",
            "file_type",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    version: Mapped[str]
    language: Mapped[str]  # "English (en-US)"
    file_type: Mapped[str]  # "64 Bit, ISO"
    file_name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(default=now)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]
    signature: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # detached, at most 64 KB
    signature_kind: Mapped[str] = mapped_column(default="", server_default="")  # .asc or .sig; empty: there is none

    product: Mapped[Product] = relationship()


class DownloadLink(Base):
    """A public address for one file of one subscription, with a clock and a counter of its own (R26-R28).

    The token of the address is not stored: only its SHA-256, and 128 random bits from which this installation, and
    nobody without its secret, can work the token out again to show **Copy link** a second time.
    """

    __tablename__ = "download_links"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "subscription_id"], ["subscriptions.partner_id", "subscriptions.id"]),
        Index(None, "subscription_id", "option_id"),
        Index(None, "partner_id", "expires_at"),
        Index(
            "ix_download_links_ending",
            "expires_at",
            sqlite_where=text("end_notice_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=text("end_notice_at IS NULL AND revoked_at IS NULL"),
        ),
        CheckConstraint("used >= 0 AND used <= max_downloads", name="used_within_limit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int]
    subscription_id: Mapped[int]
    option_id: Mapped[int] = mapped_column(ForeignKey("download_options.id"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    recipient: Mapped[str] = mapped_column(default="")  # a note or an e-mail address
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]  # first instant at which no transfer may start
    max_downloads: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer, default=0)
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    revoked_reason: Mapped[str | None]
    used_notice_at: Mapped[datetime | None]  # when its maker was told that most downloads are used
    end_notice_at: Mapped[datetime | None]  # when its maker was told that it ends soon

    subscription: Mapped[Subscription] = relationship(viewonly=True)
    option: Mapped[DownloadOption] = relationship()
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])


class Transfer(Base):
    """One counted download: a random address that serves the file, in as many ranges as it takes, for some hours."""

    __tablename__ = "transfers"
    __table_args__ = (Index(None, "link_id", "expires_at"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("download_links.id"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    visitor_hash: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the cookie, else of address and agent
    opened_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    bytes_sent: Mapped[int] = mapped_column(BigInteger, default=0)
    running: Mapped[int] = mapped_column(Integer, default=0)  # answers being sent now
    settled_at: Mapped[datetime | None]  # looked at after its end
    given_back: Mapped[bool] = mapped_column(default=False)  # it brought nothing, so its count was returned

    link: Mapped[DownloadLink] = relationship()


class LinkEvent(Base):
    """What happened to a link, for its log: counted, given back, renewed, revoked."""

    __tablename__ = "link_events"
    __table_args__ = (Index(None, "link_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("download_links.id"))
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(default=now)
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    bytes_sent: Mapped[int] = mapped_column(BigInteger, default=0)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class LinkMailings(Base):
    """How many links a person sent by mail in a day (UTC), so that nobody sends more than the limit (B2)."""

    __tablename__ = "link_mailings"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
