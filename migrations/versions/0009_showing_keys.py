"""A key is shown to whoever just typed the password, so many a day; free keys can be quarantined"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("user_sessions", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("product_keys", sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("product_keys", sa.Column("quarantine_reason", sa.Text(), nullable=True))
    # Written out: Alembic adds a column's constraint on its own, and SQLite cannot.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    name = op.f("fk_product_keys_quarantined_by_id")
    op.execute(f"ALTER TABLE product_keys ADD COLUMN quarantined_by_id {kind} CONSTRAINT {name} REFERENCES users (id)")
    quarantined = sa.text("state = 'quarantined'")
    op.create_index(
        "ix_product_keys_quarantined",
        "product_keys",
        ["pool_id", "id"],
        sqlite_where=quarantined,
        postgresql_where=quarantined,
    )
    op.create_table(
        "key_showings",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_key_showings_user_id")),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_key_showings")),
    )


def downgrade() -> None:
    op.drop_table("key_showings")
    op.drop_index("ix_product_keys_quarantined", "product_keys")
    for column in ("quarantined_by_id", "quarantine_reason", "quarantined_at"):
        op.drop_column("product_keys", column)
    op.drop_column("user_sessions", "confirmed_at")
