"""Throttled sign-in, temporary passwords, and indexes for what the dashboard shows first"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_throttles",
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_throttles")),
    )
    op.add_column("users", sa.Column("password_temporary", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(op.f("ix_subscriptions_partner_id_cancel_until"), "subscriptions", ["partner_id", "cancel_until"])
    op.create_index(op.f("ix_download_links_partner_id_expires_at"), "download_links", ["partner_id", "expires_at"])
    op.create_index(
        "ix_tickets_unsettled",
        "tickets",
        ["first_answer_due_at"],
        sqlite_where=sa.text("status <> 'closed'"),
        postgresql_where=sa.text("status <> 'closed'"),
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_unsettled", table_name="tickets")
    op.drop_index(op.f("ix_download_links_partner_id_expires_at"), table_name="download_links")
    op.drop_index(op.f("ix_subscriptions_partner_id_cancel_until"), table_name="subscriptions")
    op.drop_column("users", "password_temporary")
    op.drop_table("sign_in_throttles")
