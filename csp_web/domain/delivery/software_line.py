"""One line of software opened: its keys, the files to choose from, what is in stock (R21-R23, P1, P4)."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import aliased

from csp_web.db import session
from csp_web.domain.stock.vault import masked
from csp_web.models import (
    DownloadOption,
    Entitlement,
    KeyAssignment,
    KeyPool,
    KeyState,
    KeyWait,
    Product,
    ProductKey,
    Scan,
    Subscription,
    User,
)
from csp_web.said import again

AnyRow = Row[*tuple[Any, ...]]


class Stock(enum.StrEnum):
    """What choosing a version would bring, said before it is chosen."""

    HELD = "held"  # the line has a key of this version already
    WAITING = "waiting"  # the line waits for one already
    IN_STOCK = "in stock"
    EMPTY = "empty"
    NO_KEYS = "no keys"  # the product has none


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key of a line, or the wait for one; ``state`` is waiting, ready, shown or revoked."""

    title: str
    version: str
    state: str
    since: datetime
    by: str = ""
    reason: str = ""
    number: int = 0  # of the assignment; 0: there is none yet
    masked: str = ""


@dataclass(frozen=True, slots=True)
class Picked:
    """What is chosen in **Select product**; an empty language or file type is any."""

    version: str = ""
    language: str = ""
    file_type: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A file that fits what is chosen, with what its version's key would be."""

    option: AnyRow
    stock: Stock


@dataclass(frozen=True, slots=True)
class KeysOnly:
    """An entitlement with keys and no files (client access licences), with its versions."""

    entitlement: int
    title: str
    versions: Sequence[tuple[str, Stock]]


@dataclass(frozen=True, slots=True)
class OpenedLine:
    """Everything that a line's panel tells and offers."""

    keys: Sequence[KeyLine]
    picked: Picked
    versions: Sequence[str]
    languages: Sequence[str]
    file_types: Sequence[str]
    matches: Sequence[Match]
    keys_only: Sequence[KeysOnly]


def opened_line(subscription: Subscription, picked: Picked) -> OpenedLine:
    """A line with its keys and choices; only combinations that exist, each choice narrowing the next (R22).

    Five statements.
    """
    entitlements = _entitlements(subscription)
    options = _options([row.product_id for row in entitlements])
    stock = _stock(subscription, entitlements)
    own = [row.own_version for row in entitlements if row.own_version]
    versions = _in_order({option.version for option in options}, own)
    picked = _valid(picked, versions, options)
    of_version = [option for option in options if option.version == picked.version]
    in_language = [option for option in of_version if picked.language in {"", option.language}]
    fitting = [option for option in in_language if picked.file_type in {"", option.file_type}]
    by_product = {row.product_id: row for row in reversed(entitlements)}
    return OpenedLine(
        keys=_key_lines(subscription),
        picked=picked,
        versions=versions,
        languages=sorted({option.language for option in of_version}),
        file_types=sorted({option.file_type for option in in_language}),
        matches=[Match(option, _stock_of(by_product[option.product_id], option.version, stock)) for option in fitting],
        keys_only=_keys_only(entitlements, {option.product_id for option in options}, stock),
    )


def _entitlements(subscription: Subscription) -> Sequence[AnyRow]:
    return session.execute(
        select(
            Entitlement.id,
            Entitlement.product_id,
            Entitlement.sku_id,
            Product.title,
            Product.own_version,
            Product.has_keys,
            Product.has_files,
        )
        .join(Product, Product.id == Entitlement.product_id)
        .where(Entitlement.subscription_id == subscription.id)
        .order_by(Entitlement.id)
    ).all()


def _options(products: list[int]) -> Sequence[AnyRow]:
    return session.execute(
        select(
            DownloadOption.id,
            DownloadOption.product_id,
            DownloadOption.version,
            DownloadOption.language,
            DownloadOption.file_type,
            DownloadOption.file_name,
            DownloadOption.size,
            DownloadOption.sha256,
        )
        .where(
            DownloadOption.product_id.in_(products),
            DownloadOption.withdrawn_at.is_(None),
            DownloadOption.scan != Scan.BLOCKED,
        )
        .order_by(DownloadOption.language, DownloadOption.file_type, DownloadOption.id)
    ).all()


