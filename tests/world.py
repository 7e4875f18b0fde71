"""The people and things that tests speak of: Alice and Bob of Contoso, Charlie of Fabrikam, Olga and Sam of the operator.

Everything is made directly as rows, so that a test of one verb does not depend on another verb.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from csp_web import db
from csp_web.db import now, session, transaction
from csp_web.domain.access.actors import Actor, actor_of
from csp_web.domain.access.sessions import start
from csp_web.identifiers import fold, new_alternate_id, new_order_id
from csp_web.models import (
    AccountEntry,
    AccountEntryKind,
    Customer,
    Entitlement,
    Offer,
    Order,
    Partner,
    Product,
    ProductFamily,
    ProductType,
    Role,
    Sku,
    Subscription,
    User,
    UserRole,
)

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

LONG_AGO = datetime(2018, 8, 1, tzinfo=UTC)
POLICY = {"steps": [{"until_hours": 1440, "refund": "full"}], "fee_percent": 0, "partial": False, "channel": "ticket"}
NO_PASSWORD = "!"


@dataclass
class World:
    """Ids of what exists; rows are read afresh, for every request ends the session."""

    people: dict[str, int] = field(default_factory=dict)
    partners: dict[str, int] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)
    offers: dict[str, int] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        """A person as the domain sees them, who has just typed the password."""
        return replace(actor_of(session.get_one(User, self.people[name])), confirmed_at=now())

    def customer(self, name: str) -> Customer:
        """A customer's row."""
        return session.get_one(Customer, self.customers[name])

    def offer(self, name: str) -> Offer:
        """An offer's row."""
        return session.get_one(Offer, self.offers[name])

    def sign_in(self, app: Flask, name: str) -> FlaskClient:
        """A browser in which this person is signed in; the password is not asked."""
        client = app.test_client()
        with app.app_context(), transaction():
            token = start(session.get_one(User, self.people[name]), hours=12, address="127.0.0.1", agent="test")
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        return client


PEOPLE: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("alice", "contoso", (Role.ADMIN_AGENT,)),
    ("bob", "contoso", (Role.SALES_AGENT,)),
    ("helen", "contoso", (Role.HELPDESK_AGENT,)),
    ("bill", "contoso", (Role.BILLING_ADMIN,)),
    ("audrey", "contoso", (Role.AUDITOR,)),
    ("charlie", "fabrikam", (Role.ADMIN_AGENT,)),
    ("sam", "northwind", (Role.SUPPORT_AGENT,)),
    ("olga", "northwind", (Role.OPERATOR_ADMIN,)),
)


def build_world() -> World:
    """Three organisations, eight people, three customers, and one product of every kind."""
    world = World()
    with transaction():
        for name, operator in (("northwind", True), ("contoso", False), ("fabrikam", False)):
            partner = Partner(name=name.title(), country="US", is_operator=operator)
            session.add(partner)
            session.flush()
            world.partners[name] = partner.id
        for name, partner_name, roles in PEOPLE:
            world.people[name] = make_user(world.partners[partner_name], f"{name}@{partner_name}.example", roles).id
        for name, partner_name, country in (
            ("coho", "contoso", "US"),
            ("datum", "contoso", "RU"),
            ("tailspin", "fabrikam", "DE"),
        ):
            world.customers[name] = make_customer(world.partners[partner_name], name.title(), country=country).id
        for market, currency in (("US", "USD"), ("RU", "RUB"), ("DE", "EUR")):
            for kind in ("windows", "sql", "cal", "reservation"):
                world.offers[f"{kind}-{market}"] = make_offer(kind, market=market, currency=currency).id
    return world


def make_user(partner_id: int, email: str, roles: Iterable[Role], *, password_hash: str | None = None) -> User:
    """A person; without a hash no password fits."""
    user = User(
        partner_id=partner_id,
        email=email,
        name=email.partition("@")[0].title(),
        password_hash=password_hash or NO_PASSWORD,
    )
    user.role_rows = [UserRole(role=role) for role in roles]
    session.add(user)
    session.flush()
    return user


def make_customer(partner_id: int, name: str, *, country: str = "US", **more: Any) -> Customer:
    """A customer with a domain of its own."""
    guid = uuid.uuid4()
    domain = f"customer-{guid.hex[:12]}.example"
    customer = Customer(
        uuid=guid,
        partner_id=partner_id,
        company_name=name,
        name_folded=fold(name),
        search_text=f"{fold(name)} {domain} {guid}",
        domain=domain,
        country=country,
        **more,
    )
    session.add(customer)
    session.flush()
    return customer


