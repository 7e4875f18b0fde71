"""Bring a database to the shape that this version needs, and say how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import csp_web.models  # noqa: F401 -- fills the metadata
from csp_web import db

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run the migrations that are missing, each in a transaction of its own."""
    _run(database_url, lambda config: command.upgrade(config, revision))


def downgrade(database_url: str, revision: str) -> None:
    """Run migrations backwards, down to a revision; ``base`` empties the database."""
    _run(database_url, lambda config: command.downgrade(config, revision))


def current(database_url: str) -> str | None:
    """The revision that a database has; None: it is empty."""
    engine = db.configure(database_url)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()  # whoever goes on configures the database for itself
    return found


def newest() -> str | None:
    """The revision that this version needs."""
    return ScriptDirectory(str(FOLDER)).get_current_head()


def revisions() -> frozenset[str]:
    """All revisions that this version knows."""
    return frozenset(script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions())


def differences(database_url: str) -> list[Any]:
    """What the models say otherwise than the migrated database; empty when they agree."""
    engine = db.configure(database_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_object": _described}
        found = list(compare_metadata(MigrationContext.configure(connection, opts=options), db.Base.metadata))
    engine.dispose()
    return found


def _described(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    return not (kind in {"table", "index"} and reflected and str(name).startswith(("customers_fts", "ix_search_")))


def _run(database_url: str, act: Any) -> None:
    engine = db.configure(database_url)
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        act(config)
    engine.dispose()
