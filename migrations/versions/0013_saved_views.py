"""Views of the list of all software that people keep; the list narrows by product and by the customer's country"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", ID, nullable=False),
        sa.Column("partner_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("name_folded", sa.String(180), nullable=False),
        sa.Column("query", sa.String(4000), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_saved_views_partner_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_saved_views_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("owner_id", "name_folded", name=op.f("uq_saved_views_owner_id_name_folded")),
    )
    op.create_index("ix_saved_views_partner_id_name_folded", "saved_views", ["partner_id", "name_folded"])
    op.create_index("ix_subscriptions_partner_id_product_id_id", "subscriptions", ["partner_id", "product_id", "id"])
    op.create_index("ix_customers_partner_id_country_id", "customers", ["partner_id", "country", "id"])


def downgrade() -> None:
    op.drop_index("ix_customers_partner_id_country_id", "customers")
    op.drop_index("ix_subscriptions_partner_id_product_id_id", "subscriptions")
    op.drop_table("saved_views")
