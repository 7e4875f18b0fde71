"""What is sold, where, at which price, and under which cancellation terms."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now


class ProductFamily(enum.StrEnum):
    """The three product families (R1)."""

    WINDOWS_SERVER = "windows_server"
    SQL_SERVER = "sql_server"
    AZURE_RESERVATION = "azure_reservation"


class ProductType(enum.StrEnum):
    """What markets and cancellation policies are told apart by (D8)."""

    SOFTWARE_SUBSCRIPTION = "software_subscription"
    RESERVATION = "reservation"


class Product(Base):
    """A product. It may have keys without files (client access licences) or neither (reservations)."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(String(12), unique=True)
    title: Mapped[str]
    publisher: Mapped[str]
    family: Mapped[ProductFamily]
    product_type: Mapped[ProductType]
    own_version: Mapped[str | None]  # "Windows Server 2025": the version whose key is taken when the order is placed
    is_cal: Mapped[bool] = mapped_column(default=False)
    has_keys: Mapped[bool] = mapped_column(default=True)
    has_files: Mapped[bool] = mapped_column(default=True)

    skus: Mapped[list[Sku]] = relationship(back_populates="product")


class Sku(Base):
    """A stock keeping unit: four characters, unique only inside its product."""

    __tablename__ = "skus"
    __table_args__ = (UniqueConstraint("product_id", "sku_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    sku_id: Mapped[str] = mapped_column(String(4))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    minimum_quantity: Mapped[int] = mapped_column(Integer, default=1)
    maximum_quantity: Mapped[int] = mapped_column(Integer, default=10_000)
    arm_sku_name: Mapped[str | None]  # reservations: the virtual machine's size
    region: Mapped[str | None]  # reservations: the Azure region

    product: Mapped[Product] = relationship(back_populates="skus")
    inclusions: Mapped[list[SkuInclusion]] = relationship(foreign_keys="SkuInclusion.sku_id")


class SkuInclusion(Base):
    """A further SKU that a suite carries; each included one has a key of its own."""

    __tablename__ = "sku_inclusions"

    sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"), primary_key=True)
    included_sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer, default=1)

    included: Mapped[Sku] = relationship(foreign_keys=[included_sku_id])


class Offer(Base):
    """A SKU for a term, in a market, in a currency, at a price, between two instants (``valid_to`` is exclusive, None is open)."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint(
            "sku_id", "market", "currency", "term", "billing_plan", "segment", "tier_min", "valid_from", name="price"
        ),
        Index(None, "market", "valid_to"),
        CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    availability_id: Mapped[str] = mapped_column(String(12), unique=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"))
    term: Mapped[str] = mapped_column(String(8))  # ISO 8601: P1Y, P3Y
    billing_plan: Mapped[str] = mapped_column(String(20))
    market: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    segment: Mapped[str] = mapped_column(String(20), default="Commercial")
    tier_min: Mapped[int] = mapped_column(Integer, default=0)  # smallest quantity of a volume price; 0: no tiers
    tier_max: Mapped[int | None] = mapped_column(Integer)
    unit_price: Mapped[int] = mapped_column(BigInteger)  # minor units, without tax
    erp_price: Mapped[int | None] = mapped_column(BigInteger)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]

    sku: Mapped[Sku] = relationship()

    def is_valid(self, at: datetime) -> bool:
        """Whether the price is in force at an instant."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


class PriceSheetImport(Base):
    """One imported price sheet: which file, by whom, what it changed."""

    __tablename__ = "price_sheet_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    added: Mapped[int] = mapped_column(Integer)
    ended: Mapped[int] = mapped_column(Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    imported_at: Mapped[datetime] = mapped_column(default=now)
    imported_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class MarketSet(Base):
    """A list of markets to which a product type is not sold (R11). Several are shipped; those with dates are in force (D8)."""

    __tablename__ = "market_sets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    product_type: Mapped[ProductType]
    source: Mapped[str] = mapped_column(default="")
    published_from: Mapped[datetime]  # when the publisher's list began to hold; a fact about the list, not a rule
    published_to: Mapped[datetime | None]
    in_force_from: Mapped[datetime | None]  # None: shipped, but not in force here
    in_force_to: Mapped[datetime | None]

    exclusions: Mapped[list[MarketExclusion]] = relationship(back_populates="market_set", cascade="all, delete-orphan")


class MarketExclusion(Base):
    """One country of a set. CN does not include HK or MO (R13)."""

    __tablename__ = "market_exclusions"

    market_set_id: Mapped[int] = mapped_column(ForeignKey("market_sets.id"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    note: Mapped[str] = mapped_column(default="")

    market_set: Mapped[MarketSet] = relationship(back_populates="exclusions")


class CancellationPolicy(Base):
    """The terms of cancelling a product type; copied to the order line at purchase and never looked up again (D8).

    ``steps`` is a list of ``{"until_hours": int | None, "refund": "full" | "prorata" | "none"}``; the last instant at
    which a cancellation may be requested is the purchase plus the largest ``until_hours``.
    """

    __tablename__ = "cancellation_policies"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    product_type: Mapped[ProductType]
    terms: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(default="")
    in_force_from: Mapped[datetime | None]  # None: shipped, but not in force here
    in_force_to: Mapped[datetime | None]
