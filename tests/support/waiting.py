"""Waiting for somebody who waits: two acts meet exactly where a test wants them to."""

from __future__ import annotations

import time

from sqlalchemy import text

from csp_web import db


def until_somebody_waits() -> None:
    """On SQLite whoever writes waits for its turn; on PostgreSQL the server is asked who waits for a lock."""
    if db.on_sqlite():
        return
    end = time.monotonic() + 30
    with db.engine().connect() as connection:
        while not connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < end
            time.sleep(0.01)
