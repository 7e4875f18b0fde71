"""Any number of further customers of one partner, with subscriptions and keys: written in bulk, for large installations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert

from csp_web.db import session
from csp_web.demo.catalogue import made_up_key, offer
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor
from csp_web.domain.sales.ordering import DUE_AFTER, term_end
from csp_web.domain.sales.policies import cancel_until, policies_in_force
from csp_web.domain.stock import vault
from csp_web.domain.stock.key_stock import pool_for
from csp_web.identifiers import fold, new_alternate_id, new_order_id, new_uuid
from csp_web.models import (
    AccountEntry,
    AccountEntryKind,
    Customer,
    Entitlement,
    KeyAssignment,
    KeyState,
    Offer,
    Order,
    ProductKey,
    ProductType,
    Subscription,
)

BATCH = 500  # customers
OLDEST = 400  # days
MARKETS = ("US", "DE", "GB", "CH", "JP")
GOODS = (
    "windows 2019 standard",
    "sql 2019 standard",
    "windows datacenter",
    "windows standard",
    "sql standard",
    "access",
)
FIRST = (
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lunar",
)
SECOND = (
    "Logistics",
    "Foods",
    "Textiles",
    "Clinics",
    "Media",
    "Tools",
    "Energy",
    "Schools",
    "Hotels",
    "Optics",
    "Farms",
    "Rail",
)


@dataclass(frozen=True, slots=True)
class Goods:
    """An offer with what a line copies from it, and the pool that its keys come from."""

    price: Offer
    copied: dict[str, Any]
    pool: int


def add_crowd(count: int, *, by: Actor, end: datetime, luck: Random, progress: Callable[[int, int], None]) -> None:
    """Add so many customers with ten subscriptions each on average; the activity log has one row for all."""
    if not count:
        return
    shelf = {market: [_goods(name, market, end) for name in GOODS] for market in MARKETS}
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        _add(numbers, shelf, by, end, luck)
        progress(numbers.stop, count)
    audit.record("import_customers", by=by, resource=("customers", ""), rows=count, added=count)


def _goods(name: str, market: str, at: datetime) -> Goods:
    price = offer(name, market, at)
    sku = price.sku
    product = sku.product
    policy = policies_in_force(at)[ProductType.SOFTWARE_SUBSCRIPTION]
    copied = {
        "product_id": product.id,
        "sku_id": sku.id,
        "offer_id": price.id,
        "product_type": product.product_type,
        "product_title": product.title,
        "sku_title": sku.title,
        "unit_price": price.unit_price,
        "currency": price.currency,
        "term": price.term,
        "billing_plan": price.billing_plan,
        "policy_code": policy.code,
        "policy_terms": dict(policy.terms),
    }
    return Goods(price, copied, pool_for(sku.id, product.own_version or "").id)


def _add(numbers: range, shelf: dict[str, list[Goods]], by: Actor, end: datetime, luck: Random) -> None:
    customers = [_customer(number, by, end, luck) for number in numbers]
    owners = list(zip(_insert(Customer, customers), customers, strict=True))
    orders = list(_orders(owners, by, end, luck))
    bought = list(_lines(zip(_insert(Order, orders), orders, strict=True), dict(owners), shelf, luck))
    ids = _insert(Subscription, [line for line, _goods_of in bought])
    lines = [(key, line, goods) for key, (line, goods) in zip(ids, bought, strict=True)]
    rights = _insert(Entitlement, [_right(key, line) for key, line, _goods_of in lines])
    _insert(AccountEntry, [_charge(key, line, by) for key, line, _goods_of in lines])
    keys = _insert(ProductKey, [_key(line, goods, luck) for _key_id, line, goods in lines])
    _insert(KeyAssignment, [_assignment(*each, by) for each in zip(lines, rights, keys, strict=True)])


def _insert(model: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows; their ids, in the same order."""
    statement = insert(model).returning(model.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, rows)) if rows else []