_PRODUCTS = {
    "windows": ("DG7GMGF06GW3", "Windows Server 2025 Datacenter", "Windows Server 2025", ProductFamily.WINDOWS_SERVER),
    "sql": ("DG7GMGF08SY7", "SQL Server 2025 Standard", "SQL Server 2025", ProductFamily.SQL_SERVER),
    "cal": ("DG7GMGF095L8", "Windows Server 2025", "Windows Server 2025", ProductFamily.WINDOWS_SERVER),
    "reservation": ("DZH318Z07DWW", "Reserved VM Instance, Standard_D2s_v5", None, ProductFamily.AZURE_RESERVATION),
}


def make_offer(kind: str, *, market: str, currency: str, price: int = 107_800, term: str = "P1Y") -> Offer:
    """An offer of the one product of a kind: ``windows``, ``sql``, ``cal`` (keys, no files) or ``reservation``."""
    product_id, title, version, family = _PRODUCTS[kind]
    product = session.scalar(db.select(Product).filter_by(product_id=product_id))
    if product is None:
        reservation = kind == "reservation"
        product = Product(
            product_id=product_id,
            title=title,
            publisher="Microsoft",
            family=family,
            product_type=ProductType.RESERVATION if reservation else ProductType.SOFTWARE_SUBSCRIPTION,
            own_version=version,
            is_cal=kind == "cal",
            has_keys=not reservation,
            has_files=not reservation and kind != "cal",
        )
        sku = Sku(
            product=product, sku_id="0001", title=f"{title} - 1 year", region="West Europe" if reservation else None
        )
        session.add(sku)
        session.flush()
    sku = product.skus[0]
    offer = Offer(
        availability_id=f"TEST{uuid.uuid4().hex[:8].upper()}",
        sku_id=sku.id,
        term=term,
        billing_plan="OneTime",
        market=market,
        currency=currency,
        unit_price=price,
        valid_from=LONG_AGO,
    )
    session.add(offer)
    session.flush()
    return offer


def make_order(customer: Customer, *, by: Actor, at: datetime) -> Order:
    """An order without lines."""
    order = Order(
        order_id=new_order_id(),
        alternate_id=new_alternate_id(),
        partner_id=customer.partner_id,
        customer_id=customer.id,
        placed_at=at,
        placed_by_id=by.id,
        due_at=at + timedelta(days=60),
    )
    session.add(order)
    session.flush()
    return order


def make_subscription(
    customer: Customer, offer: Offer, *, by: Actor, quantity: int = 1, ordered_at: datetime | None = None
) -> Subscription:
    """A purchased line with its order, charge and entitlement; no key is taken."""
    at = ordered_at or db.now()
    subscription = _make_line(make_order(customer, by=by, at=at), offer, quantity, at)
    session.add_all(
        [
            Entitlement(
                subscription_id=subscription.id,
                product_id=offer.sku.product_id,
                sku_id=offer.sku_id,
                quantity=quantity,
            ),
            AccountEntry(
                partner_id=customer.partner_id,
                subscription_id=subscription.id,
                kind=AccountEntryKind.CHARGE,
                amount=subscription.total,
                currency=offer.currency,
                at=at,
                by_id=by.id,
            ),
        ]
    )
    session.flush()
    return subscription


def _make_line(order: Order, offer: Offer, quantity: int, at: datetime) -> Subscription:
    software = offer.sku.product.product_type is ProductType.SOFTWARE_SUBSCRIPTION
    subscription = Subscription(
        partner_id=order.partner_id,
        customer_id=order.customer_id,
        order_id=order.id,
        line_number=0,
        product_id=offer.sku.product_id,
        sku_id=offer.sku_id,
        offer_id=offer.id,
        product_type=offer.sku.product.product_type,
        product_title=offer.sku.product.title,
        sku_title=offer.sku.title,
        quantity=quantity,
        unit_price=offer.unit_price,
        total=offer.unit_price * quantity,
        currency=offer.currency,
        term=offer.term,
        billing_plan=offer.billing_plan,
        ordered_at=at,
        ends_at=at + timedelta(days=365),
        policy_code="seed-2018" if software else "reservation",
        policy_terms=POLICY if software else {"steps": [], "channel": "ticket"},
        cancel_until=at + timedelta(hours=1440) if software else None,
    )
    session.add(subscription)
    session.flush()
    return subscription
