"""The mistake that the race has to find: a free key is looked for first and taken afterwards (select, then update)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from flask import request
from sqlalchemy import select, text, update

from csp_web.db import on_sqlite, session, transaction
from csp_web.domain.stock import key_stock
from csp_web.models import KeyAssignment, KeyPool, KeyState, ProductKey
from tests.support.crowd import processes

if TYPE_CHECKING:
    from flask import Flask

PATIENCE = 20.0


class Fault:
    """Plants the mistake in an application; ``at_once`` requests of all processes look before the first of them takes."""

    def __init__(self, *, at_once: int) -> None:
        self.everybody_looks = processes.Barrier(at_once)

    def plant(self, app: Flask) -> None:
        """Look before the act begins, take in it what was seen."""
        seen = threading.local()

        def look() -> None:
            if request.endpoint == "orders.place":
                free = select(ProductKey.id).where(ProductKey.state == KeyState.FREE)
                seen.key = session.scalar(free.order_by(ProductKey.id).limit(1))
                session.rollback()
                self.everybody_looks.wait(PATIENCE)

        def take(pool: KeyPool) -> int | None:
            del pool
            statement = update(ProductKey).where(ProductKey.id == seen.key).values(state=KeyState.HANDED_OUT)
            session.execute(statement.execution_options(synchronize_session=False))
            return int(seen.key) if seen.key else None

        app.before_request(look)
        key_stock.take_key = take


def without_the_last_net() -> None:
    """Take away the constraint by which the database itself refuses a key that was handed out before."""
    with transaction():
        if not on_sqlite():
            session.execute(text("ALTER TABLE key_assignments DROP CONSTRAINT uq_key_assignments_product_key_id"))
            return
        table = KeyAssignment.__tablename__
        made = session.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table})
        without = made.replace("CONSTRAINT uq_key_assignments_product_key_id UNIQUE (product_key_id)", "CHECK (1)")
        session.execute(text("ALTER TABLE key_assignments RENAME TO key_assignments_before"))
        session.execute(text(without))