def _stock(subscription: Subscription, entitlements: Sequence[AnyRow]) -> dict[tuple[str, int, str], Stock]:
    """By kind, number and version: pools by their SKU, what the line has by its entitlement."""
    free = select(ProductKey.id).where(ProductKey.pool_id == KeyPool.id, ProductKey.state == KeyState.FREE).exists()
    skus = [row.sku_id for row in entitlements if row.has_keys]
    pools = session.execute(select(KeyPool.sku_id, KeyPool.version, free).where(KeyPool.sku_id.in_(skus)))
    found = {("sku", sku, version): Stock.IN_STOCK if some else Stock.EMPTY for sku, version, some in pools}
    waits = select(KeyWait.entitlement_id, KeyWait.version)
    waits = waits.where(KeyWait.subscription_id == subscription.id, KeyWait.ended_at.is_(None))
    found |= {("line", entitlement, version): Stock.WAITING for entitlement, version in session.execute(waits)}
    held = select(KeyAssignment.entitlement_id, KeyAssignment.version)
    held = held.where(KeyAssignment.subscription_id == subscription.id, KeyAssignment.revoked_at.is_(None))
    return found | {("line", entitlement, version): Stock.HELD for entitlement, version in session.execute(held)}


def _stock_of(entitlement: AnyRow, version: str, stock: dict[tuple[str, int, str], Stock]) -> Stock:
    if not entitlement.has_keys:
        return Stock.NO_KEYS
    of_line = stock.get(("line", entitlement.id, version))
    return of_line or stock.get(("sku", entitlement.sku_id, version), Stock.EMPTY)


def _valid(picked: Picked, versions: Sequence[str], options: Sequence[AnyRow]) -> Picked:
    """What is chosen, without what no longer fits the choice before it."""
    version = picked.version if picked.version in versions else next(iter(versions), "")
    languages = {option.language for option in options if option.version == version}
    language = picked.language if picked.language in languages else ""
    types = {o.file_type for o in options if o.version == version and language in {"", o.language}}
    return Picked(version, language, picked.file_type if picked.file_type in types else "")


def _in_order(versions: set[str], own: list[str]) -> list[str]:
    """The product's own version first, then the newest."""
    return sorted(versions, key=lambda version: (version not in own, [-n for n in _numbers(version)], version))


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]{1,9}", version)]


def _keys_only(
    entitlements: Sequence[AnyRow], with_files: set[int], stock: dict[tuple[str, int, str], Stock]
) -> list[KeysOnly]:
    found = []
    for row in entitlements:
        if not row.has_keys or row.product_id in with_files:
            continue
        pooled = {version for kind, sku, version in stock if kind == "sku" and sku == row.sku_id}
        versions = _in_order(pooled | ({row.own_version} if row.own_version else set()), [row.own_version or ""])
        choices = [(version, _stock_of(row, version, stock)) for version in versions]
        if choices:
            found.append(KeysOnly(row.id, row.title, choices))
    return found


def versions_with_keys(entitlement: Entitlement) -> set[str]:
    """The versions of which an entitlement can have a key: the product's own, and those with a pool."""
    pooled = session.scalars(select(KeyPool.version).filter_by(sku_id=entitlement.sku_id))
    return {*pooled, *filter(None, [entitlement.product.own_version])}


def _key_lines(subscription: Subscription) -> list[KeyLine]:
    """The keys of a line as people see them, masked; revoked ones stay in the history. Two statements."""
    shown_by, revoked_by = aliased(User), aliased(User)
    handed_out = session.execute(
        select(KeyAssignment, Product.title, ProductKey.last_five, shown_by.name, revoked_by.name)
        .join(ProductKey, ProductKey.id == KeyAssignment.product_key_id)
        .join(Entitlement, Entitlement.id == KeyAssignment.entitlement_id)
        .join(Product, Product.id == Entitlement.product_id)
        .outerjoin(shown_by, shown_by.id == KeyAssignment.first_shown_by_id)
        .outerjoin(revoked_by, revoked_by.id == KeyAssignment.revoked_by_id)
        .where(KeyAssignment.subscription_id == subscription.id)
        .order_by(KeyAssignment.id)
    )
    lines = [_handed_out(*row) for row in handed_out]
    waits = session.execute(
        select(Product.title, KeyWait.version, KeyWait.since)
        .join(Entitlement, Entitlement.id == KeyWait.entitlement_id)
        .join(Product, Product.id == Entitlement.product_id)
        .where(KeyWait.subscription_id == subscription.id, KeyWait.ended_at.is_(None))
        .order_by(KeyWait.id)
    )
    return lines + [KeyLine(title, version, "waiting", since) for title, version, since in waits]


def _handed_out(
    assignment: KeyAssignment, title: str, last_five: str, shown_by: str | None, revoked_by: str | None
) -> KeyLine:
    if assignment.revoked_at is not None:
        state, since, by = "revoked", assignment.revoked_at, revoked_by
    elif assignment.first_shown_at is not None:
        state, since, by = "shown", assignment.first_shown_at, shown_by
    else:
        state, since, by = "ready", assignment.assigned_at, ""
    return KeyLine(
        title=title,
        version=assignment.version,
        state=state,
        since=since,
        by=by or "",
        reason=again(assignment.revoked_reason),
        number=assignment.id,
        masked=masked(last_five),
    )
