"""Detached signatures of installer files"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("download_options", sa.Column("signature", sa.LargeBinary(), nullable=True))
    op.add_column("download_options", sa.Column("signature_kind", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("download_options", "signature_kind")
    op.drop_column("download_options", "signature")
