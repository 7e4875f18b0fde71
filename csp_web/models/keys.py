"""Stock of product keys, and who got which (D11, D12, B3)."""

from __future__ import annotations

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.models.catalogue import Sku
from csp_web.models.orders import Entitlement, Subscription


class KeyState(enum.StrEnum):
    """Where a key of the stock is."""

    FREE = "free"
    HANDED_OUT = "handed_out"
    QUARANTINED = "quarantined"


class KeyPool(Base):
    """The stock of one SKU and version."""

    __tablename__ = "key_pools"
    __table_args__ = (UniqueConstraint("sku_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"))
    version: Mapped[str]
    low_at: Mapped[int] = mapped_column(Integer, default=2)  # the operator is told when this many or fewer are free

    sku: Mapped[Sku] = relationship()


class ProductKey(Base):
    """One volume key. The value is AES-GCM under a key that is not in the database; the fingerprint is an HMAC of it."""

    __tablename__ = "product_keys"
    __table_args__ = (
        UniqueConstraint("sku_id", "fingerprint"),
        Index(
            "ix_product_keys_free",
            "pool_id",
            "fingerprint",  # as good as random: buyers who come at once start at different keys
            sqlite_where=text("state = 'free'"),
            postgresql_where=text("state = 'free'"),
        ),
        Index(
            "ix_product_keys_quarantined",
            "pool_id",
            "id",
            sqlite_where=text("state = 'quarantined'"),
            postgresql_where=text("state = 'quarantined'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("key_pools.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(16))  # which encryption key
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    last_five: Mapped[str] = mapped_column(String(5))
    state: Mapped[KeyState] = mapped_column(default=KeyState.FREE)
    imported_at: Mapped[datetime] = mapped_column(default=now)
    imported_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # Set when the operator takes a free key out of stock; why a revoked one is there its assignment says.
    quarantined_at: Mapped[datetime | None]
    quarantined_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    quarantine_reason: Mapped[str | None]

    pool: Mapped[KeyPool] = relationship()


class KeyAssignment(Base):
    """A key handed out: at most once ever per key, one per entitlement, version and generation (a replacement is the next)."""

    __tablename__ = "key_assignments"
    __table_args__ = (
        UniqueConstraint("product_key_id"),
        UniqueConstraint("entitlement_id", "version", "generation"),
        Index(None, "subscription_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_key_id: Mapped[int] = mapped_column(ForeignKey("product_keys.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"))
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlements.id"))
    version: Mapped[str]
    generation: Mapped[int] = mapped_column(Integer, default=1)
    assigned_at: Mapped[datetime] = mapped_column(default=now)
    assigned_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    first_shown_at: Mapped[datetime | None]
    first_shown_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    revoked_reason: Mapped[str | None]

    product_key: Mapped[ProductKey] = relationship()
    subscription: Mapped[Subscription] = relationship()
    entitlement: Mapped[Entitlement] = relationship()


class KeyWait(Base):
    """A line that waits for a key of a pool without stock; filled oldest first (D12)."""

    __tablename__ = "key_waits"
    __table_args__ = (
        UniqueConstraint("entitlement_id", "version"),
        Index(
            "ix_key_waits_open",
            "pool_id",
            "id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "subscription_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("key_pools.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"))
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlements.id"))
    version: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))  # filled, cancelled or ended

    pool: Mapped[KeyPool] = relationship()
    subscription: Mapped[Subscription] = relationship()
    entitlement: Mapped[Entitlement] = relationship()


class KeyShowings(Base):
    """How many keys a person was shown in a day (UTC), so that nobody shows more than the limit (B4)."""

    __tablename__ = "key_showings"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
