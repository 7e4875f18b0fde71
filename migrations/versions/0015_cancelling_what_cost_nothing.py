"""A line that cost nothing can be cancelled: the amount that is asked for may be 0"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME, ABOVE, FROM = "ck_cancellations_amount_positive", "amount_requested > 0", "amount_requested >= 0"


def upgrade() -> None:
    _change(ABOVE, FROM)


def downgrade() -> None:
    _change(FROM, ABOVE)


def _change(old: str, new: str) -> None:
    """Put one condition in the place of another.

    SQLite cannot change one. A copy of the table would take the rows that refer to it along; its documentation says how
    to change the text of the table instead, which is safe for conditions: what is stored stays as it is.
    """
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE cancellations DROP CONSTRAINT {NAME}")
        op.execute(f"ALTER TABLE cancellations ADD CONSTRAINT {NAME} CHECK ({new})")
        return
    version = op.get_bind().exec_driver_sql("PRAGMA schema_version").scalar_one()
    op.execute("PRAGMA writable_schema = ON")
    op.execute(
        f"UPDATE sqlite_master SET sql = replace(sql, '({old})', '({new})') WHERE type = 'table' AND name = 'cancellations'"  # noqa: S608
    )
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")
