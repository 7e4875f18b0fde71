"""Links are sent by mail, and their makers told before they end"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("used_notice_at", "end_notice_at"):
        op.add_column("download_links", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    untold = sa.text("end_notice_at IS NULL AND revoked_at IS NULL")
    op.create_index(
        "ix_download_links_ending", "download_links", ["expires_at"], sqlite_where=untold, postgresql_where=untold
    )
    # Written out: Alembic adds a column's constraint on its own, and SQLite cannot.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    name = op.f("fk_outbox_messages_link_id")
    op.execute(
        f"ALTER TABLE outbox_messages ADD COLUMN link_id {kind} CONSTRAINT {name} REFERENCES download_links (id)"
    )


def downgrade() -> None:
    op.drop_column("outbox_messages", "link_id")
    op.drop_index("ix_download_links_ending", "download_links")
    for column in ("end_notice_at", "used_notice_at"):
        op.drop_column("download_links", column)
