"""What a virus scanner said of product files and attachments"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("download_options", "ticket_files")


def upgrade() -> None:
    for table in TABLES:
        kind = sa.Enum("unscanned", "clean", "blocked", name="scan", native_enum=False, length=40)
        op.add_column(table, sa.Column("scan", kind, nullable=False, server_default="unscanned"))
        op.add_column(table, sa.Column("scan_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("scan_note", sa.Text(), nullable=False, server_default=""))
    waiting = sa.text("scan_at IS NULL")
    op.create_index("ix_ticket_files_to_scan", "ticket_files", ["id"], sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index("ix_ticket_files_to_scan", "ticket_files")
    for table in TABLES:
        for column in ("scan_note", "scan_at", "scan"):
            op.drop_column(table, column)
