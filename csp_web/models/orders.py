"""Carts, orders, and the subscriptions that order lines are."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now
from csp_web.identifiers import new_uuid
from csp_web.models.accounts import User
from csp_web.models.catalogue import Offer, Product, ProductType, Sku
from csp_web.models.customers import Customer

OF_CUSTOMER = (["partner_id", "customer_id"], ["customers.partner_id", "customers.id"])


class Cart(Base):
    """The cart of one customer; it belongs to the partner's team and survives sign-out. One is open per customer."""

    __tablename__ = "carts"
    __table_args__ = (ForeignKeyConstraint(*OF_CUSTOMER), UniqueConstraint("customer_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int]
    customer_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    modified_at: Mapped[datetime] = mapped_column(default=now)
    modified_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(
        Integer, default=1
    )  # goes up with every change: Place order names the one it saw

    lines: Mapped[list[CartLine]] = relationship(
        back_populates="cart", cascade="all, delete-orphan", order_by="CartLine.id"
    )


class CartLine(Base):
    """An offer and how many of it."""

    __tablename__ = "cart_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"), index=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[int] = mapped_column(BigInteger, server_default="0")  # as it was shown when the line was added
    azure_subscription_id: Mapped[str | None] = mapped_column(String(36))  # reservations (R4)
    scope: Mapped[str | None] = mapped_column(String(10))  # reservations: single or shared
    added_at: Mapped[datetime] = mapped_column(default=now)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    cart: Mapped[Cart] = relationship(back_populates="lines")
    offer: Mapped[Offer] = relationship()


class Order(Base):
    """A placed order, paid on account (D9). Its lines are subscriptions."""

    __tablename__ = "orders"
    __table_args__ = (
        ForeignKeyConstraint(*OF_CUSTOMER),
        UniqueConstraint("partner_id", "id"),
        Index(None, "customer_id", "id"),
        Index(None, "partner_id", "id"),
        Index(None, "partner_id", "placed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(String(33), unique=True)
    alternate_id: Mapped[str] = mapped_column(String(12), unique=True)
    partner_id: Mapped[int]
    customer_id: Mapped[int]
    placed_at: Mapped[datetime] = mapped_column(default=now)
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    due_at: Mapped[datetime]  # payment on account: 60 days
    reference: Mapped[str] = mapped_column(default="")  # the partner's own purchase order number

    customer: Mapped[Customer] = relationship(viewonly=True)
    placed_by: Mapped[User] = relationship(foreign_keys=[placed_by_id])
    lines: Mapped[list[Subscription]] = relationship(back_populates="order", order_by="Subscription.line_number")


class SubscriptionStatus(enum.StrEnum):
    """Active until cancelled; that a term has ended is told by its date, not stored."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class Subscription(Base):
    """One purchased order line: the thing that has keys, downloads, a term and a cancellation deadline.

    Titles, price and policy are frozen at purchase. ``cancel_until`` is the first instant at which a cancellation is
    refused (half open, D1); None: it can never be cancelled by the partner.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        ForeignKeyConstraint(*OF_CUSTOMER),
        ForeignKeyConstraint(["partner_id", "order_id"], ["orders.partner_id", "orders.id"]),
        UniqueConstraint("partner_id", "id"),
        UniqueConstraint("order_id", "line_number"),
        Index(None, "customer_id", "product_type", "id"),
        Index(None, "partner_id", "product_type", "id"),
        Index(None, "partner_id", "product_id", "id"),
        Index(None, "partner_id", "cancel_until"),
        Index(  # sums over a time read nothing else
            "ix_subscriptions_sales", "partner_id", "ordered_at", "currency", "total", "product_id", "quantity"
        ),
        Index(
            "ix_subscriptions_cancelled",
            "partner_id",
            "cancel_until",
            sqlite_where=text("status = 'cancelled'"),
            postgresql_where=text("status = 'cancelled'"),
        ),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("total >= 0", name="total_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[uuid.UUID] = mapped_column(default=new_uuid, unique=True)
    partner_id: Mapped[int]
    customer_id: Mapped[int]
    order_id: Mapped[int]
    line_number: Mapped[int] = mapped_column(Integer)  # from 0
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id"))
    product_type: Mapped[ProductType]
    product_title: Mapped[str]
    sku_title: Mapped[str]
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[int] = mapped_column(BigInteger)  # minor units
    total: Mapped[int] = mapped_column(BigInteger)  # minor units
    currency: Mapped[str] = mapped_column(String(3))
    term: Mapped[str] = mapped_column(String(8))
    billing_plan: Mapped[str] = mapped_column(String(20))
    ordered_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # end of the term
    policy_code: Mapped[str]
    policy_terms: Mapped[dict[str, Any]]
    cancel_until: Mapped[datetime | None]
    status: Mapped[SubscriptionStatus] = mapped_column(default=SubscriptionStatus.ACTIVE)
    cancelled_at: Mapped[datetime | None]
    azure_subscription_id: Mapped[str | None] = mapped_column(String(36))
    region: Mapped[str | None]
    scope: Mapped[str | None] = mapped_column(String(10))

    customer: Mapped[Customer] = relationship(viewonly=True)
    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()
    sku: Mapped[Sku] = relationship()
    entitlements: Mapped[list[Entitlement]] = relationship(back_populates="subscription", order_by="Entitlement.id")

    @property
    def is_cancelled(self) -> bool:
        """Whether the line was cancelled."""
        return self.status is SubscriptionStatus.CANCELLED


class Entitlement(Base):
    """The right to a key and to files that a subscription gives. The first is the product's own; a suite has more."""

    __tablename__ = "entitlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("skus.id"))
    quantity: Mapped[int] = mapped_column(Integer)

    subscription: Mapped[Subscription] = relationship(back_populates="entitlements")
    product: Mapped[Product] = relationship()
    sku: Mapped[Sku] = relationship()


class AccountEntryKind(enum.StrEnum):
    """What moved the partner's account."""

    CHARGE = "charge"
    REFUND = "refund"


class AccountEntry(Base):
    """One movement on the partner's account (D9): a charge per order line, a refund per cancellation. Append-only.

    ``amount`` is in minor units, positive for charges, negative for refunds; the sum per line never falls below zero (D6).
    """

    __tablename__ = "account_entries"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "subscription_id"], ["subscriptions.partner_id", "subscriptions.id"]),
        Index(None, "partner_id", "currency", "id"),
        Index(None, "subscription_id"),
        Index(
            "ix_account_entries_refunds",
            "partner_id",
            "at",
            sqlite_where=text("kind = 'refund'"),
            postgresql_where=text("kind = 'refund'"),
        ),
        CheckConstraint("(kind = 'charge') = (amount >= 0)", name="sign"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int]
    subscription_id: Mapped[int]
    kind: Mapped[AccountEntryKind]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime] = mapped_column(default=now)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
