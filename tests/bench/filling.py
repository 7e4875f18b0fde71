"""Large installations, written in bulk: as many customers, subscriptions and tickets as asked for."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from csp_web import db, migrate
from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.access.actors import Actor
from csp_web.domain.upkeep.installation import install_rules
from csp_web.identifiers import fold, new_alternate_id, new_order_id
from csp_web.models import (
    Cancellation,
    Customer,
    Entitlement,
    Impact,
    KeyAssignment,
    KeyPool,
    KeyState,
    KeyWait,
    Offer,
    Order,
    ProductKey,
    Subscription,
    Ticket,
    TicketStatus,
)
from csp_web.models.catalogue import ProductType
from tests.world import POLICY, World, build_world

BATCH = 5_000
VERSION = "2025"
EVERY_CANCELLED = 50  # so many lines apart are those whose cancellation was requested
MEASURED_LINES = 60  # subscriptions of the customer whose page is measured: more than a page holds


def fill(settings: Settings, *, customers: int, subscriptions: int, tickets: int) -> tuple[World, uuid.UUID]:
    """Fill an empty installation. Returns its world and the customer whose Software page is full."""
    migrate.upgrade(settings.database_url)
    db.configure(settings.database_url)
    with transaction():
        install_rules()
    world = build_world()
    alice = world.actor("alice")
    offer = session.get_one(Offer, world.offers["windows-US"])
    frozen = _frozen(offer)
    luck = random.Random(1)  # noqa: S311 -- the same installation in every run, nothing secret
    first = _write(Customer, _customers(alice, customers))
    _write(Order, _orders(alice, customers, first))
    _write(Subscription, _subscriptions(alice, frozen, customers, subscriptions, first, luck))
    _write(Entitlement, _entitlements(frozen, subscriptions))
    _write(Ticket, _tickets(alice, tickets, customers, first))
    _hand_out(alice, frozen, subscriptions, luck)
    _write(Cancellation, _cancellations(alice, frozen, min(subscriptions // EVERY_CANCELLED, tickets)))
    session.rollback()
    if db.on_sqlite():
        with db.engine().connect() as connection:
            connection.exec_driver_sql("ANALYZE")
    return world, session.get_one(Customer, first).uuid


def _write(model: type[Any], rows: Iterator[dict[str, Any]]) -> int:
    """Insert rows in batches; returns the id of the first."""
    highest = session.scalar(db.select(model.id).order_by(model.id.desc()).limit(1)) or 0
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            _insert(model, batch)
            batch = []
    _insert(model, batch)
    return int(highest) + 1


def _insert(model: type[Any], batch: list[dict[str, Any]]) -> None:
    if batch:
        with transaction():
            session.execute(insert(model), batch)


def _customers(alice: Actor, count: int) -> Iterator[dict[str, Any]]:
    at = now()
    for number in range(count):
        name, domain, guid = f"Firm {number:06} Ltd", f"firm{number}.example", uuid.UUID(int=number + 1)
        yield {
            "uuid": guid,
            "partner_id": alice.partner_id,
            "company_name": name,
            "name_folded": fold(name),
            "search_text": f"{fold(name)} {domain} {guid}",
            "domain": domain,
            "country": "US",
            "created_at": at,
            "version": 1,
        }


def _orders(alice: Actor, customers: int, first: int) -> Iterator[dict[str, Any]]:
    at = now()
    for number in range(customers):
        yield {
            "order_id": new_order_id(),
            "alternate_id": new_alternate_id(),
            "partner_id": alice.partner_id,
            "customer_id": first + number,
            "placed_at": at,
            "placed_by_id": alice.id,
            "due_at": at + timedelta(days=60),
        }


def _frozen(offer: Offer) -> dict[str, Any]:
    return {
        "product_id": offer.sku.product_id,
        "sku_id": offer.sku_id,
        "offer_id": offer.id,
        "product_type": ProductType.SOFTWARE_SUBSCRIPTION,
        "product_title": offer.sku.product.title,
        "sku_title": offer.sku.title,
        "unit_price": offer.unit_price,
        "total": offer.unit_price,
        "currency": offer.currency,
        "term": offer.term,
        "billing_plan": offer.billing_plan,
        "policy_code": "seed-2018",
        "policy_terms": POLICY,
    }


def _subscriptions(
    alice: Actor, frozen: dict[str, Any], customers: int, count: int, first: int, luck: random.Random
) -> Iterator[dict[str, Any]]:
    at = now()
    for number in range(count):
        owner = 0 if number < MEASURED_LINES else number % customers
        ordered = at - timedelta(hours=luck.randrange(2000))
        yield {
            **frozen,
            "uuid": uuid.UUID(int=2**64 + number),
            "partner_id": alice.partner_id,
            "customer_id": first + owner,
            "order_id": owner + 1,
            "line_number": number,
            "quantity": 1 + number % 9,
            "ordered_at": ordered,
            "ends_at": ordered + timedelta(days=365),
            "cancel_until": ordered + timedelta(hours=1440),
        }


def _entitlements(frozen: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "subscription_id": number + 1,
            "product_id": frozen["product_id"],
            "sku_id": frozen["sku_id"],
            "quantity": 1,
        }


def _hand_out(alice: Actor, frozen: dict[str, Any], lines: int, luck: random.Random) -> None:
    """Every second line has a key, and half of these were shown; every tenth line waits for one."""
    with transaction():
        pool = KeyPool(sku_id=frozen["sku_id"], version=VERSION)
        session.add(pool)
    holders = range(0, lines, 2)
    number = session.scalar(db.select(KeyPool.id)) or 0
    _write(ProductKey, _keys(number, frozen, len(holders), luck))
    _write(KeyAssignment, _assignments(alice, holders))
    waiting = [line for line in range(1, lines, 2) if line % 5 == 0]
    _write(KeyWait, ({**_of_line(line), "pool_id": number, "version": VERSION} for line in waiting))


def _keys(pool: int, frozen: dict[str, Any], count: int, luck: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "pool_id": pool,
            "sku_id": frozen["sku_id"],
            "ciphertext": luck.randbytes(60),
            "key_id": "bench",
            "fingerprint": luck.randbytes(32),
            "last_five": f"{number % 100_000:05}",
            "state": KeyState.HANDED_OUT,
        }


def _assignments(alice: Actor, holders: Sequence[int]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(holders):
        shown = now() if number % 2 else None
        yield {
            **_of_line(line),
            "product_key_id": number + 1,
            "version": VERSION,
            "assigned_by_id": alice.id,
            "first_shown_at": shown,
            "first_shown_by_id": alice.id if shown else None,
        }


def _of_line(line: int) -> dict[str, Any]:
    return {"subscription_id": line + 1, "entitlement_id": line + 1}


def _cancellations(alice: Actor, frozen: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "partner_id": alice.partner_id,
            "subscription_id": number * EVERY_CANCELLED + 1,
            "ticket_id": number + 1,
            "reason": "Too many",
            "amount_requested": frozen["total"],
            "currency": frozen["currency"],
            "requested_by_id": alice.id,
        }


def _tickets(alice: Actor, count: int, customers: int, first: int) -> Iterator[dict[str, Any]]:
    at = now()
    states = list(TicketStatus)
    for number in range(count):
        opened = at - timedelta(minutes=number)
        yield {
            "number": f"6{number:014}",
            "partner_id": alice.partner_id,
            "customer_id": first + number % customers,
            "type_code": "other",
            "impact": list(Impact)[number % 3],
            "title": f"Question number {number}",
            "description": "What is the matter with this?",
            "facts": {},
            "contact_name": alice.name,
            "contact_email": alice.email,
            "contact_phone": "",
            "status": states[number % 3],
            "created_at": opened,
            "created_by_id": alice.id,
            "updated_at": opened,
            "first_answer_due_at": opened + timedelta(hours=8),
        }
