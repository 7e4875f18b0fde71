"""What one person may do so many times a day (UTC): counted in the statement that asks, so many at once are counted too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy.dialects import postgresql, sqlite

from csp_web.db import now, on_sqlite, session
from csp_web.domain.access.actors import Actor
from csp_web.models import KeyShowings, LinkMailings


def count_one(counted: type[KeyShowings] | type[LinkMailings], *, by: Actor, limit: int) -> bool:
    """Count one more for a person's day; False, and nothing is counted, when the limit is reached."""
    insert = sqlite.insert if on_sqlite() else postgresql.insert
    one = insert(counted).values(user_id=by.id, day=now().date(), count=1)
    count = session.scalar(
        one.on_conflict_do_update(
            index_elements=[counted.user_id, counted.day],
            set_={"count": counted.count + 1},
            where=counted.count < limit,
        ).returning(counted.count)
    )
    return count is not None


def begins_anew() -> datetime:
    """When the next day begins."""
    return datetime.combine(now().date() + timedelta(days=1), time(), UTC)
