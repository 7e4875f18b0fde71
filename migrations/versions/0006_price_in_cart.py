"""A cart line remembers the price that was shown when it was added, so that a changed one is pointed out"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cart_lines", sa.Column("unit_price", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE cart_lines SET unit_price = (SELECT unit_price FROM offers WHERE offers.id = cart_lines.offer_id)"
    )


def downgrade() -> None:
    op.drop_column("cart_lines", "unit_price")
