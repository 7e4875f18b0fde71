"""Files chosen in a form that is not sent yet survive its errors; tickets are found by any part of their title"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pending_files",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("form_token", sa.String(length=64), nullable=False),
        sa.Column("original_name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_pending_files_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_files")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_pending_files_storage_key")),
    )
    op.create_index(op.f("ix_pending_files_user_id_form_token"), "pending_files", ["user_id", "form_token"])
    op.create_index(op.f("ix_pending_files_added_at"), "pending_files", ["added_at"])
    op.add_column("tickets", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE tickets SET search_text = number || ' ' || lower(title)")


def downgrade() -> None:
    op.drop_column("tickets", "search_text")
    op.drop_table("pending_files")