def _customer(number: int, by: Actor, end: datetime, luck: Random) -> dict[str, Any]:
    name = f"{luck.choice(FIRST)} {luck.choice(SECOND)} {number + 1}"
    guid, domain = new_uuid(), f"firm{number + 1}.example"
    return {
        "uuid": guid,
        "partner_id": by.partner_id,
        "company_name": name,
        "name_folded": fold(name),
        "search_text": f"{fold(name)} {domain} {guid}",
        "domain": domain,
        "country": luck.choice(MARKETS),
        "created_at": end - timedelta(days=OLDEST + 1),
        "created_by_id": by.id,
        "version": 1,
    }


def _orders(
    owners: Sequence[tuple[int, dict[str, Any]]], by: Actor, end: datetime, luck: Random
) -> Iterator[dict[str, Any]]:
    for key, customer in owners:
        for _order in range(luck.randint(1, 3)):
            placed = end - timedelta(seconds=luck.randrange(60, OLDEST * 86_400))
            yield {
                "order_id": new_order_id(),
                "alternate_id": new_alternate_id(),
                "partner_id": customer["partner_id"],
                "customer_id": key,
                "placed_at": placed,
                "placed_by_id": by.id,
                "due_at": placed + DUE_AFTER,
                "reference": "",
            }


def _lines(
    orders: Any, customers: dict[int, dict[str, Any]], shelf: dict[str, list[Goods]], luck: Random
) -> Iterator[tuple[dict[str, Any], Goods]]:
    """Five lines an order on average; a year's price of today for all of them, for the past has none in the sheet."""
    for key, order in orders:
        market = customers[order["customer_id"]]["country"]
        for number in range(luck.randint(1, 9)):
            goods, quantity, at = luck.choice(shelf[market]), luck.randint(1, 20), order["placed_at"]
            yield (
                {
                    **goods.copied,
                    "uuid": new_uuid(),
                    "partner_id": order["partner_id"],
                    "customer_id": order["customer_id"],
                    "order_id": key,
                    "line_number": number,
                    "quantity": quantity,
                    "total": quantity * goods.copied["unit_price"],
                    "ordered_at": at,
                    "ends_at": term_end(at, goods.copied["term"]),
                    "cancel_until": cancel_until(goods.copied["policy_terms"], at),
                },
                goods,
            )


def _right(key: int, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "subscription_id": key,
        "product_id": line["product_id"],
        "sku_id": line["sku_id"],
        "quantity": line["quantity"],
    }


def _charge(key: int, line: dict[str, Any], by: Actor) -> dict[str, Any]:
    return {
        "partner_id": line["partner_id"],
        "subscription_id": key,
        "kind": AccountEntryKind.CHARGE,
        "amount": line["total"],
        "currency": line["currency"],
        "at": line["ordered_at"],
        "by_id": by.id,
    }


def _key(line: dict[str, Any], goods: Goods, luck: Random) -> dict[str, Any]:
    clear, sku = made_up_key(luck), line["sku_id"]
    sealed = vault.seal(clear, sku=sku)
    return {
        "pool_id": goods.pool,
        "sku_id": sku,
        "ciphertext": sealed.ciphertext,
        "key_id": sealed.key_id,
        "fingerprint": vault.fingerprint(clear, sku=sku),
        "last_five": clear[-5:],
        "state": KeyState.HANDED_OUT,
        "imported_at": line["ordered_at"],
    }


def _assignment(line: tuple[int, dict[str, Any], Goods], right: int, key: int, by: Actor) -> dict[str, Any]:
    subscription, copied, goods = line
    return {
        "product_key_id": key,
        "subscription_id": subscription,
        "entitlement_id": right,
        "version": goods.price.sku.product.own_version,
        "generation": 1,
        "assigned_at": copied["ordered_at"],
        "assigned_by_id": by.id,
    }


__all__ = ["add_crowd"]
