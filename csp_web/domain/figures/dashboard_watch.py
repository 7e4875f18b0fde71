"""What auditors and the operator watch: acts and refusals by day, and what the installation holds (B11, D12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, case, func, literal, literal_column, select

from csp_web.db import read
from csp_web.domain.access.actors import Actor
from csp_web.domain.figures.dashboard_sales import Clock, per_span
from csp_web.domain.figures.dashboard_spans import Span, Sums
from csp_web.models import (
    AuditEntry,
    AuditStatus,
    DownloadOption,
    KeyPool,
    KeyWait,
    OutboxMessage,
    OutboxState,
    Partner,
    Product,
    ProductKey,
    Sku,
)

DAYS = 14
SHOWN = 8


def acts(clock: Clock, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """The partner's acts in each span: done, and refused."""
    ask = [
        clock.book.sums((f"acts {status}", clock.actor.partner_id), clock.zone, spans, clock.at, _asking(clock, status))
        for status in (AuditStatus.SUCCEEDED, AuditStatus.DECLINED)
    ]
    done, refused = ([_count(found) for found in sums] for sums in ask)
    return list(zip(done, refused, strict=True))


def _asking(clock: Clock, status: AuditStatus) -> Any:
    def one(place: int, span: Span) -> Select[*tuple[Any, ...]]:
        found = select(literal(place), func.count()).select_from(AuditEntry)
        return found.where(
            AuditEntry.partner_id == clock.actor.partner_id,
            AuditEntry.status == status,
            AuditEntry.at >= span.start,
            AuditEntry.at < span.end,
        )

    return per_span(one, keys=0)


def _count(found: Sums) -> int:
    return found.get((), (0,))[0]


def refusals(actor: Actor) -> Sequence[Row[*tuple[Any, ...]]]:
    """The latest refusals in the partner's log. Rows: at, actor_email, operation, details, customer_name."""
    return read(
        select(
            AuditEntry.at,
            AuditEntry.actor_email,
            AuditEntry.operation,
            AuditEntry.details,
            AuditEntry.customer_name,
        )
        .where(AuditEntry.partner_id == actor.partner_id, AuditEntry.status == AuditStatus.DECLINED)
        .order_by(AuditEntry.at.desc())
        .limit(SHOWN)
    ).all()


@dataclass(frozen=True, slots=True)
class Holdings:
    """Counts of the whole installation."""

    partners: int
    files: int
    waiting: int
    mails_waiting: int
    mails_failed: int


def holdings() -> Holdings:
    """Partners, files on offer, lines that wait for keys, mails on their way and given up; one statement."""
    parts = (
        select(func.count()).select_from(Partner).where(Partner.is_operator.is_(False)),
        select(func.count()).select_from(DownloadOption).where(DownloadOption.withdrawn_at.is_(None)),
        select(func.count()).select_from(KeyWait).where(KeyWait.ended_at.is_(None)),
        *(
            select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == state)
            for state in (OutboxState.WAITING, OutboxState.FAILED)
        ),
    )
    counts: Any = read(select(*(part.scalar_subquery() for part in parts))).one()
    return Holdings(*counts)


def pools() -> Sequence[Row[*tuple[Any, ...]]]:
    """The stock of keys: pools whose lines wait first, then those that are low, then by how few are free (D12).

    Rows: product_title, sku_title, version, free, low_at, waiting.
    """
    free_key = ProductKey.state == literal_column("'free'")  # word for word the condition of the index
    free = select(ProductKey.pool_id, func.count().label("free")).where(free_key)
    waits = select(KeyWait.pool_id, func.count().label("waiting")).where(KeyWait.ended_at.is_(None))
    free_keys, open_waits = free.group_by(ProductKey.pool_id).subquery(), waits.group_by(KeyWait.pool_id).subquery()
    left, waiting = func.coalesce(free_keys.c.free, 0), func.coalesce(open_waits.c.waiting, 0)
    return read(
        select(
            Product.title.label("product_title"),
            Sku.title.label("sku_title"),
            KeyPool.version,
            left.label("free"),
            KeyPool.low_at,
            waiting.label("waiting"),
        )
        .join(Sku, Sku.id == KeyPool.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .outerjoin(free_keys, free_keys.c.pool_id == KeyPool.id)
        .outerjoin(open_waits, open_waits.c.pool_id == KeyPool.id)
        .order_by(waiting.desc(), case((left <= KeyPool.low_at, 0), else_=1), left, KeyPool.id)
        .limit(SHOWN)
    ).all()
