"""Alembic's way in: takes the connection from ``csp_web.migrate``, and compares with the models."""

from __future__ import annotations

from typing import Any

from alembic import context

import csp_web.models  # noqa: F401 -- fills the metadata
from csp_web.db import Base, UTCDateTime


def render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    """Write plain column types into migrations, so that old ones do not depend on today's code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def include_object(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Leave out what models do not describe: the tables of the search index."""
    return not (kind in {"table", "index"} and reflected and str(name).startswith(("customers_fts", "ix_search_")))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    include_object=include_object,
    compare_type=True,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
