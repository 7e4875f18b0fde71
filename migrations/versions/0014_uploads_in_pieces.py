"""Installer files that go up in pieces"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("file_type", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("replace", sa.Boolean(), nullable=False),
        sa.Column("expected_sha256", sa.String(64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("signature_kind", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("head_sha256", sa.String(64), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by_id", ID, nullable=False),
        sa.Column("option_id", ID, nullable=True),
        sa.CheckConstraint("received >= 0 AND received <= size", name=op.f("ck_uploads_received_within_size")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_uploads_product_id")),
        sa.ForeignKeyConstraint(["begun_by_id"], ["users.id"], name=op.f("fk_uploads_begun_by_id")),
        sa.ForeignKeyConstraint(["option_id"], ["download_options.id"], name=op.f("fk_uploads_option_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("key", name=op.f("uq_uploads_key")),
    )


def downgrade() -> None:
    op.drop_table("uploads")
